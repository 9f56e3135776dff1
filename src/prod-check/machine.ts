import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { secretsFolder } from '../config/sandbox-secrets.ts';
import type { MachineFacts } from './machine-checks.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const OTHERS_READ = 0o004;

export function readMachine(dataDir: string): MachineFacts {
  return {
    uid: process.getuid?.() ?? null,
    nodeVersion: process.version,
    readableByOthers: secretFiles(dataDir)
      .filter(mayOthersRead)
      .map((file) => path.basename(file)),
    diskFreeShare: diskFreeShare(dataDir),
    packagesAstray: packagesAstray(ROOT),
  };
}

function secretFiles(dataDir: string): string[] {
  const folder = secretsFolder(dataDir);
  const made = existsSync(folder) ? readdirSync(folder).map((file) => path.join(folder, file)) : [];
  return [path.resolve('.env'), ...made].filter((file) => existsSync(file));
}

const mayOthersRead = (file: string): boolean => (statSync(file).mode & OTHERS_READ) !== 0;

/** The folder need not be there yet: then the nearest one above it says. */
function diskFreeShare(folder: string): number {
  if (!existsSync(folder)) return diskFreeShare(path.dirname(folder));
  const { bavail, blocks } = statfsSync(folder);
  return bavail / blocks;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/** npm writes what it installed beside the packages; compared with what is committed. */
function packagesAstray(root: string): string[] {
  const locked = readLock(path.join(root, 'package-lock.json'));
  const installed = readLock(path.join(root, 'node_modules', '.package-lock.json'));
  if (locked === null || installed === null) return [];
  return Object.entries(installed.packages)
    .filter(([name, entry]) => locked.packages[name]?.integrity !== entry.integrity)
    .map(([name]) => name.replace(/^.*node_modules\//, ''));
}

function readLock(file: string): Lock | null {
  if (!existsSync(file)) return null;
  // npm's own file; its shape is npm's contract.
  return JSON.parse(readFileSync(file, 'utf8')) as Lock;
}

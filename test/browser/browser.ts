import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Where Debian and its relatives install a browser, for machines the npm package has no binary for. */
const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Quiet: the browser must not talk to anybody but the page under test. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

/** Starts a headless Chromium. Throws with a sentence when this machine has none. */
export async function launchBrowser(): Promise<Browser> {
  const carried = process.platform === 'linux' && process.arch === 'x64' ? await unpackCarriedBrowser() : null;
  if (carried !== null) {
    return chromium.launch({
      executablePath: join(carried, 'chromium'),
      args: FLAGS,
      // The browser's own libraries and fonts come along in the package, so that no system package is needed.
      env: { ...process.env, LD_LIBRARY_PATH: join(carried, 'lib'), FONTCONFIG_PATH: carried, HOME: carried },
    });
  }
  const installed = INSTALLED.find((path) => existsSync(path));
  if (installed === undefined)
    throw new Error('no browser: on this platform install Chromium, for example at /usr/bin/chromium');
  return chromium.launch({ executablePath: installed, args: FLAGS });
}

/**
 * Unpacks the browser that npm brought, once for this checkout.
 *
 * Safe to call from many processes at once: each unpacks into a folder of its own and renames it into place; whoever
 * comes second throws its copy away. A half-written browser is never visible.
 */
async function unpackCarriedBrowser(): Promise<string> {
  const packed = fileURLToPath(new URL('../bin/', import.meta.resolve('@sparticuz/chromium')));
  const manifest: unknown = JSON.parse(await readFile(join(packed, '../package.json'), 'utf8'));
  const version = (manifest as { version: string }).version;
  const cache = join(ROOT, 'node_modules/.cache/hero-onboarding');
  const place = join(cache, `chromium-${version}`);
  if (existsSync(join(place, 'chromium'))) return place;
  // A cache of fonts alone, by a browser that outlived its own folder.
  await rm(place, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  const own = await mkdtemp(join(cache, 'unpacking-'));
  await pipeline(
    createReadStream(join(packed, 'chromium.br')),
    createBrotliDecompress(),
    createWriteStream(join(own, 'chromium')),
  );
  await chmod(join(own, 'chromium'), 0o755);
  await unpackTar(join(packed, 'al2023.tar.br'), own);
  await unpackTar(join(packed, 'fonts.tar.br'), own);
  await writeFile(join(own, 'fonts.conf'), fontsConfiguration(place));
  try {
    await rename(own, place);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    if (!existsSync(join(place, 'chromium'))) throw error;
  }
  return place;
}

/** The package's own names folders of the machine it was made for; without a single font the browser dies. */
const fontsConfiguration = (place: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(place, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(place, 'fonts-cache')}</cachedir>
</fontconfig>
`;

/** By way of a file: tar leaves a pipe at the archive's end mark, and whoever still writes the padding behind it fails. */
async function unpackTar(archive: string, into: string): Promise<void> {
  const plain = join(into, 'archive.tar');
  await pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(plain));
  const tar = spawn('tar', ['-x', '-f', plain, '-C', into], { stdio: 'inherit' });
  const [code] = (await once(tar, 'close')) as [number | null];
  if (code !== 0) throw new Error(`tar could not unpack ${archive} (exit ${String(code)})`);
  await rm(plain);
}

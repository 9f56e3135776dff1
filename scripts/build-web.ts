/**
 * Builds the pages into dist/ when their sources changed since the last build; otherwise does nothing (about 20 ms).
 * A copy without development packages but with a fresh dist/ therefore starts too.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const stamp = path.join(root, 'dist', '.sources');
const sources = ['web', 'client', 'package-lock.json', 'src/domain/money.ts', 'src/domain/refusal.ts'];

function filesOf(name: string): string[] {
  const target = path.join(root, name);
  if (!existsSync(target)) return [];
  if (statSync(target).isFile()) return [name];
  return readdirSync(target, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesOf)) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

const wanted = hashOfSources();
const isFresh =
  existsSync(stamp) && existsSync(path.join(root, 'dist', 'index.html')) && readFileSync(stamp, 'utf8') === wanted;
if (!isFresh || process.argv.includes('--force')) {
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const viteArguments = [
    vite,
    'build',
    'web',
    '--outDir',
    path.join(root, 'dist'),
    '--emptyOutDir',
    '--logLevel',
    'warn',
  ];
  const built = spawnSync(process.execPath, viteArguments, { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) {
    console.error('The pages could not be built.');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

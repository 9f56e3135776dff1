/**
 * Runs every scripts/generate-*.ts. With `--check` nothing is written: each compares what it would write with what is
 * committed and fails with the names of the files that differ.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const generators = readdirSync(import.meta.dirname)
  .filter((file) => /^generate-.+\.ts$/.test(file))
  .sort();
let failed = 0;
for (const generator of generators) {
  const run = spawnSync(process.execPath, [path.join(import.meta.dirname, generator), ...process.argv.slice(2)], {
    cwd: path.resolve(import.meta.dirname, '..'),
    stdio: 'inherit',
  });
  if (run.status !== 0) {
    console.error(`${generator} failed.`);
    failed += 1;
  }
}
process.exitCode = failed === 0 ? 0 : 1;

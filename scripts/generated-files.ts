import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** Writes the files, or with `--check` compares them with what is committed and sets the exit code to 1 where they differ. */
export function writeOrCheck(
  files: ReadonlyMap<string, string>,
  args: readonly string[] = process.argv.slice(2),
): void {
  for (const [name, wanted] of files) {
    const target = path.join(root, name);
    const present = existsSync(target) ? readFileSync(target, 'utf8') : null;
    if (present === wanted) continue;
    if (args.includes('--check')) {
      console.error(`${name} is not what its source says: run "npm run generate" and commit the result.`);
      process.exitCode = 1;
      continue;
    }
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, wanted);
    console.log(`wrote ${name}`);
  }
}

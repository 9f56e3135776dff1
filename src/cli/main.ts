import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { processEnvironment } from '../config.ts';
import { systemHttp, systemClock } from '../ports/system.ts';
import { buildCli } from './cli.ts';

/** Runs `hero-onboarding <noun> <verb> …` against a running server. Answers the exit code: 0, 1 for a refusal, 2 for a wrong command. */
export async function runCli(args: readonly string[]): Promise<number> {
  const cli = buildCli({
    env: processEnvironment(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    readFile: (file) => (existsSync(file) ? readFileSync(file, 'utf8') : null),
    writeFile: writeForOwner,
    ask,
    now: () => systemClock.now(),
    fetch: (url, init) => systemHttp.fetch(url, init),
    sleep: (ms) => systemClock.sleep(ms),
  });
  return await cli(args);
}

/** Written beside and put in its place: whoever reads meanwhile sees the one or the other. */
function writeForOwner(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, file);
}

/** Null where nobody sits at the terminal. */
async function ask(question: string): Promise<string | null> {
  if (!process.stdin.isTTY) return null;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } catch {
    // The input ended instead of an answer.
    return null;
  } finally {
    lines.close();
  }
}

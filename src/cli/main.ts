import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { processEnvironment } from '../config.ts';
import { systemHttp, systemClock } from '../ports/system.ts';
import { buildCli } from './cli.ts';

/** Runs `hero-onboarding <noun> <verb> …` against a running server. Answers the exit code: 0, 1 for a refusal, 2 for a wrong command. */
export async function runCli(args: readonly string[]): Promise<number> {
  const cli = buildCli({
    env: processEnvironment(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    readFile: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : null),
    fetch: (url, init) => systemHttp.fetch(url, init),
    sleep: (ms) => systemClock.sleep(ms),
  });
  return await cli(args);
}

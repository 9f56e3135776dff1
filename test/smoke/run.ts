import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSuite } from './suite.ts';
import { SUITES } from './suites.ts';

const HELP = `Checks a running server over HTTP, as a stranger would.

  npm run smoke -- --url http://127.0.0.1:9920 [--suite ${[...SUITES.keys()].join('|')}]

The operator's secret comes from HERO_ONBOARDING_ADMIN_SECRET, or from --admin-secret-file (default ./data/secrets/admin-secret,
where the sandbox keeps its own). The checks open wallets named "Smoke: …" and leave them there. The suite 'payments' pays
through the sandbox's checkout page: run it against a server in sandbox mode. The suites 'plans', 'allocations' and 'auto-release' move its clock
by some days, which stay. The suite 'aggregate' needs a server with a repository for
usage, which a sandbox has by itself.`;

const OPTIONS = {
  url: { type: 'string', default: 'http://127.0.0.1:9920' },
  suite: { type: 'string' },
  'admin-secret-file': { type: 'string', default: 'data/secrets/admin-secret' },
  help: { type: 'boolean', default: false },
} as const;

/** What was typed cannot be done; the sentence says what can. */
class Mistyped extends Error {}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Mistyped)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const names = suitesNamed(values.suite, positionals);
  const target = { url: values.url, adminSecret: readSecret(values['admin-secret-file']) };
  let failed = 0;
  let passed = 0;
  for (const name of names) {
    const result = await runSuite(name, SUITES.get(name) ?? [], target, (line) => console.log(line));
    failed += result.failed.length;
    passed += result.passed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function readArguments() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const [sentence = ''] = error instanceof Error ? error.message.split('. ') : [];
    throw new Mistyped(`${sentence}. Try npm run smoke -- --help`);
  }
}

function suitesNamed(suite: string | undefined, [word]: readonly string[]): readonly string[] {
  const all = [...SUITES.keys()];
  const isSuite = word !== undefined && SUITES.has(word);
  if (word !== undefined)
    throw new Mistyped(
      isSuite
        ? `A suite is named with --suite: npm run smoke -- --suite ${word}`
        : `There is nothing called ${word} here. Suites are ${all.join(', ')}: npm run smoke -- --suite ${all[0]}`,
    );
  if (suite !== undefined && !SUITES.has(suite))
    throw new Mistyped(`There is no suite ${suite}. There are ${all.join(', ')}: npm run smoke -- --suite ${all[0]}`);
  return suite === undefined ? all : [suite];
}

function readSecret(file: string): string {
  const given = process.env['HERO_ONBOARDING_ADMIN_SECRET'];
  if (given !== undefined && given !== '') return given;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new Mistyped(
      `There is no operator's secret: set HERO_ONBOARDING_ADMIN_SECRET, or name its file with --admin-secret-file (${file} cannot be read).`,
    );
  }
}

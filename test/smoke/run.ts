import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSuite } from './suite.ts';
import { SUITES } from './suites.ts';

const HELP = `Checks a running server over HTTP, as a stranger would.

  npm run smoke -- --url http://127.0.0.1:9920 [--suite ${[...SUITES.keys()].join('|')}]

The operator's secret comes from HERO_ONBOARDING_ADMIN_SECRET, or from --admin-secret-file (default ./data/secrets/admin-secret,
where the sandbox keeps its own). The checks open wallets named "Smoke: …" and leave them there. The suite 'payments' pays
through the sandbox's checkout page: run it against a server in sandbox mode. The suite 'aggregate' needs a server with a repository for
usage, which a sandbox has by itself.`;

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:9920' },
    suite: { type: 'string' },
    'admin-secret-file': { type: 'string', default: 'data/secrets/admin-secret' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  const names = values.suite === undefined ? [...SUITES.keys()] : [values.suite];
  const target = { url: values.url, adminSecret: readSecret(values['admin-secret-file']) };
  let failed = 0;
  let passed = 0;
  for (const name of names) {
    const checks = SUITES.get(name);
    if (!checks) throw new Error(`there is no suite ${name}; there are ${[...SUITES.keys()].join(', ')}`);
    const result = await runSuite(name, checks, target, (line) => console.log(line));
    failed += result.failed.length;
    passed += result.passed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function readSecret(file: string): string {
  const given = process.env['HERO_ONBOARDING_ADMIN_SECRET'];
  if (given !== undefined && given !== '') return given;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new Error(
      `no operator's secret: set HERO_ONBOARDING_ADMIN_SECRET or name its file with --admin-secret-file (${file} cannot be read)`,
    );
  }
}

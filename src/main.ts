import { readFileSync } from 'node:fs';
import process from 'node:process';
import { processEnvironment, readConfig, type Config } from './config.ts';
import { printConfig } from './config/print.ts';
import { ConfigError, unknownNames } from './config/read.ts';
import { withSandboxSecrets } from './config/sandbox-secrets.ts';
import { systemLog, systemPorts } from './ports/system.ts';
import type { Ports } from './ports/ports.ts';

const HELP = `hero-onboarding: a prepaid wallet and usage billing that you run yourself

  hero-onboarding [serve]                     start the server
  hero-onboarding migrate                     bring the database to this version's schema
  hero-onboarding ledger check                recompute every rule of the ledger; exit 1 and row ids if one is broken
  hero-onboarding --check-prod-config [--json]  say whether this configuration is fit for real money; exit 1 if not
  hero-onboarding --print-config              show every setting and where it came from, without secrets
  hero-onboarding --version
  hero-onboarding login                       sign in at a running server, as a Mycelium node
  hero-onboarding <noun> <verb> …             call a running server; see hero-onboarding help

Settings are environment variables, or lines of a file named .env in the working folder: docs/reference/configuration.md
`;

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(args);
  } catch (error) {
    process.stderr.write(`${sentencesOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** The exit code. Imports late: `--version` needs neither a database driver nor a web server. */
async function run(args: readonly string[]): Promise<number> {
  const [first = 'serve', second] = args;
  if (first === '--help' || first === '-h') return print(HELP);
  if (first === '--version') return print(`${version()}\n`);
  if (first === '--print-config') return print(printConfig(readConfig(processEnvironment())));
  if (first === '--check-prod-config') {
    const { checkProdConfig } = await import('./prod-check/command.ts');
    return await checkProdConfig(processEnvironment(), { asJson: args.includes('--json') });
  }
  if (first === 'serve') {
    const { serveUntilStopped } = await import('./serve.ts');
    return await serveUntilStopped({ ...start(), version: version() });
  }
  if (first === 'migrate' || (first === 'ledger' && second === 'check')) {
    const { migrateCommand, ledgerCheckCommand } = await import('./serve/maintenance.ts');
    return first === 'migrate' ? await migrateCommand(start()) : await ledgerCheckCommand(start());
  }
  const { runCli } = await import('./cli/main.ts');
  return await runCli(args);
}

function start(): { readonly config: Config; readonly ports: Ports } {
  const env = processEnvironment();
  const read = readConfig(env);
  // Log lines go to standard error, so that what a command prints can be piped.
  const log = systemLog(read.logLevel, { write: (line) => void process.stderr.write(line) });
  const ports = systemPorts({ log });
  for (const name of unknownNames(env)) log.warn({ name }, 'this environment variable is not a setting and is ignored');
  return { config: withSandboxSecrets(read, ports.random), ports };
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** What stops a start is a sentence, not a stack; the stack of a bug is worth having. */
function sentencesOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join('\n');
  if (!(error instanceof Error)) return String(error);
  const isBug = ['Bug', 'TypeError', 'ReferenceError', 'RangeError'].includes(error.name);
  return isBug ? (error.stack ?? error.message) : error.message;
}

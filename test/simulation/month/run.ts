import process from 'node:process';
import { parseArgs } from 'node:util';
import { plant } from '../plant.ts';

const HELP = `Lives a month of usage in virtual time on a real PostgreSQL and holds it against an independent calculation.

  npm run simulate:month -- [options]

  --seed <n>       another month (default 1)
  --full           a report of every node in every hour, and every night lived: some minutes
  --mutant <name>  with this planted bug; it should be found
  --help           this text

Ends with 0 when everything agrees.
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    full: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (!/^\d{1,9}$/.test(values.seed)) {
  process.stderr.write('--seed is a whole number of at most nine digits.\n');
  process.exit(2);
}
if (values.mutant !== undefined) plant(values.mutant);
// Only now: what is loaded from here on carries the planted bug.
const { runMonth } = await import('./run-month.ts');
const { verdict, text } = await runMonth({ seed: Number(values.seed), isFull: values.full });
process.stdout.write(`${text}\n`);
for (const line of verdict.breaks.slice(0, 20)) process.stdout.write(`  ${line}\n`);
if (verdict.breaks.length > 0) process.stdout.write(`${verdict.breaks.length} promises are broken\n`);
process.exitCode = verdict.breaks.length === 0 ? 0 : 1;

import process from 'node:process';
import { parseArgs } from 'node:util';
import { plant } from '../plant.ts';

const HELP = `Lives years of plans in virtual time on a real PostgreSQL and holds them against an independent calculation.

  npm run simulate:years -- [options]

  --seed <n>       other years (default 1)
  --users <n>      how many people (default 1000)
  --days <n>       how long
  --full           three years, with more going on: some minutes
  --mutant <name>  with this planted bug; it should be found
  --help           this text

Ends with 0 when everything agrees.
`;

const number = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    users: number,
    days: number,
    full: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const { users = '1000', days } = values;
if (![values.seed, users, days ?? '1'].every((text) => /^[1-9]\d{0,8}$/.test(text))) {
  process.stderr.write('--seed, --users and --days are whole numbers from 1 on.\n');
  process.exit(2);
}
if (values.mutant !== undefined) plant(values.mutant);
// Only now: what is loaded from here on carries the planted bug.
const { runYears } = await import('./run-years.ts');
const { verdict, text } = await runYears({
  seed: Number(values.seed),
  users: Number(users),
  ...(days === undefined ? {} : { days: Number(days) }),
  isFull: values.full,
});
process.stdout.write(`${text}\n`);
for (const line of verdict.breaks.slice(0, 20)) process.stdout.write(`  ${line}\n`);
if (verdict.breaks.length > 0) process.stdout.write(`${verdict.breaks.length} promises are broken\n`);
process.exitCode = verdict.breaks.length === 0 ? 0 : 1;

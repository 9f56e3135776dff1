import process from 'node:process';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { Disk } from './disk.ts';
import { reportText } from './report.ts';

const USAGE = `node test/chaos/run.ts [--for 60s] [--seed N] [--clients 40] [--disk]

Three servers and a worker on one PostgreSQL, a Stripe simulator, and clients that write down what they mean and what they are told; all of
them processes of this run. Somebody kills, pauses, cuts wires and loses answers. Then everything heals, and what was told is
compared with what the database holds.

  --for TIME     how long to misbehave, as 90s or 5m; 60s by default
  --seed N       the same harms in the same order, at other moments; a new one by default
  --clients N    40 by default
  --disk         instead: one server, its database on a small disk that is filled (needs the right to mount a tmpfs)
`;

const MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

function toMs(text: string): number {
  const found = /^(\d+)([smh])$/.exec(text);
  const unit = found?.[2];
  if (found === null || (unit !== 's' && unit !== 'm' && unit !== 'h'))
    throw new Error(`--for ${text}: write it as 90s or 5m`);
  return Number(found[1]) * MS[unit];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      for: { type: 'string', default: '60s' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      clients: { type: 'string', default: '40' },
      disk: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.info(USAGE);
    return 0;
  }
  const seed = Number(values.seed);
  const disk = values.disk ? Disk.mount() : null;
  if (values.disk && disk === null) throw new Error('a tmpfs could not be mounted here: run this as root');
  console.info(`seed ${seed}`);
  try {
    const report = await runChaos({
      seed,
      forMs: toMs(values.for),
      clients: Number(values.clients),
      tell: (line) => console.info(line),
      ...(disk ? { disk, servers: 1, workers: 0 } : {}),
    });
    console.info(reportText(report));
    return report.violations.length === 0 ? 0 : 1;
  } finally {
    disk?.unmount();
    console.info(`again: node test/chaos/run.ts --for ${values.for} --seed ${seed}${values.disk ? ' --disk' : ''}`);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
if (import.meta.main) process.exit(await main());

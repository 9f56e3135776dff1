/**
 * `npm run bench:renewals`: ten thousand plans whose period ends at the same instant, renewed by the tick that does so in production, with
 * fsync on: by one process, by two at once, and late by three periods each. Throws unless each period was paid once and the ledger is sound.
 */
import { renewDue } from '../src/operations/subscription/renew.ts';
import { checkLedger } from '../src/store/ledger-check.ts';
import { commitHere, machineHere } from '../test/simulation/tally.ts';
import { shown, timeHouses, type Took } from './houses.ts';
import { inSession, startServer, WALLETS, type BenchServer } from './server.ts';
import { spreadOf } from './spread.ts';

const START_MS = Date.UTC(2026, 0, 1);
const PERIOD_MS = 30 * 86_400_000;
/** A day's own noise: each case is measured so often, on a database of its own. */
const ROUNDS = 3;

interface Case {
  readonly name: string;
  readonly processes: number;
  /** How many periods are over when somebody looks. */
  readonly periods: number;
}

const CASES: readonly Case[] = [
  { name: 'one process', processes: 1, periods: 1 },
  { name: 'two at once', processes: 2, periods: 1 },
  { name: 'three periods late', processes: 1, periods: 3 },
];

/** Every wallet has a plan of ten dollars, whose first period cost nothing and began at the same instant. */
const PLANS_SQL = [
  `insert into subscription (sid, wallet, plan_code, state, anchor_at, period_ends_at, period_number, is_renewing, created_at, created_by)
   select lpad(id::text, 26, '0'), id, 'vm-5', 'active', $1::timestamptz, $1::timestamptz + interval '30 days', 0, true, $1, 'system:bench' from wallet`,
  `insert into plan_period (subscription, number, part, wallet, plan_sid, starts_at, ends_at, paid, created_at)
   select id, 0, 0, wallet, '00000000000000000000000005', anchor_at, period_ends_at, 0, created_at from subscription where anchor_at = $1`,
];

async function measure(server: BenchServer, { processes, periods }: Case, name: string): Promise<Took> {
  const url = await server.freshDatabase(name);
  await inSession(url, server.ports, async (session) => {
    for (const text of PLANS_SQL) await session.query(text, [new Date(START_MS).toISOString()]);
    await session.query('analyze');
    await session.query('checkpoint');
  });
  return await timeHouses(server, {
    url,
    processes,
    nowMs: START_MS + periods * PERIOD_MS + 1,
    work: (house) => renewDue(house),
    check: async (renewed, db) => {
      const paid = renewed.reduce((sum, one) => sum + one.renewed, 0);
      if (paid !== WALLETS * periods) throw new Error(`${paid} periods were paid, not ${WALLETS * periods}`);
      const check = await checkLedger(db);
      if (!check.isSound) throw new Error(`the ledger is not sound: ${JSON.stringify(check, bigintAsText)}`);
      return paid;
    },
  });
}

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

const server = await startServer();
try {
  console.log(`${new Date().toISOString()} · commit ${commitHere()} · ${machineHere()} · ${server.version}`);
  console.log(`${WALLETS} plans renew at one instant, ${ROUNDS} rounds, medians with extremes`);
  for (const [number, one] of CASES.entries()) {
    const took: Took[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      took.push(await measure(server, one, `renewals_${number}_${round}`));
    const seconds = (spreadOf(took.map(({ ms }) => ms))?.median ?? 0) / 1_000;
    console.log(
      `${one.name.padEnd(20)} ${shown(took.map(({ ms }) => ms))} ms · ${Math.round((WALLETS * one.periods) / seconds)} periods/s · ` +
        `Node ${shown(took.map(({ nodeMicros }) => nodeMicros))} µs, PostgreSQL ${shown(took.map(({ serverMicros }) => serverMicros))} µs a period`,
    );
  }
} finally {
  await server.stop();
}

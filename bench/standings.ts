/**
 * `npm run bench:standings`: ten thousand wallets that have used something since they were looked at last, of which one in a hundred has become
 * low, looked at by the ticks that do so in production, with fsync on. Throws unless each was looked at and stands as its money says.
 */
import { watchDue, watchStandings } from '../src/operations/standing/watch.ts';
import type { House } from '../src/operations/house.ts';
import { POSTING_KINDS } from '../src/domain/ledger/posting.ts';
import { commitHere, machineHere } from '../test/simulation/tally.ts';
import { shown, timeHouses, type Took } from './houses.ts';
import { inSession, REVENUE, startServer, WALLETS, type BenchServer } from './server.ts';
import { spreadOf } from './spread.ts';

/** A day's own noise: each case is measured so often. */
const ROUNDS = 3;
const NOW_MS = Date.UTC(2026, 0, 31, 12);
/** Something is used every hour; of three days, the look asks for the last. */
const ENTRIES_EACH = 72;
/** One in so many has become low. */
const LOW_EVERY = 100;

interface Case {
  readonly name: string;
  readonly processes: number;
  readonly look: (house: House) => Promise<number>;
  /** What the look before has left: when to look again, or from which line of the account on. */
  readonly lookAt: Date | null;
  readonly seenSeq: bigint | null;
}

const HOUR_AGO = new Date(NOW_MS - 3_600_000);
const HOURLY = { look: watchDue, lookAt: HOUR_AGO, seenSeq: null };
const CASES: readonly Case[] = [
  { name: 'looks that are due', processes: 1, ...HOURLY },
  { name: 'due, two at once', processes: 2, ...HOURLY },
  { name: 'used again', processes: 1, look: watchStandings, lookAt: null, seenSeq: 1n },
];

/** About what a charge of usage says. */
const ABOUT = JSON.stringify({
  category: 'llm',
  node: '01JZZZZZZZZZZZZZZZZZZZZZZZ',
  resource: 'some-provider/some-model',
  quantity: '1',
  unit: 'call',
  price: '01JZZZZZZZZZZZZZZZZZZZZZZZ',
  kind: 'cost_plus',
  cost: '0.009123456789',
  margin: '10',
  ladder: '01JZZZZZZZZZZZZZZZZZZZZZZZ',
  streak: '2026-01-01T00:00:00.000Z',
  rung: 2,
  multiplier: '0.95',
  gross: '0.010035802467',
  exact: '0.009534012344',
  carry: '123456789012',
});

const USAGE_SQL = [
  `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
   select wallet.id * 16, number + 1, ${REVENUE}, -10000, 1000000000000 - number * 10000, 1, idem, idem, at, at, ${POSTING_KINDS.usage}, $1
   from wallet, generate_series(1, ${ENTRIES_EACH}) as number,
        lateral (select $2::timestamptz - make_interval(hours => ${ENTRIES_EACH} - number) as at) as moment,
        lateral (select (left(md5(wallet.id || ' ' || number), 31) || '0')::uuid as idem) as key`,
  `update account set seq = seq + ${ENTRIES_EACH}, balance = case when id / 16 % ${LOW_EVERY} = 0 then 1000000 else balance - ${ENTRIES_EACH * 10_000} end
   where id % 16 = 0`,
  `insert into wallet_standing (wallet, state, since, level, seen_seq) select id, 'active', created_at, 'ok', 1 from wallet`,
  'vacuum analyze',
  'checkpoint',
];

/** As it was before anybody looked. What was told stays told, and its moves keep their numbers. */
const AGAIN_SQL = [
  `update wallet_standing set state = 'active', level = 'ok', warned_hours = null, look_at = $1, seen_seq = $2`,
  'vacuum analyze wallet_standing',
];

async function prepare({ ports }: BenchServer, url: string): Promise<void> {
  await inSession(url, ports, async (session) => {
    for (const [number, text] of USAGE_SQL.entries())
      await session.query(text, number === 0 ? [ABOUT, new Date(NOW_MS)] : []);
  });
}

async function measure(server: BenchServer, one: Case, url: string): Promise<Took> {
  await inSession(url, server.ports, async (session) => {
    for (const [number, text] of AGAIN_SQL.entries())
      await session.query(text, number === 0 ? [one.lookAt, one.seenSeq] : []);
  });
  return await timeHouses(server, {
    url,
    processes: one.processes,
    nowMs: NOW_MS,
    work: (house) => lookAtAll(house, one),
    check: () => judge(server, url),
  });
}

/** As many ticks as it takes. */
async function lookAtAll(house: House, { look }: Case): Promise<void> {
  while ((await look(house)) > 0);
}

const JUDGE_SQL = `select count(*) filter (where look_at <= $1 or look_at is null) as missed, count(*) filter (where state = 'low') as low,
  count(*) filter (where state = 'active') as active from wallet_standing`;

async function judge(server: BenchServer, url: string): Promise<number> {
  const [row] = await inSession(url, server.ports, (session) => session.query(JUDGE_SQL, [new Date(NOW_MS)]));
  const [missed, low, active] = [row?.['missed'], row?.['low'], row?.['active']].map(Number);
  if (missed !== 0 || low !== WALLETS / LOW_EVERY || active !== WALLETS - low)
    throw new Error(`${missed} were not looked at, ${low} are low, ${active} active`);
  return WALLETS;
}

const server = await startServer();
try {
  console.log(`${new Date().toISOString()} · commit ${commitHere()} · ${machineHere()} · ${server.version}`);
  console.log(`${WALLETS} wallets are looked at, ${ROUNDS} rounds, medians with extremes`);
  const url = await server.freshDatabase('standings');
  await prepare(server, url);
  for (const one of CASES) {
    const took: Took[] = [];
    for (let round = 0; round < ROUNDS; round += 1) took.push(await measure(server, one, url));
    const seconds = (spreadOf(took.map(({ ms }) => ms))?.median ?? 0) / 1_000;
    console.log(
      `${one.name.padEnd(20)} ${shown(took.map(({ ms }) => ms))} ms · ${Math.round(WALLETS / seconds)} wallets/s · ` +
        `Node ${shown(took.map(({ nodeMicros }) => nodeMicros))} µs, PostgreSQL ${shown(took.map(({ serverMicros }) => serverMicros))} µs a wallet`,
    );
  }
} finally {
  await server.stop();
}

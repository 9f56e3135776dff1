import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { inspect } from 'node:util';
import { openWallets } from '../support/ledger.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';
import { micros } from '../../src/domain/money.ts';
import type { Db, Tx } from '../../src/store/db.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { insertNode, type NodeRow } from '../../src/store/node.ts';
import { NODE_HOUR_MAX } from './reporters.ts';
import { openSession, openSharedConnection, type SharedConnection } from '../../src/store/postgres.ts';
import { dbOver } from '../../src/store/transaction.ts';
import { systemPorts } from '../../src/ports/system.ts';
import { Weather, type Fault } from './faults.ts';
import type { Violation } from './history.ts';
import { Identities } from './identities.ts';
import { Marks, type Mark } from './marks.ts';
import { Oracle } from './oracle.ts';
import { paceOf } from './pace.ts';
import { People } from './people.ts';
import { keepOn } from './processor.ts';
import { Chance } from './random.ts';
import { outside, Scheduler } from './scheduler.ts';
import { TICKS_APART } from './renting/pace.ts';
import { RENTING_TICKS } from './renting/ticks.ts';
import type { Table } from './renting/rows.ts';
import type { Entry } from './ledger-model.ts';
import { World } from './world.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly operations: number;
  /** Weeks of plans and VMs, instead of hours of everything else. */
  readonly isRenting?: boolean;
  /** The owner's address of a server with the migrated template. */
  readonly postgresUrl: string;
  readonly template: string;
  readonly skipped?: ReadonlySet<number>;
  readonly without?: ReadonlySet<Fault>;
  readonly showsTrace?: boolean;
  /** Where this process is kept; its connection's server process is kept there too. */
  readonly processor?: number | undefined;
}

export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly operations: number;
  /** Operations begun when the first promise broke, or all. */
  readonly begunOperations: number;
  readonly answers: number;
  readonly faults: ReadonlyMap<Fault, number>;
  readonly marks: ReadonlySet<Mark>;
  readonly traceHash: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly heals: boolean;
  readonly trace: readonly string[];
}

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
/** Everything must have been found by then: the pace of healing brings a look at all orders after 40 minutes. */
const HEALED_WITHIN_MS = 50 * MINUTE_MS;
/** The provider's last delivery leaves 37 hours after the event, and weather delays it by 3 days at most. */
const DELIVERED_WITHIN_MS = 6 * 24 * 60 * MINUTE_MS;
/** From here on one process's ticks stand for all. */
const LONG_AFTERWARDS_MS = 60 * MINUTE_MS;
/**
 * How much more rarely than in production ticks come, from so many milliseconds after the last operation began. Some customers
 * pay a day later; at the pace of production a life would be ticks and little else.
 */
const TICKS_AFTERWARDS: readonly (readonly [number, number])[] = [
  [0, 1],
  [5 * MINUTE_MS, 10],
  [LONG_AFTERWARDS_MS, 240],
];
const TICKS_WHILE_HEALING = 8;
const TICKS_WITHOUT_HEALING = 400;
/** An order lives two hours; some more, for the clocks that were wrong when it was made. */
const ENDED_WITHIN_MS = 8 * 60 * MINUTE_MS;
const TICKS_WHILE_ENDING = 120;
/** A run that does not come to rest is a finding, not an endless test. */
const STEPS_PER_OPERATION_MAX = 4_000;

/** Of many people each would do next to nothing in a life of renting. */
const TENANTS_MAX = 8;
const LAST_ROUNDS = 4;
/** Longer than anybody waits before a provisioner is asked again. */
const LAST_ROUND_MS = 11 * MINUTE_MS;

let made = 0;

/** Lives one seed from its first operation to the oracle's last word. */
export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  made += 1;
  const name = `sim_${process.pid}_${made}`;
  await maintain(options.postgresUrl, `create database ${name} template ${options.template} strategy file_copy`);
  const address = new URL(options.postgresUrl);
  address.pathname = `/${name}`;
  try {
    return await live(options, address.href);
  } finally {
    await maintain(options.postgresUrl, `drop database ${name} with (force)`);
  }
}

async function live(options: SeedOptions, url: string): Promise<SeedReport> {
  const { seed } = options;
  const quiet = systemPorts({ logLevel: 'silent' });
  const draw = new Chance(seed, 'run');
  const scheduler = new Scheduler(START_MS, new Chance(seed, 'ties'));
  const trace = options.showsTrace === true ? scheduler.recordTrace() : [];
  const weather = new Weather(seed, options.without);
  const heals = draw.is(0.5);
  const { isRenting = false } = options;
  const { hit: marks, mark } = new Marks();
  const shared = await openSharedConnection({ url, ports: quiet });
  try {
    if (options.processor !== undefined) keepOn(options.processor, await serverPidOf(shared));
    const crowd = draw.weighted([
      [1, 2],
      [2, 2],
      [5, 4],
      [40, 3],
      [1_000, 0.05],
    ]);
    const users = isRenting ? Math.min(crowd, TENANTS_MAX) : crowd;
    const { people, nodes } = await populate(shared, seed, users);
    // The world refers to its oracle and the oracle to the world: the commit hook closes the circle.
    const hooks = {
      afterPosting: (): Promise<readonly Entry[]> => Promise.resolve([]),
      afterRenting: (_written: ReadonlySet<Table>, _fresh: readonly Entry[]): Promise<void> => Promise.resolve(),
      afterInbox: (): Promise<void> => Promise.resolve(),
      afterIdentity: (): Promise<void> => Promise.resolve(),
      onBreak: (_rule: string, _detail: string): void => undefined,
    };
    const world = new World({
      seed,
      scheduler,
      weather,
      shared,
      processes: draw.between(1, 3),
      heals,
      tickFactor: tickFactorOf(seed),
      isRenting,
      onCommit: async ({ ledger, inbox, identity, renting }) => {
        const fresh = ledger ? await hooks.afterPosting() : [];
        if (renting.size + (isRenting ? fresh.length : 0) > 0) await hooks.afterRenting(renting, fresh);
        if (inbox) await hooks.afterInbox();
        if (identity) await hooks.afterIdentity();
      },
      onBreak: (rule, detail) => hooks.onBreak(rule, detail),
      mark,
    });
    const identities = new Identities();
    const residents = new People({
      identities,
      seed,
      scheduler,
      weather,
      world,
      people,
      nodes,
      isRenting,
      skipped: options.skipped ?? new Set(),
      mark,
    });
    const oracle = new Oracle({
      shared,
      scheduler,
      history: () => residents.history,
      provider: world.sandbox.state,
      taken: world.network.taken,
      told: world.told,
      identities,
      heals,
      isRenting,
      mark,
    });
    oracle.knowWallets(people.map(({ walletSid, id }) => ({ sid: walletSid, id })));
    hooks.afterPosting = () => oracle.afterPosting();
    hooks.afterRenting = (written, fresh) => oracle.afterRenting(written, fresh);
    hooks.afterInbox = () => oracle.afterInbox();
    hooks.afterIdentity = () => oracle.afterIdentity();
    hooks.onBreak = (rule, detail) => void oracle.violations.push({ rule, detail });

    let begunAtMs = Number.POSITIVE_INFINITY;
    void residents.live(options.operations).then(() => (begunAtMs = scheduler.nowMs));
    const stepsMax = scheduler.steps + options.operations * STEPS_PER_OPERATION_MAX + 200_000;
    const isStuck = () => scheduler.steps > stepsMax;
    await scheduler.run(() => {
      const sinceMs = scheduler.nowMs - begunAtMs;
      const isAlone = sinceMs >= LONG_AFTERWARDS_MS;
      const factor = isRenting ? TICKS_APART : Math.max(tickFactorOf(seed), factorAfterwards(sinceMs));
      if (sinceMs >= 0) world.paceTicks(factor, { isAlone: isAlone && !isRenting });
      return (sinceMs >= 0 && residents.isQuiet) || isStuck() || oracle.violations.length > 0;
    });
    world.calm();
    const until = scheduler.nowMs + (heals ? HEALED_WITHIN_MS : DELIVERED_WITHIN_MS);
    world.paceTicks(heals ? TICKS_WHILE_HEALING : TICKS_WITHOUT_HEALING, { isAlone: !heals });
    await scheduler.run(() => scheduler.nowMs >= until || isStuck() || oracle.violations.length > 0);
    if (heals) {
      // Orders that nobody paid end hours later; the house must hear of it by itself.
      const ended = scheduler.nowMs + ENDED_WITHIN_MS;
      world.paceTicks(TICKS_WHILE_ENDING, { isAlone: true });
      await scheduler.run(() => scheduler.nowMs >= ended || isStuck() || oracle.violations.length > 0);
    }
    if (oracle.violations.length === 0) {
      // What came after the last one waits for the next day; the oracle does not.
      let isOver = false;
      void (isRenting ? lastRentingTicks(world, scheduler) : lastTicks(world)).then(
        () => (isOver = true),
        (error: unknown) => hooks.onBreak('nothing fails in fine weather', String(error)),
      );
      await scheduler.run(() => isOver || isStuck() || oracle.violations.length > 0);
      if (isOver) await oracle.atTheEnd();
      if (isOver && isRenting)
        for (const detail of await checkedLedger(shared, seed)) hooks.onBreak('the ledger is sound', detail);
    }
    if (isStuck()) oracle.violations.push({ rule: 'I42 the world comes to rest', detail: `${scheduler.steps} steps` });
    const answers = residents.history.intents.reduce(
      (sum, intent) => sum + intent.attempts.filter(({ status }) => status !== null).length,
      0,
    );
    return {
      seed,
      violations: oracle.violations,
      operations: residents.history.intents.length,
      begunOperations: Math.min(options.operations, residents.begun + (options.skipped?.size ?? 0)),
      answers,
      faults: weather.counts,
      marks,
      traceHash: scheduler.traceHash,
      steps: scheduler.steps,
      virtualMs: scheduler.nowMs - START_MS,
      heals,
      trace,
    };
  } finally {
    await shared.close();
  }
}

/** What is given back pays what was not billed before, and that may stand on another rung again. */
const LAST_DAYS = 4;

/** What would come within some days, one after the other. */
async function lastTicks(world: World): Promise<void> {
  for (const name of ['usage.push', 'usage.aggregate']) await world.tickOnce(name);
  for (let day = 0; day < LAST_DAYS; day += 1)
    for (const name of ['ladder.recompute', 'usage.bill']) await world.tickOnce(name);
}

/** Until nothing is left to do: what is stopped by one tick is asked about by another some minutes later. */
async function lastRentingTicks(world: World, scheduler: Scheduler): Promise<void> {
  const life = outside('the last look');
  for (let round = 0; round < LAST_ROUNDS; round += 1) {
    for (const name of RENTING_TICKS) await world.tickOnce(name);
    await scheduler.park(life, LAST_ROUND_MS, 'the last look');
  }
}

/** About one tick of each kind for an operation, however slow the life. */
const tickFactorOf = (seed: number): number => Math.max(1, paceOf(seed) / 600);

const factorAfterwards = (sinceMs: number): number =>
  TICKS_AFTERWARDS.findLast(([fromMs]) => sinceMs >= fromMs)?.[1] ?? 1;

/** The wallets of the first hour, over the world's own connection: nothing else runs yet. */
async function populate(shared: SharedConnection, seed: number, users: number) {
  const ports = testPorts({ seed, now: new Date(START_MS - MINUTE_MS) });
  const db = ownDb(shared, ports);
  const wallets = await openWallets(db, ports, users);
  const people = wallets.map(({ id, sid, userSid }) => ({ id, walletSid: sid, userSid }));
  return { people, nodes: await openNodes(db, ports, people[0]?.userSid ?? '') };
}

/** What an operator's `ledger check` says at the end. */
async function checkedLedger(shared: SharedConnection, seed: number): Promise<string[]> {
  const { results } = await checkLedger(ownDb(shared, testPorts({ seed, now: new Date(START_MS) })));
  const broken = results.filter(({ rows }) => rows.length > 0);
  return broken.map(({ id, promise, rows }) => `${id} ${promise}: ${inspect(rows[0], { breakLength: Infinity })}`);
}

function ownDb(shared: SharedConnection, ports: TestPorts): Db {
  return dbOver(
    {
      ports,
      scopes: new AsyncLocalStorage(),
      acquire: () => Promise.resolve({ run: (query) => shared.run(query), release: () => undefined }),
      retriableKeys: new Set(),
      attemptsMax: 1,
      retryWithinMs: 0,
      observe: () => undefined,
    },
    () => Promise.resolve(),
  );
}

/** One for everybody, one that may do little in an hour, one for the first user only. */
async function openNodes(db: Tx, ports: TestPorts, userSid: string): Promise<NodeRow[]> {
  const kinds = [
    { name: 'open', userSids: null, hourMax: NODE_HOUR_MAX.open },
    { name: 'bounded', userSids: null, hourMax: NODE_HOUR_MAX.bounded },
    { name: 'scoped', userSids: [userSid], hourMax: NODE_HOUR_MAX.open },
  ];
  const nodes: NodeRow[] = [];
  for (const { hourMax, ...kind } of kinds) {
    const key = { keyId: kind.name, secretHash: ports.random.bytes(32) };
    const limits = { recordMax: micros(hourMax), hourMax: micros(hourMax) };
    const node = await insertNode(db, {
      sid: ports.ids.sid(),
      createdAt: ports.clock.now(),
      ...kind,
      ...limits,
      ...key,
    });
    if (node) nodes.push(node);
  }
  return nodes;
}

async function serverPidOf(shared: SharedConnection): Promise<number> {
  const { rows } = await shared.run({ text: 'select pg_backend_pid() as pid' });
  return Number(rows[0]?.['pid']);
}

async function maintain(url: string, command: string): Promise<void> {
  const session = await openSession({ url, ports: systemPorts({ logLevel: 'silent' }), role: null });
  try {
    await session.query(command);
  } finally {
    await session.close();
  }
}

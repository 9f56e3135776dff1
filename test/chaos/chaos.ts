import { rmSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { Balancer } from './balancer.ts';
import { Client, type Site } from './client.ts';
import { Dice } from './dice.ts';
import { Disk } from './disk.ts';
import { Journal } from './journal.ts';
import { Nemesis, type Blow } from './nemesis.ts';
import { OwnPostgres } from './own-postgres.ts';
import { kill9, pause, until } from './processes.ts';
import { Recovery } from './recovery.ts';
import { CATEGORY, type SharedWallet } from './reporter.ts';
import { ADMIN_SECRET, Server } from './server.ts';
import { startProduct } from './server-process.ts';
import { Stripe } from './stripe.ts';
import { judge, type Verdict } from './verdict.ts';
import { send } from './wire.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly forMs: number;
  readonly servers?: number;
  /** Servers that nobody's requests go to. */
  readonly workers?: number;
  readonly clients?: number;
  /** The whole database on a disk that is filled again and again, in place of every other harm. */
  readonly disk?: Disk;
  /** By default the run also waits for the house's slowest healing, a sweep every 30 s. */
  readonly waitsForSweeps?: boolean;
  readonly tell?: (line: string) => void;
}

export interface ChaosReport extends Verdict {
  readonly blows: ReadonlyMap<Blow, number>;
  readonly recovery: ReturnType<Recovery['summary']>;
  readonly slowestMs: number;
  /** How often each warning and error was logged. */
  readonly logged: ReadonlyMap<string, number>;
  readonly seconds: number;
}

const SERVERS = 3;
const WORKERS = 1;
const CLIENTS = 40;
const SHARED_WALLETS = 20;
const FUNDS_CENTS = 50_000_000;
/** So that no node is held back. */
const HOUR_MAX = '1000000';
const MICROS_PER_CENT = 10_000n;
/** Above everything one request may take; then somebody hangs. */
const CLIENTS_END_WITHIN_MS = 60_000;
const SETTLED_WITHIN_MS = 60_000;
const TELL_EVERY_MS = 5_000;

/**
 * One run: start everything, let clients and nemesis at it for the time given, heal, wait until all is quiet, and judge.
 *
 * Nothing of it outlives the call, or the process, whatever happens.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const startedMs = performance.now();
  const opened = new AsyncDisposableStack();
  try {
    const world = await openWorld(options, opened);
    const funded = await fund(world);
    const clients = await makeClients(world, options);
    const nemesis = new Nemesis(world, new Dice(options.seed), (blow) => options.tell?.(`  ${blow}`));
    await misbehave(world, { clients, nemesis, forMs: options.forMs, tell: options.tell });
    options.tell?.('healed; waiting until all is quiet');
    await settle(world, options.waitsForSweeps ?? true);
    const stops = await Promise.all(world.servers.map((server) => server.stop()));
    const verdict = await judge(world.journal, {
      ask: (text) => world.postgres.execute(text),
      paid: await world.stripe.paid(),
      funded,
    });
    const violations = [
      ...verdict.violations,
      ...world.violations,
      ...world.servers.flatMap((server) => server.complaints()),
      ...stops.flatMap((code, number) => (code === 0 ? [] : [`server ${number} stopped with ${code}`])),
      ...(await checkLedger(world.postgres)),
    ];
    return {
      ...verdict,
      violations,
      blows: nemesis.blows,
      recovery: world.recovery.summary(),
      slowestMs: Math.round(world.recovery.slowestMs),
      logged: loggedBy(world.servers),
      seconds: Math.round((performance.now() - startedMs) / 1_000),
    };
  } finally {
    await opened.disposeAsync();
  }
}

interface World extends Site {
  readonly postgres: OwnPostgres;
  readonly disk: Disk | null;
  readonly shared: SharedWallet[];
}

async function openWorld(options: ChaosOptions, opened: AsyncDisposableStack): Promise<World> {
  const { disk = null } = options;
  const settings = disk ? { max_wal_size: '64MB', min_wal_size: '32MB' } : {};
  const postgres = await OwnPostgres.make({ settings, ...(disk ? { dataFolder: disk.folder } : {}) });
  opened.defer(() => postgres.remove());
  await postgres.start();
  const stripe = await Stripe.start();
  opened.defer(() => stripe.stop());
  const databaseUrl = postgres.urlOf('postgres');
  const servers: Server[] = [];
  const asked = options.servers ?? SERVERS;
  for (let number = 0; number < asked + (options.workers ?? WORKERS); number += 1) {
    const isWorker = number >= asked;
    const server = await Server.start({ number, isWorker, databaseUrl, stripeUrl: stripe.url });
    opened.defer(() => server.remove());
    servers.push(server);
  }
  const atExit = (): void => [...postgres.pids, stripe.pid, ...servers.map(({ pid }) => pid)].forEach(kill9);
  process.once('exit', atExit);
  opened.defer(() => void process.off('exit', atExit));
  for (const server of servers) await server.untilReady();
  await stripe.deliverTo(servers[0]?.url ?? '');
  const folder = mkdtempSync(path.join('/var/tmp', 'hero-chaos-journal-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const journal = new Journal(path.join(folder, 'witness.jsonl'));
  opened.defer(() => journal.close());
  return {
    postgres,
    disk,
    servers,
    balancer: new Balancer(servers.filter(({ isWorker }) => !isWorker)),
    stripe,
    journal,
    recovery: new Recovery(),
    violations: [],
    shared: [],
    isOver: false,
  };
}

async function operator(world: World, route: string, body: object): Promise<Record<string, unknown>> {
  const url = `${world.servers[0]?.url}${route}`;
  const headers = { 'x-hero-onboarding-admin-secret': ADMIN_SECRET };
  const { status, text } = await send({ method: 'POST', url, headers, body, withinMs: 20_000 });
  if (status >= 300) throw new Error(`${route} answered ${status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

async function openWallet(world: World, name: string): Promise<SharedWallet> {
  const user = await operator(world, '/v1/users', { display_name: name });
  return { sid: (user['billing'] as { readonly sid: string }).sid, userSid: String(user['sid']) };
}

/** Answers what each shared wallet begins with. */
async function fund(world: World): Promise<Map<string, bigint>> {
  const funded = new Map<string, bigint>();
  for (let number = 0; number < SHARED_WALLETS; number += 1) {
    const wallet = await openWallet(world, `Shared ${number}`);
    const { sid } = wallet;
    await operator(world, '/admin/balance-adjust', { sid, balance_cents: FUNDS_CENTS, reason: 'funds' });
    funded.set(sid, BigInt(FUNDS_CENTS) * MICROS_PER_CENT);
    world.shared.push(wallet);
  }
  return funded;
}

async function makeClients(world: World, { clients = CLIENTS, seed }: ChaosOptions): Promise<Client[]> {
  const made: Client[] = [];
  await operator(world, '/v1/prices', CATEGORY);
  for (let number = 0; number < clients; number += 1) {
    const { sid: ownWallet } = await openWallet(world, `Own ${number}`);
    const node = await operator(world, '/v1/nodes', { name: `node-${number}`, hour_max: HOUR_MAX });
    const belongings = { ownWallet, nodeKey: String(node['key']) };
    made.push(new Client(`c${number}`, world, new Dice(seed * 1_000 + number + 1), belongings));
  }
  return made;
}

interface Storm {
  readonly clients: readonly Client[];
  readonly nemesis: Nemesis;
  readonly forMs: number;
  readonly tell: ((line: string) => void) | undefined;
}

async function misbehave(world: World, { clients, nemesis, forMs, tell }: Storm): Promise<void> {
  const working = clients.map((client) => client.run());
  const striking = nemesis.run();
  const startedMs = performance.now();
  const failed = Promise.race([...working, striking]);
  let toldMs = startedMs;
  try {
    while (performance.now() - startedMs < forMs) {
      await Promise.race([pause(250), failed]);
      const ended = world.servers.filter((server) => server.hasEndedByItself);
      if (ended.length > 0) throw new Error(ended.flatMap((server) => server.complaints()).join('\n'));
      if (performance.now() - toldMs < TELL_EVERY_MS) continue;
      toldMs = performance.now();
      tell?.(
        `${Math.round((toldMs - startedMs) / 1_000)} s: ${clients.reduce((sum, { done }) => sum + done, 0)} acknowledged`,
      );
    }
    nemesis.stop();
    await striking;
    await nemesis.heal();
    for (const server of world.servers) await server.untilReady();
  } finally {
    nemesis.stop();
    world.isOver = true;
  }
  await Promise.race([Promise.all(working), lateAfter('the clients end', CLIENTS_END_WITHIN_MS)]);
}

async function lateAfter(what: string, ms: number): Promise<never> {
  await pause(ms);
  throw new Error(`${what}: not within ${ms} ms`);
}

/**
 * Until everything that was paid is credited: by the house's own jobs, its users' questions, and an operator who has events tried
 * again that would wait for their next time by themselves (a minute after the sixth failure). What is due must be done unasked.
 */
async function settle(world: World, waitsForSweeps: boolean): Promise<void> {
  const { postgres, stripe } = world;
  const paid = new Set((await stripe.paid()).map(({ session }) => session));
  const uncredited = async (): Promise<string[]> => {
    const rows = await postgres.execute(
      `select sid, provider_order_ref as session from payment where state <> 'credited'`,
    );
    return rows.filter(({ session }) => paid.has(String(session))).map(({ sid }) => String(sid));
  };
  const waitingEvents = async (which: string): Promise<readonly Record<string, unknown>[]> =>
    await postgres.execute(`select sid, event_type, state, reason, attempts, next_attempt_at - now() as due_in
      from inbox where next_attempt_at is not null and ${which} order by next_attempt_at limit 20`);
  for (const sid of await uncredited()) await operator(world, `/v1/payments/${sid}/check`, {});
  let left: readonly unknown[] = [];
  const isQuiet = async (whichEvents: string): Promise<true | null> => {
    left = [...(await uncredited()), ...(waitsForSweeps ? await waitingEvents(whichEvents) : [])];
    return left.length === 0 ? true : null;
  };
  try {
    const bound = { withinMs: SETTLED_WITHIN_MS, everyMs: 250 };
    await until('all payments are credited and no event is overdue', () => isQuiet('next_attempt_at < now()'), bound);
    if (!waitsForSweeps) return;
    for (const { sid } of await waitingEvents('true')) {
      await operator(world, `/v1/webhook-events/${String(sid)}/replay`, {});
    }
    await until('no event waits', () => isQuiet('true'), bound);
  } catch (error) {
    throw new Error(`${String(error)}; left: ${JSON.stringify(left)}`, { cause: error });
  }
}

/** The product's own judgement, beside ours. */
async function checkLedger(postgres: OwnPostgres): Promise<string[]> {
  const check = startProduct(['ledger', 'check'], { DATABASE_URL: postgres.urlOf('postgres') });
  const code = await check.ended;
  return code === 0 && check.output().includes('The ledger is sound')
    ? []
    : [`ledger check: ${code}\n${check.output()}`];
}

function loggedBy(servers: readonly Server[]): Map<string, number> {
  const all = new Map<string, number>();
  for (const [message, count] of servers.flatMap((server) => [...server.logged()])) {
    all.set(message, (all.get(message) ?? 0) + count);
  }
  return new Map([...all].toSorted(([, one], [, other]) => other - one));
}

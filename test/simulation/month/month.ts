import { inspect } from 'node:util';
import { billingFreeze } from '../../../src/operations/billing/freeze.ts';
import { execute } from '../../../src/operations/execute.ts';
import { holdCapture } from '../../../src/operations/hold/capture.ts';
import { holdReserve } from '../../../src/operations/hold/reserve.ts';
import type { House } from '../../../src/operations/house.ts';
import { nodeRegister } from '../../../src/operations/node/register.ts';
import type { Actor, Operation } from '../../../src/operations/operation.ts';
import { paymentCreate } from '../../../src/operations/payment/create.ts';
import { priceCreate } from '../../../src/operations/price/create.ts';
import { watchStandings } from '../../../src/operations/standing/watch.ts';
import { foldAll } from '../../../src/operations/usage/fold-all.ts';
import { receiveWebhook } from '../../../src/operations/webhook-event/receive.ts';
import { TICKS } from '../../../src/jobs/ticks.ts';
import type { Tick } from '../../../src/operations/tick.ts';
import type { Ports } from '../../../src/ports/ports.ts';
import type { Db } from '../../../src/store/db.ts';
import { ensureSystemAccount } from '../../../src/store/ledger.ts';
import { readNode } from '../../../src/store/node.ts';
import { PaperBank } from '../../support/paper-bank.ts';
import { openWallets, post, posting } from '../../support/ledger.ts';
import { OPERATOR } from '../../support/payment-story.ts';
import { Chance } from '../random.ts';
import type { PriceSet } from './bill.ts';
import { MonthNode, type MonthTally } from './nodes.ts';
import { Processes, type Hour } from './processes.ts';
import { DAY_MS, HOUR_MS, linesOf, residentOf, type Resident } from './residents.ts';

export interface MonthOptions {
  /** The owner's address of a migrated database of its own. */
  readonly url: string;
  readonly seed: number;
  readonly users: number;
  readonly nodes: number;
  readonly days: number;
  readonly recordsPerNodeHour: number;
  /** A node keeps what was used for so long. */
  readonly reportEveryHours: number;
  /** What runs nightly reads the whole ledger: each night, or only some. */
  readonly nightsApart: number;
}

/** A month as it was lived: what was told, and what went wrong by itself. */
export interface Month {
  readonly residents: readonly Resident[];
  readonly nodes: readonly MonthNode[];
  readonly prices: readonly PriceSet[];
  readonly tally: MonthTally;
  readonly hours: Readonly<Record<Hour, number>>;
  readonly breaks: readonly string[];
}

/** What fits into a test: some seconds. */
export const SHORT_MONTH: Omit<MonthOptions, 'url'> = {
  seed: 1,
  users: 1_000,
  nodes: 20,
  days: 31,
  recordsPerNodeHour: 2,
  reportEveryHours: 6,
  nightsApart: 7,
};

/** The same with a report of every node in every hour, and every night lived. */
export const FULL_MONTH: Omit<MonthOptions, 'url'> = {
  ...SHORT_MONTH,
  recordsPerNodeHour: 5,
  reportEveryHours: 1,
  nightsApart: 1,
};
/** In the month lies the hour that Europe has twice. */
const START_MS = Date.UTC(2026, 9, 1);
const HOURS_TO_DRAIN_MAX = 50;
const MOVE_IN_AT_ONCE = 10;
/** Ticks come as often as in production, but no more than every few hours: nothing waits for them in between. */
const TICK_EVERY_MS = 6 * HOUR_MS;

/** Prices from the documents, then what an operator sets during the month, each an hour before it counts. */
const PRICES: readonly PriceSet[] = [
  { category: 'hero_os_hourly', resource: null, amount: '0.10', marginPercent: '10', fromMs: 0 },
  { category: 'llm', resource: null, amount: null, marginPercent: '10', fromMs: 0 },
  { category: 'storage', resource: null, amount: '0.000000123457', marginPercent: '0', fromMs: START_MS },
  {
    category: 'hero_os_hourly',
    resource: 'large',
    amount: '0.3137',
    marginPercent: '10',
    fromMs: START_MS + 8 * DAY_MS,
  },
  {
    category: 'hero_os_hourly',
    resource: null,
    amount: '0.12',
    marginPercent: '12.5',
    fromMs: START_MS + 14.7 * DAY_MS,
  },
  { category: 'llm', resource: null, amount: null, marginPercent: '15', fromMs: START_MS + 20 * DAY_MS },
];

/** Lives a month from its first user to the last answer. */
export async function liveMonth(options: MonthOptions): Promise<Month> {
  const life = new Life(options);
  try {
    return await life.live();
  } finally {
    await life.close();
  }
}

class Life {
  readonly #options: MonthOptions;
  readonly #chance: Chance;
  readonly #weather: Chance;
  readonly #bank = new PaperBank();
  readonly #processes: Processes;
  readonly #breaks: string[] = [];
  readonly #tally: MonthTally = { calls: 0, sent: 0, repeated: 0, fromTheFuture: 0, failedCalls: 0, lostAnswers: 0 };
  readonly #dueMs = new Map<Tick, number>();
  #nowMs = START_MS - HOUR_MS;
  #residents: Resident[] = [];
  #nodes: MonthNode[] = [];
  #awayUntilMs = 0;
  #calls = 0;

  constructor(options: MonthOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed, 'people');
    this.#weather = new Chance(options.seed, 'weather');
    const chance = new Chance(options.seed, 'crashes');
    this.#processes = new Processes({ url: options.url, bank: this.#bank, chance, now: () => this.#nowMs });
  }

  close(): Promise<void> {
    return this.#processes.close();
  }

  async live(): Promise<Month> {
    await this.#setPrices();
    await this.#moveIn();
    // Everybody is seen while they have what they begin with.
    await watchStandings(this.#processes.house(0));
    for (let hour = 1; hour <= this.#options.days * 24; hour += 1) {
      this.#nowMs = START_MS + hour * HOUR_MS;
      await this.#setPrices();
      for (const node of this.#nodes) node.use(this.#nowMs);
      if (hour % 24 === 12) await this.#liveDay(Math.floor(hour / 24));
      if (hour % this.#options.reportEveryHours !== 0) continue;
      await this.#processes.begin(this.#drawHour());
      await this.#report();
      await this.#tick();
      await this.#processes.end();
    }
    await this.#drain();
    await foldAll(this.#processes.house(0));
    for (const { lines } of this.#processes.logs)
      for (const { level, message, facts } of lines)
        if (level === 'error' && !isOfACrash(facts))
          this.#break('nothing is logged as an error', `${message} ${inspect(facts)}`);
    return {
      residents: this.#residents,
      nodes: this.#nodes,
      prices: PRICES,
      tally: this.#tally,
      hours: this.#processes.counts,
      breaks: this.#breaks,
    };
  }

  #break(promise: string, detail: string): void {
    this.#breaks.push(`${promise}: ${detail}`);
  }

  async #setPrices(): Promise<void> {
    for (const { category, resource, amount, marginPercent, fromMs } of PRICES) {
      const inMs = fromMs - this.#nowMs;
      if (inMs < HOUR_MS || inMs >= 2 * HOUR_MS) continue;
      await this.#ask(priceCreate, {
        category,
        ...(resource === null ? {} : { resource_kind: resource }),
        ...KIND[category],
        ...(amount === null ? {} : { amount }),
        margin_percent: marginPercent,
        active_from: new Date(fromMs).toISOString(),
      });
    }
  }

  async #moveIn(): Promise<void> {
    const { users, nodes, recordsPerNodeHour, seed } = this.#options;
    const { db, ports } = this.#processes.house(0);
    const wallets = await Promise.all(
      Array.from({ length: MOVE_IN_AT_ONCE }, () => openWallets(db, ports, users / MOVE_IN_AT_ONCE)),
    );
    this.#residents = wallets.flat().map((wallet, number) => residentOf(number, wallet, START_MS));
    await fundAll(db, ports, this.#residents);
    const lines = linesOf(this.#residents, nodes);
    for (const [number, own] of lines.entries()) {
      const isBound = number === 0;
      const registered = await this.#ask(nodeRegister, {
        name: `node-${number}`,
        hour_max: '100000',
        ...(isBound ? { user_sids: [...new Set(own.map(({ resident }) => resident.userSid))] } : {}),
      });
      const row = await readNode(this.#processes.house(0).db, String(registered['sid']));
      if (!row) throw new Error('a registered node is there');
      this.#nodes.push(
        new MonthNode({
          row,
          number,
          seed,
          lines: own,
          recordsPerHour: recordsPerNodeHour,
          startMs: START_MS,
          tally: this.#tally,
          stranger: isBound ? (lines[1]?.[0]?.resident.userSid ?? null) : null,
          onBreak: (promise, detail) => this.#break(promise, detail),
        }),
      );
    }
  }

  /** Noon: some pay, some have money set aside, somebody is frozen. */
  async #liveDay(day: number): Promise<void> {
    const { users } = this.#options;
    const some = (count: number): Resident[] =>
      Array.from({ length: count }, () => this.#residents[this.#chance.below(users)]).filter(isRich);
    for (const resident of some(10)) await this.#payIn(resident);
    for (const resident of some(6)) await this.#setAside(resident);
    const [frozen] = some(3);
    if (!frozen || day % 3 !== 0) return;
    await this.#ask(billingFreeze, { sid: frozen.walletSid, is_frozen: true, reason: 'a look' });
    frozen.isFrozen = true;
  }

  /** By the provider; every third webhook is lost, and the poller or the reconciler has to find the money. */
  async #payIn(resident: Resident): Promise<void> {
    const dollars = this.#chance.between(5, 50);
    const actor: Actor = { kind: 'user', id: `user:${resident.userSid}`, userSid: resident.userSid };
    const asked = { provider: this.#bank.name, amount: `${dollars}.00` };
    const payment = await this.#ask(paymentCreate, asked, { actor });
    const order = this.#bank.pay(String(payment['sid']));
    resident.paidIn += BigInt(dollars) * 1_000_000n;
    if (this.#chance.is(0.3)) return;
    await receiveWebhook(
      this.#processes.house(0),
      this.#bank.name,
      this.#bank.webhook('checkout.session.completed', order),
    );
  }

  /** Half of it is captured; the rest is forgotten, and the tick gives it back. */
  async #setAside(resident: Resident): Promise<void> {
    const input = { wallet_sid: resident.walletSid, amount: '2.00', description: 'a long call' };
    const reply = await this.#reply(holdReserve, input);
    // A frozen wallet sets nothing aside.
    if (reply.status !== 201) return;
    const { sid } = JSON.parse(reply.body) as { readonly sid: string };
    if (this.#chance.is(0.5)) return;
    const taken = this.#chance.between(1, 2_000_000);
    await this.#ask(holdCapture, { sid, amount: `${Math.floor(taken / 1e6)}.${String(taken % 1e6).padStart(6, '0')}` });
    resident.captured += BigInt(taken);
  }

  #drawHour(): Hour {
    if (this.#nowMs < this.#awayUntilMs) return 'away';
    const hour = this.#weather.weighted<Hour>([
      ['fine', 78],
      ['crash', 10],
      ['lost_commit', 5],
      ['lost_answer', 5],
      ['away', 2],
    ]);
    if (hour === 'away') this.#awayUntilMs = this.#nowMs + this.#weather.between(1, 12) * HOUR_MS;
    return hour;
  }

  async #report(options: { readonly isLast?: boolean } = {}): Promise<void> {
    await Promise.all(
      this.#nodes.map((node, number) => node.report(this.#processes.house(number), this.#nowMs, options)),
    );
  }

  /** In the weather of the hour, as in production: what fails comes again. */
  async #tick(): Promise<void> {
    for (const tick of TICKS) {
      // The verdict adds up what nodes have spent in all hours of the month.
      if (tick.name === 'budgets.prune') continue;
      if (this.#nowMs < (this.#dueMs.get(tick) ?? 0)) continue;
      const waitMs = tick.waitMs(new Date(this.#nowMs));
      const skippedMs = waitMs > HOUR_MS ? (this.#options.nightsApart - 1) * DAY_MS : 0;
      this.#dueMs.set(tick, this.#nowMs + Math.max(TICK_EVERY_MS, waitMs) + skippedMs);
      try {
        await tick.run(this.#processes.house(this.#nowMs / HOUR_MS));
      } catch {
        this.#dueMs.delete(tick);
      }
    }
  }

  /** The weather is over: everybody comes back and sends what is left, and the house finds what it has missed. */
  async #drain(): Promise<void> {
    for (let hours = 0; this.#nodes.some(({ waiting }) => waiting > 0); hours += 1) {
      if (hours > HOURS_TO_DRAIN_MAX) {
        this.#break('everything is taken in the end', `${this.#nodes.map(({ waiting }) => waiting).join()} wait`);
        return;
      }
      this.#nowMs += HOUR_MS;
      await this.#report({ isLast: true });
    }
    // Nothing has been used for a day, by the clock of any process.
    this.#nowMs += DAY_MS + HOUR_MS;
    this.#dueMs.clear();
    await this.#tick();
  }

  async #ask(
    operation: Operation,
    input: unknown,
    how: { readonly house?: House; readonly actor?: Actor } = {},
  ): Promise<Record<string, unknown>> {
    const reply = await this.#reply(operation, input, how);
    if (reply.status >= 300) throw new Error(`${operation.name} answered ${reply.status}: ${reply.body}`);
    return JSON.parse(reply.body) as Record<string, unknown>;
  }

  #reply(operation: Operation, input: unknown, how: { readonly house?: House; readonly actor?: Actor } = {}) {
    const house = how.house ?? this.#processes.house(0);
    return execute(house, operation, {
      actor: how.actor ?? OPERATOR,
      input,
      idempotencyKey: operation.idempotency === 'none' ? null : `month-${(this.#calls += 1)}`,
      requestId: house.ports.ids.requestId(),
    });
  }
}

/** What everybody begins with, in one commit. */
async function fundAll(db: Db, ports: Ports, residents: readonly Resident[]): Promise<void> {
  await db.transaction('month.fund', async (tx) => {
    const contra = await ensureSystemAccount(tx, 'equity:adjustment', 'USD');
    const about = { contra, kind: 'adjustment' } as const;
    const records = residents.map(({ number, wallet, paidIn: amount }) =>
      posting({ ...about, wallet: { id: wallet }, amount, key: `fund:${number}` }),
    );
    await post(tx, ports, records);
  });
}

const KIND: Readonly<Record<string, { readonly kind: string; readonly unit: string }>> = {
  hero_os_hourly: { kind: 'per_hour', unit: 'hour' },
  llm: { kind: 'cost_plus', unit: 'call' },
  storage: { kind: 'per_unit', unit: 'gib_hour' },
};

const isRich = (resident: Resident | undefined): resident is Resident => resident !== undefined && !resident.isPoor;
const isOfACrash = ({ error }: { readonly error?: unknown }): boolean =>
  error instanceof Error && error.name === 'Crash';

import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { pollDisputes } from '../../src/operations/dispute/poll.ts';
import { sendAllBack } from '../../src/operations/movement/send-back.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import type { AccountReport } from '../../src/operations/reconciliation/unexplained.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { lookAtRefunds } from '../../src/operations/refund/look.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { sweepWebhooks } from '../../src/operations/webhook-event/sweep.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { systemClock as REAL_CLOCK } from '../../src/ports/system.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { clearingBalance } from '../../src/store/statement-read.ts';
import { ProviderFailure } from '../../src/providers/provider.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, userActor } from '../support/payment-story.ts';
import { Crash, seededRandom, testPorts, type TestPorts } from '../support/ports.ts';
import { briskClock } from '../support/brisk-clock.ts';
import { btcpayTill } from './btcpay-till.ts';
import { clickPesaTill } from './clickpesa-till.ts';
import { Dice } from './dice.ts';
import { PostOffice } from './post-office.ts';
import { stripeTill } from './stripe-till.ts';
import type { Letter, Till } from './till.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const STEP_MS = 15 * MINUTE_MS;
const STEPS = (7 * 24 * HOUR_MS) / STEP_MS;
/** Banks, chains and telephone companies take their time, but no more. */
const TWO_DAYS = (48 * HOUR_MS) / STEP_MS;
const HEALING_HOURS = 8 * 24;
const WALLETS = 40;

export interface WeekOptions {
  readonly payments: number;
  readonly kills: number;
  readonly seed: number;
}

export interface WeekReport {
  readonly payments: number;
  readonly kills: number;
  readonly post: PostOffice['counts'];
  readonly outageHours: Readonly<Record<string, number>>;
  readonly reports: readonly AccountReport[];
  /** What the house has credited and not lost again, beside what the providers' own books have left In micro-dollars, by provider. */
  readonly sums: readonly Sum[];
  /** Payments whose wallet has another amount than the provider's books. */
  readonly wrong: readonly string[];
  /** What the providers hold by their own books, and by our clearing accounts. */
  readonly held: readonly Sum[];
  readonly broken: readonly string[];
}

type ProcessPorts = Ports & Pick<TestPorts, 'crash' | 'log'>;

/** A payment that the house has opened and its customer has not visited yet. */
interface Visit {
  readonly at: number;
  readonly till: Till;
  readonly orderRef: string;
}

interface Sum {
  readonly provider: string;
  readonly ours: bigint;
  readonly theirs: bigint;
}

/** One week in which everything goes wrong that can, and the days in which the house heals. */
export class Week {
  readonly #options: WeekOptions;
  readonly #dice: Dice;
  readonly #world: TestPorts;
  readonly #database: TestDatabase;
  readonly #post: PostOffice;
  readonly #tills: readonly Till[];
  readonly #actors: readonly Actor[];
  readonly #downUntil = new Map<string, number>();
  readonly #outageMs = new Map<string, number>();
  #processes = 0;
  #house: House;
  #ports: ProcessPorts;
  #visits: Visit[] = [];
  readonly #troubles: Visit[] = [];
  /** Their money goes back by itself; what is given back besides would be more than was paid, which is an operator's to decide. */
  readonly #troubled = new Set<string>();
  #opened = 0;
  #kills = 0;

  private constructor(options: WeekOptions, world: TestPorts, database: TestDatabase, actors: readonly Actor[]) {
    this.#options = options;
    this.#world = world;
    this.#database = database;
    this.#actors = actors;
    this.#dice = new Dice(seededRandom(options.seed * 7 + 1));
    this.#post = new PostOffice(this.#dice, () => world.clock.now());
    const post = (letter: Letter): void => this.#post.post(letter);
    this.#tills = [stripeTill(world, post), clickPesaTill(world, post), btcpayTill(world, post)];
    [this.#house, this.#ports] = this.#begin();
  }

  static async live(options: WeekOptions): Promise<WeekReport> {
    const world = testPorts({ seed: options.seed });
    const database = await testDatabase();
    const wallets = await openWallets(database.owner, world, WALLETS);
    const week = new Week(options, world, database, wallets.map(userActor));
    try {
      await week.#worst();
      await week.#heal();
      return await week.#report();
    } finally {
      await week.#end();
    }
  }

  /** A process of the house: its own ids, crash points and pool; the wires and the clock are the world's. */
  #begin(): [House, ProcessPorts] {
    const own = testPorts({ seed: this.#options.seed * 1_000 + (this.#processes += 1), now: this.#world.clock.now() });
    const ports: ProcessPorts = {
      ...own,
      clock: briskClock(this.#world.clock),
      http: { fetch: (input, init) => this.#wire(input, init) },
    };
    const db = this.#database.open({ ports: { ...ports, clock: REAL_CLOCK }, poolMax: 4 });
    const providers = this.#tills.map((till) => till.open(ports));
    return [
      testHouse({ db, ports, providers, settings: { openPaymentsMax: 1_000_000, refundSpent: 'allow_negative' } }),
      ports,
    ];
  }

  /** Nothing, an error after the effect, or the provider's answer. */
  async #wire(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const url = input instanceof Request ? input.url : String(input);
    const till = this.#tills.find(({ origin }) => url.startsWith(origin));
    if (!till) throw new TypeError(`nobody is at ${url}`);
    if (this.#isDown(till)) throw new TypeError('fetch failed');
    const answer = await till.api(input, init);
    if (this.#isOver || !this.#dice.is(0.02)) return answer;
    if (this.#dice.is(0.5)) throw new TypeError('fetch failed');
    return new Response('{"error":"weather"}', { status: 500, headers: { 'content-type': 'application/json' } });
  }

  #isOver = false;

  #isDown = (till: Till): boolean => (this.#downUntil.get(till.name) ?? 0) > this.#world.clock.now().getTime();

  async #worst(): Promise<void> {
    const { payments, kills } = this.#options;
    const killSteps = new Set(Array.from({ length: kills }, (_, index) => Math.floor(((index + 0.5) * STEPS) / kills)));
    for (let step = 0; step < STEPS; step += 1) {
      this.#weather();
      const due = Math.round(((step + 1) * payments) / STEPS) - this.#opened;
      // It dies at some point of what it does in this step.
      if (killSteps.has(step)) this.#ports.crash.dieAfter(this.#dice.between(0, 60));
      for (let number = 0; number < due; number += 1) await this.#alive(() => this.#open());
      this.#customers();
      if (step % TWO_DAYS === TWO_DAYS - 1) for (const till of this.#tills) till.end(this.#dice);
      await this.#deliver();
      if (this.#dice.is(0.15)) await this.#alive(() => this.#giveBack());
      await this.#alive(() => this.#tick(step));
      if (killSteps.has(step)) await this.#kill();
      await this.#world.clock.advance(STEP_MS);
    }
  }

  /** Once in a while a provider is away for hours. */
  #weather(): void {
    for (const till of this.#tills) {
      if (this.#isDown(till) || !this.#dice.is(0.008)) continue;
      const forMs = this.#dice.between(HOUR_MS, 9 * HOUR_MS);
      this.#downUntil.set(till.name, this.#world.clock.now().getTime() + forMs);
      this.#outageMs.set(till.name, (this.#outageMs.get(till.name) ?? 0) + forMs);
    }
  }

  /** What one process does; when it dies in it, another one is there. */
  async #alive(deed: () => Promise<unknown>): Promise<void> {
    try {
      await deed();
    } catch (error) {
      if (error instanceof Crash || this.#isDying) await this.#kill();
      else if (!(error instanceof ProviderFailure)) throw error;
    }
  }

  get #isDying(): boolean {
    return this.#ports.log.lines.some(({ facts }) => facts['error'] instanceof Crash);
  }

  async #kill(): Promise<void> {
    const dead = this.#house;
    this.#kills += 1;
    [this.#house, this.#ports] = this.#begin();
    // What the dead one held is let go with its connections; it may wait for ever for what it had begun.
    void dead.lanes.close();
    void dead.db.close();
  }

  async #run(operation: Operation, actor: Actor, input: object): Promise<{ status: number; body: string }> {
    const { ids } = this.#ports;
    const request = { actor, input, idempotencyKey: `week-${ids.sid()}`, requestId: ids.requestId() };
    return await execute(this.#house, operation, request);
  }

  async #open(): Promise<void> {
    this.#opened += 1;
    const till = this.#dice.one(this.#tills);
    const amount = `${this.#dice.between(5, 200)}.00`;
    const reply = await this.#run(paymentCreate, this.#dice.one(this.#actors), { provider: till.name, amount });
    if (reply.status !== 201) return;
    const { sid } = JSON.parse(reply.body) as { sid: string };
    const orderRef = await this.#orderOf(sid);
    if (orderRef === null) return;
    const now = this.#world.clock.now().getTime();
    this.#visits.push({ at: now + this.#dice.between(0, 90 * MINUTE_MS), till, orderRef });
    if (!this.#dice.is(0.15)) return;
    this.#troubles.push({ at: now + this.#dice.between(3 * HOUR_MS, 3 * 24 * HOUR_MS), till, orderRef });
    this.#troubled.add(orderRef);
  }

  async #orderOf(sid: string): Promise<string | null> {
    const rows = await this.#database.owner.query<{ ref: string | null }>(
      { name: 'week.order_of', text: 'select provider_order_ref as ref from payment where sid = $1' },
      [sid],
    );
    return rows[0]?.ref ?? null;
  }

  #customers(): void {
    const now = this.#world.clock.now().getTime();
    const due = this.#visits.filter(({ at }) => at <= now);
    this.#visits = this.#visits.filter(({ at }) => at > now);
    for (const { till, orderRef } of due) till.visit(orderRef, this.#dice);
    for (const trouble of this.#troubles.splice(0)) {
      if (trouble.at > now) this.#troubles.push(trouble);
      else trouble.till.trouble(trouble.orderRef, this.#dice);
    }
  }

  async #deliver(): Promise<void> {
    for (const letter of this.#post.arriving()) {
      const till = this.#tills.find(({ name }) => name === letter.provider);
      if (!till) continue;
      const stamped = till.stamp(letter, this.#world.clock.now());
      const headers = new Map(Object.entries(stamped.headers).map(([name, value]) => [name, [value]]));
      const body = new TextEncoder().encode(stamped.body);
      let status = 0;
      await this.#alive(async () => {
        ({ status } = await receiveWebhook(this.#house, letter.provider, { body, headers }));
      });
      if (status !== 200) this.#post.again(letter);
    }
  }

  /** An operator gives some of a credited payment back. */
  async #giveBack(): Promise<void> {
    const credited = await this.#database.owner.query<{ sid: string; ref: string; credited: bigint; provider: string }>(
      {
        name: 'week.credited',
        text: `select sid, provider_order_ref as ref, credited, provider from payment where state = 'credited' order by sid`,
      },
      [],
    );
    const rows = credited.filter(({ ref }) => !this.#troubled.has(ref));
    if (rows.length === 0) return;
    const { sid, credited: whole, provider } = this.#dice.one(rows);
    const cents = this.#dice.is(0.5) ? whole / 10_000n : BigInt(this.#dice.between(1, Number(whole / 10_000n)));
    const amount = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
    const destination = provider === 'clickpesa' ? { destination: '255712000001' } : {};
    await this.#run(refundCreate, OPERATOR, { payment_sid: sid, amount, reason: 'the week', ...destination });
  }

  async #tick(step: number): Promise<void> {
    const house = this.#house;
    await sweepWebhooks(house, 0);
    await pollPayments(house);
    await lookAtRefunds(house);
    if (step % 4 === 0) await pollDisputes(house);
    if (step % 8 === 0) await reconcilePayments(house);
    if (step % 40 === 0) await reconcileAll(house);
    await sendAllBack(house);
  }

  /** The weather ends, everything that was begun at the providers ends, and the house goes on as always. */
  async #heal(): Promise<void> {
    this.#isOver = true;
    this.#downUntil.clear();
    this.#ports.crash.dieAfter(null);
    // Whoever is on the way to a page comes as soon as in the week: an hour more, and coins are too late for their rate.
    for (let step = 0; this.#visits.length > 0; step += 1) {
      this.#customers();
      await this.#tick(step);
      await this.#world.clock.advance(STEP_MS);
    }
    for (let hour = 0; hour < HEALING_HOURS; hour += 1) {
      this.#customers();
      if (hour % 24 === 0) for (const till of this.#tills) till.end(this.#dice);
      await this.#deliver();
      // By the clock of the worst week, which counts quarters of an hour.
      await this.#tick(hour * 4);
      await this.#world.clock.advance(HOUR_MS);
    }
    await reconcileAll(this.#house);
  }

  async #report(): Promise<WeekReport> {
    const { reports } = await reconcileAll(this.#house);
    const { sums, wrong, held } = await this.#compare();
    const broken = await this.#broken();
    return {
      payments: this.#opened,
      kills: this.#kills,
      post: this.#post.counts,
      outageHours: Object.fromEntries([...this.#outageMs].map(([name, ms]) => [name, Math.round(ms / HOUR_MS)])),
      reports,
      sums,
      wrong,
      held,
      broken,
    };
  }

  /** Our books beside theirs, payment by payment and account by account. */
  async #compare(): Promise<Pick<WeekReport, 'sums' | 'wrong' | 'held'>> {
    const ours = await this.#database.owner.query<{ provider: string; ref: string; left: bigint; paid_out: bigint }>(
      {
        name: 'week.left',
        text: `select payment.provider, provider_order_ref as ref,
                      coalesce(sum(event.amount) filter (where event.kind in ('top_up', 'reversal', 'dispute_lost')
                        or (event.kind in ('refund', 'refund_returned') and payment.provider = 'stripe')), 0)::int8 as left,
                      coalesce(sum(event.amount) filter (where event.kind in ('refund', 'refund_returned')
                        and payment.provider <> 'stripe'), 0)::int8 as paid_out
               from payment left join payment_event as event on event.payment_sid = payment.sid
               where provider_order_ref is not null group by payment.sid`,
      },
      [],
    );
    const wrong: string[] = [];
    const sums: Sum[] = [];
    const held: Sum[] = [];
    for (const till of this.#tills) {
      const { balanceMicros, leftMicros, paidOutMicros } = till.books();
      const theirs = new Map<string, bigint>();
      for (const [ref, micros] of leftMicros) theirs.set(till.keyOf(ref), (theirs.get(till.keyOf(ref)) ?? 0n) + micros);
      const mine = ours.filter(({ provider }) => provider === till.name);
      for (const { ref, left } of mine) {
        const micros = theirs.get(till.keyOf(ref)) ?? 0n;
        if (left !== micros) wrong.push(`${till.name} ${ref}: ours ${left}, theirs ${micros}`);
        theirs.delete(till.keyOf(ref));
      }
      for (const [key, micros] of theirs)
        if (micros !== 0n) wrong.push(`${till.name} ${key}: ${micros} that we know nothing of`);
      const left = [...leftMicros.values()].reduce((sum, micros) => sum + micros, 0n) - paidOutMicros;
      const total = mine.reduce((sum, { left: one, paid_out: paidOut }) => sum + one + paidOut, 0n);
      sums.push({ provider: till.name, ours: total, theirs: left });
      const clearing = await clearingBalance(this.#database.owner, till.name);
      held.push({ provider: till.name, ours: 0n - clearing, theirs: balanceMicros });
    }
    return { sums, wrong, held };
  }

  /** The promises of the ledger, and that wallets hold what their payments have left: nothing else moved here. */
  async #broken(): Promise<string[]> {
    const { results } = await checkLedger(this.#database.owner);
    const [sum] = await this.#database.owner.query<{ differs: bigint }>(
      {
        name: 'week.wallets',
        text: `select count(*) as differs from (
                 select account / 16 as wallet, sum(amount) as held from entry group by 1) as held
               full join (
                 select wallet, sum(amount) as paid from payment_event
                 where kind in ('top_up', 'refund', 'refund_returned', 'reversal', 'dispute_lost') group by 1) as paid using (wallet)
               where coalesce(held, 0) <> coalesce(paid, 0)`,
      },
      [],
    );
    return [
      ...results.filter(({ rows }) => rows.length > 0).map(({ promise }) => promise),
      ...(sum?.differs === 0n ? [] : [`${sum?.differs} wallets hold another amount than their payments have left`]),
    ];
  }

  async #end(): Promise<void> {
    await this.#house.lanes.close();
    for (const till of this.#tills) await till.close();
    await this.#database.close();
  }
}

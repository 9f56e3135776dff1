import { execute } from '../../src/operations/execute.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { findOperation } from './operations.ts';
import type { Weather } from './faults.ts';
import { History, isFinalAnswer, type Intent } from './history.ts';
import { Chance } from './random.ts';
import { outside, type Scheduler } from './scheduler.ts';
import type { World } from './world.ts';

export interface Person {
  readonly userSid: string;
  readonly walletSid: string;
}

export interface PeopleOptions {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly world: World;
  readonly people: readonly Person[];
  /** Operations that a shrunk replay leaves out. */
  readonly skipped: ReadonlySet<number>;
  readonly mark: (name: string) => void;
}

const OPERATOR: Actor = { kind: 'operator', id: 'admin:current' };
const OTHER_OPERATOR: Actor = { kind: 'operator', id: 'admin:previous' };
const ATTEMPTS_MAX = 8;
const PATIENCE_MS = 30_000;

type Deed = (chance: Chance, person: Person) => Promise<void>;

/** Everybody who uses the house, clumsily: they repeat, give up, press twice, and pay late. */
export class People {
  readonly history = new History();
  /** Operations that were begun. */
  begun = 0;
  readonly #options: PeopleOptions;
  readonly #life = outside('people');
  readonly #holds = new Map<string, string[]>();
  readonly #payments = new Map<string, string[]>();
  #running = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  get isQuiet(): boolean {
    return this.#running === 0;
  }

  /** Begins `count` operations, one after another in virtual time; they overlap as they may. */
  async live(count: number): Promise<void> {
    const { seed, scheduler, people, skipped, weather } = this.#options;
    const pace = paceOf(seed);
    for (let number = 0; number < count; number += 1) {
      // A stream for each operation: leaving one out does not change the others.
      const chance = new Chance(seed, `deed/${number}`);
      await scheduler.park(this.#life, chance.below(2 * pace), 'people');
      const person = chance.pick(people);
      const deed = chance.weighted(this.#deeds);
      if (skipped.has(number)) continue;
      this.begun += 1;
      void this.#track(deed(chance, person));
      if (weather.strikes('operator_double_click')) void this.#track(deed(new Chance(seed, `deed/${number}`), person));
    }
  }

  async #track(deed: Promise<void>): Promise<void> {
    this.#running += 1;
    try {
      await deed;
    } finally {
      this.#running -= 1;
    }
  }

  readonly #deeds: readonly (readonly [Deed, number])[] = [
    [(chance, person) => this.#topUp(chance, person), 4],
    [(chance, person) => this.#debit(chance, person), 7],
    [(chance, person) => this.#reserve(chance, person), 3],
    [(chance, person) => this.#closeHold(chance, person), 3],
    [(chance, person) => this.#adjust(chance, person), 2],
    [(chance, person) => this.#freeze(chance, person), 0.2],
    [(chance, person) => this.#read(chance, person), 12],
    [(chance, person) => this.#checkPayment(chance, person), 2],
  ];

  async #debit(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    await this.#call('billing.debit', { sid, amount: amountOf(chance), description: 'deed' }, OPERATOR, {
      person,
      chance,
    });
  }

  async #adjust(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    const balance = chance.weighted([
      [chance.below(20_000), 6],
      [-chance.below(500), 1],
      [0, 1],
    ]);
    const operation = chance.is(0.7) ? 'billing.adjust' : 'billing.set-credit-balance';
    const input = { sid, balance_cents: balance, reason: 'deed' };
    const { weather } = this.#options;
    const own = this.#call(operation, input, OPERATOR, { person, chance });
    if (weather.strikes('two_operators')) {
      const other = { ...input, balance_cents: balance + 1 };
      await this.#call(operation, other, OTHER_OPERATOR, { person, chance });
      this.#options.mark('two operators adjust one wallet at once');
    }
    await own;
  }

  async #freeze(chance: Chance, person: Person): Promise<void> {
    const { scheduler } = this.#options;
    const input = { sid: person.walletSid, reason: 'deed' };
    const about = { person, chance, key: null };
    await this.#call('billing.freeze', { ...input, is_frozen: true }, OPERATOR, about);
    await scheduler.park(this.#life, chance.between(100, 60_000), 'frozen');
    await this.#call('billing.freeze', { ...input, is_frozen: false }, OPERATOR, about);
  }

  async #reserve(chance: Chance, person: Person): Promise<void> {
    const expires = chance.weighted([
      [chance.between(1, 30), 1],
      [chance.between(60, 3_600), 3],
    ]);
    const input = {
      wallet_sid: person.walletSid,
      amount: amountOf(chance),
      description: 'deed',
      expires_in_seconds: expires,
    };
    const intent = await this.#call('hold.reserve', input, OPERATOR, { person, chance });
    const sid = sidIn(intent, 201);
    if (sid !== null) push(this.#holds, person.walletSid, sid);
  }

  async #closeHold(chance: Chance, person: Person): Promise<void> {
    const holds = this.#holds.get(person.walletSid) ?? [];
    if (holds.length === 0) return await this.#reserve(chance, person);
    const sid = chance.is(0.8) ? (holds.at(-1) ?? '') : chance.pick(holds);
    if (chance.is(0.7))
      await this.#call('hold.capture', { sid, amount: amountOf(chance) }, OPERATOR, { person, chance });
    else await this.#call('hold.release', { sid }, OPERATOR, { person, chance });
  }

  async #topUp(chance: Chance, person: Person): Promise<void> {
    const input = { provider: 'stripe', amount: `${chance.between(5, 200)}.00` };
    const intent = await this.#call('payment.create', input, userOf(person), { person, chance });
    const sid = sidIn(intent, 201);
    if (sid === null) return;
    push(this.#payments, person.walletSid, sid);
    await this.#pay(chance, sid);
    if (chance.is(0.4)) await this.#check(chance, person, sid);
  }

  /** What the customer does on the provider's page; some never come back, some come back late. */
  async #pay(chance: Chance, paymentSid: string): Promise<void> {
    const { scheduler, weather, world, mark } = this.#options;
    await scheduler.park(this.#life, chance.between(500, 90_000), 'checkout');
    const { sandbox } = world;
    const session = [...sandbox.state.sessions.values()].find((one) => one.clientReferenceId === paymentSid);
    if (!session) return;
    if (weather.strikes('paid_late')) await scheduler.park(this.#life, chance.between(1, 20) * 3_600_000, 'paid late');
    if (weather.strikes('paid_other_amount')) sandbox.turn({ wrong: { amountCents: chance.between(1, 50_000) } });
    else if (weather.strikes('paid_other_currency')) sandbox.turn({ wrong: { currency: 'tzs' } });
    const outcome = chance.weighted([
      ['paid', 8],
      ['declined', 1],
      ['later-succeeds', 2],
      ['later-fails', 1],
      ['abandon', 1],
    ] as const);
    mark(`a customer leaves the checkout: ${outcome}`);
    if (outcome === 'abandon') sandbox.expire(session.id);
    else sandbox.complete(session.id, outcome);
    sandbox.turn({ wrong: {} });
    this.#strangers(session.id);
  }

  /** Deliveries that say what is not so: authentic ones about others, and ones with our event's shape and a wrong signature. */
  #strangers(sessionId: string): void {
    const { weather, world } = this.#options;
    const { sandbox } = world;
    const type = 'checkout.session.completed';
    if (weather.strikes('webhook_forged'))
      sandbox.forge({ type, about: sessionId, secret: 'whsec_of_somebody_else_entirely' });
    if (weather.strikes('webhook_stale')) sandbox.forge({ type, about: sessionId, offsetSeconds: -301 });
    if (weather.strikes('webhook_future')) sandbox.forge({ type, about: sessionId, offsetSeconds: 900 });
    if (weather.strikes('webhook_wrong_mode')) sandbox.forge({ type, about: sessionId, livemode: true });
    if (weather.strikes('webhook_wrong_account')) sandbox.forge({ type, about: sessionId, account: 'acct_other' });
    if (weather.strikes('webhook_wrong_order')) {
      const object = {
        id: 'cs_test_of_nobody',
        object: 'checkout.session',
        payment_status: 'paid',
        status: 'complete',
      };
      sandbox.forge({ type, object: { ...object, client_reference_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' } });
    }
  }

  async #checkPayment(chance: Chance, person: Person): Promise<void> {
    const payments = this.#payments.get(person.walletSid) ?? [];
    if (payments.length === 0) return await this.#read(chance, person);
    await this.#check(chance, person, chance.pick(payments));
  }

  async #check(chance: Chance, person: Person, sid: string): Promise<void> {
    await this.#call('payment.check', { sid }, userOf(person), { person, chance, key: null });
  }

  async #read(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    const limit = chance.pick([1, 2, 7, 50, 200]);
    const actor = chance.is(0.5) ? userOf(person) : OPERATOR;
    const [operation, input] = chance.pick<readonly [string, Record<string, unknown>]>([
      ['billing.get', { sid }],
      ['billing.get', { sid }],
      ['billing.statement', { sid, limit }],
      ['hold.list', { wallet_sid: sid, limit, ...(chance.is(0.5) ? { state: 'open' } : {}) }],
      ['payment.list', { wallet_sid: sid, limit }],
      ['payment-event.list', { wallet_sid: sid, limit }],
      ...(actor === OPERATOR
        ? ([
            ['billing.list', { limit, ...(chance.is(0.5) ? { search: 'Person' } : {}) }],
            ['webhook-event.list', { limit, ...(chance.is(0.5) ? { state: 'quarantined' } : {}) }],
            ['audit.list', { limit, ...(chance.is(0.5) ? { subject: sid } : {}) }],
          ] as const)
        : []),
    ]);
    await this.#call(operation, input, actor, { person, chance, key: null });
  }

  async #call(
    operation: string,
    given: Record<string, unknown>,
    actor: Actor,
    about: { readonly person: Person; readonly chance: Chance; readonly key?: null },
  ): Promise<Intent> {
    const number = this.history.intents.length;
    // The text by which the oracle finds what came of it in the ledger.
    const marked = { ...given };
    for (const field of ['description', 'reason']) if (field in marked) marked[field] = `intent ${number}`;
    const key = about.key === null ? null : `key-${number}`;
    const intent = this.history.add({ operation, input: marked, key, walletSid: about.person.walletSid });
    await this.#insist(intent, actor, about.chance);
    const { weather } = this.#options;
    if (key !== null && weather.strikes('client_duplicate')) await this.#attempt(intent, intent.input, actor);
    if (key !== null && weather.strikes('client_key_reuse')) await this.#reuse(intent, actor);
    return intent;
  }

  /** Repeats with the same key until there is an answer that ends it, or patience does. */
  async #insist(intent: Intent, actor: Actor, chance: Chance): Promise<void> {
    const { scheduler, weather, mark } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      await this.#attempt(intent, intent.input, actor);
      const last = intent.attempts.at(-1);
      if (last && isFinalAnswer(last)) return;
      if (weather.strikes('client_key_forgotten')) return mark('a client gives up without an answer');
      await scheduler.park(this.#life, chance.between(50, 4_000) * (attempt + 1), 'again');
    }
  }

  /** The same key with another body, which must be refused and leave no trace. */
  async #reuse(intent: Intent, actor: Actor): Promise<void> {
    const other = { ...intent.input };
    if ('amount' in other) other['amount'] = '1.23';
    else if ('balance_cents' in other) other['balance_cents'] = 77_777;
    else return;
    const last = intent.attempts.at(-1);
    if (!last || last.status === null || last.status >= 300) return;
    const copy: Intent = { ...intent, attempts: [] };
    await this.#attempt(copy, other, actor);
    const [answer] = copy.attempts;
    if (answer?.status === 422) this.#options.mark('a reused key is refused');
    else if (answer?.status != null && answer.status < 500 && answer.status !== 409 && answer.status !== 429) {
      this.#options.world.errors.push(`key reuse of intent ${intent.number} answered ${answer.status}`);
    }
  }

  async #attempt(intent: Intent, input: object, actor: Actor): Promise<void> {
    const { scheduler, weather, world } = this.#options;
    const chance = new Chance(scheduler.steps, `route/${intent.number}`);
    const process = world.pickProcess(chance);
    await scheduler.park(this.#life, chance.between(1, 40), 'request');
    const attempt = { startStep: scheduler.steps, endStep: null, status: null, body: null, isReplay: false } as {
      startStep: number;
      endStep: number | null;
      status: number | null;
      body: string | null;
      isReplay: boolean;
    };
    intent.attempts.push(attempt);
    if (!process || process.life.isDead) return;
    const over = new AbortController();
    const patienceMs = weather.strikes('client_timeout') ? chance.between(1, 400) : PATIENCE_MS;
    const patience = scheduler.sleep(this.#life, patienceMs, over.signal).then(() => null);
    const reply = await Promise.race([this.#execute(process.house, intent, input, actor), patience]);
    over.abort();
    if (reply === null) return;
    attempt.endStep = scheduler.steps;
    attempt.status = reply.status;
    attempt.body = reply.body;
    attempt.isReplay = reply.replayed;
    scheduler.note(`answer ${intent.number} ${reply.status} ${reply.body.length}`);
  }

  #execute(house: Parameters<typeof execute>[0], intent: Intent, input: object, actor: Actor) {
    return execute(house, findOperation(intent.operation), {
      actor,
      input,
      idempotencyKey: intent.key,
      requestId: house.ports.ids.requestId(),
    });
  }
}

/** Milliseconds between two operations, on average. */
export const paceOf = (seed: number): number =>
  new Chance(seed, 'pace').weighted([
    [20, 3],
    [300, 4],
    [3_000, 2],
    [120_000, 1],
  ]);

const userOf = (person: Person): Actor => ({ kind: 'user', id: `user:${person.userSid}`, userSid: person.userSid });

/** Mostly a few dollars; sometimes fractions of a cent, sometimes more than anybody has. */
function amountOf(chance: Chance): string {
  return chance.weighted([
    [`${chance.between(0, 9)}.${String(chance.between(1, 99)).padStart(2, '0')}`, 8],
    [`0.00${String(chance.between(1, 9_999)).padStart(4, '0')}`, 2],
    [`${chance.between(100, 400)}.00`, 1],
  ]);
}

function sidIn(intent: Intent, status: number): string | null {
  const done = intent.attempts.find((attempt) => attempt.status === status);
  if (!done || done.body === null) return null;
  const answer: unknown = JSON.parse(done.body);
  return typeof answer === 'object' && answer !== null && 'sid' in answer ? String(answer.sid) : null;
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

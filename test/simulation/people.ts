import type { NodeRow } from '../../src/store/node.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { Caller, sidIn, textIn } from './caller.ts';
import { amountOf } from './amounts.ts';
import { Correctors } from './correctors.ts';
import { Customers } from './customers.ts';
import type { Weather } from './faults.ts';
import { ForgeNodes } from './forge-nodes.ts';
import { Holders, type Ask } from './holders.ts';
import { History, type Asker, type Intent } from './history.ts';
import { isKeyed } from './keyed.ts';
import { isMark, type Mark } from './marks.ts';
import { paceOf } from './pace.ts';
import { Chance } from './random.ts';
import { drawReading } from './readings.ts';
import { KeyHolders } from './key-holders.ts';
import { Lessees } from './lessees.ts';
import { mindNumbers } from './numbers.ts';
import { RentingLife } from './renting/renting-life.ts';
import { Reporters } from './reporters.ts';
import { drawTrespass } from './trespass.ts';
import { Visitors } from './visitors.ts';
import type { Identities } from './identities.ts';
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
  readonly nodes: readonly NodeRow[];
  readonly identities: Identities;
  /** Operations that a shrunk replay leaves out. */
  readonly skipped: ReadonlySet<number>;
  /** Weeks of plans and VMs, in the place of everything else that people do. */
  readonly isRenting: boolean;
  readonly mark: (mark: Mark) => void;
}

const OPERATOR: Actor = { kind: 'operator', id: 'admin:current', role: 'admin', userSid: null };
const OTHER_OPERATOR: Actor = { kind: 'operator', id: 'admin:previous', role: 'admin', userSid: null };
const NOBODY: Actor = { kind: 'anonymous', id: 'anonymous' };
/** A user of another house: signed in, and nothing here is theirs. */
const STRANGER: Actor = { kind: 'user', id: 'user:01ARZ3NDEKTSV4RRFFQ69G5FAV', userSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV' };
const PEOPLE_MAX = 60;
/** The world's queues hold 200 records. */
const CROWD_OVER_THE_QUEUE = 230;

type Deed = (chance: Chance, person: Person) => Promise<void>;

/** Everybody who uses the house, clumsily: they repeat, give up, press twice, and pay late. */
export class People {
  readonly history = new History();
  /** Operations that were begun. */
  begun = 0;
  readonly #options: PeopleOptions;
  readonly #life = outside('people');
  readonly #people: Person[];
  readonly #caller: Caller;
  readonly #customers: Customers;
  readonly #holders: Holders;
  readonly #reporters: Reporters;
  readonly #correctors: Correctors;
  readonly #lessees: Lessees;
  readonly #forgeNodes: ForgeNodes;
  readonly #visitors: Visitors;
  readonly #keyHolders: KeyHolders;
  readonly #renting: RentingLife;
  readonly #payments = new Map<string, string[]>();
  #running = 0;

  constructor(options: PeopleOptions) {
    const { scheduler, weather, world, mark, seed } = options;
    this.#options = options;
    this.#people = [...options.people];
    this.#caller = new Caller({ scheduler, weather, world, mark, history: this.history, life: this.#life });
    this.#customers = new Customers({ scheduler, weather, world, mark, life: this.#life });
    const ask: Ask = (...asked) => this.#ask(...asked);
    const { nodes } = options;
    this.#reporters = new Reporters({ scheduler, weather, caller: this.#caller, nodes, people: this.#people, mark });
    this.#holders = new Holders({ scheduler, life: this.#life, ask });
    const both = { scheduler, life: this.#life, caller: this.#caller };
    this.#lessees = new Lessees({ ...both, reporters: this.#reporters, nodes });
    this.#forgeNodes = new ForgeNodes({ caller: this.#caller, ask, reporters: this.#reporters, nodes });
    this.#correctors = new Correctors({ scheduler, life: this.#life, ask, nodes });
    const { identities } = options;
    this.#visitors = new Visitors({ ...both, world, identities, people: this.#people, mark });
    this.#keyHolders = new KeyHolders({ world, caller: this.#caller, identities, visitors: this.#visitors, mark });
    this.#renting = new RentingLife({
      ...both,
      world,
      ask: (operation, input, person, chance, actor) => this.#ask(operation, input, person, chance, actor),
      people: this.#people,
      actorOf: userOf,
    });
    // Some lives are all top-ups, some have none: what is common everywhere hides what is rare.
    const taste = new Chance(seed, 'taste');
    this.#deeds = (options.isRenting ? this.#rentingDeeds() : this.#allDeeds()).map(
      ([deed, weight]) => [deed, weight * taste.pick([0.3, 1, 1, 2])] as const,
    );
  }

  get isQuiet(): boolean {
    return this.#running === 0;
  }

  /** Begins `count` operations, one after another in virtual time; they overlap as they may. */
  async live(count: number): Promise<void> {
    const { seed, scheduler, skipped, weather } = this.#options;
    const pace = paceOf(seed);
    const [anybody] = this.#people;
    const { isRenting } = this.#options;
    if (anybody && isRenting) await this.#renting.moveIn(new Chance(seed, 'first plans'), anybody);
    else if (anybody) void this.#track(this.#correctors.openPrices(new Chance(seed, 'first prices'), anybody));
    for (let number = 0; number < count; number += 1) {
      // A stream for each operation: leaving one out does not change the others.
      const chance = new Chance(seed, `deed/${number}`);
      if (isRenting) await this.#renting.pause(number, chance);
      else await scheduler.park(this.#life, chance.below(2 * pace), 'people');
      const person = chance.pick(this.#people);
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

  readonly #deeds: readonly (readonly [Deed, number])[];

  /** What people do with money stays among it: given and paid are spent side by side. */
  #rentingDeeds(): (readonly [Deed, number])[] {
    return [
      ...this.#renting.deeds(),
      [(chance, person) => this.#topUp(chance, person), 1.5],
      [(chance, person) => this.#debit(chance, person), 2],
      [(chance, person) => this.#rush(chance, person), 0.5],
      [(chance, person) => this.#holders.reserve(chance, person), 1.5],
      [(chance, person) => this.#holders.settleOne(chance, person), 1.5],
      [(chance, person) => this.#adjust(chance, person), 0.5],
      [(chance, person) => this.#read(chance, person), 1],
    ];
  }

  #allDeeds(): (readonly [Deed, number])[] {
    return [
      [(chance, person) => this.#topUp(chance, person), 5],
      [(chance, person) => this.#debit(chance, person), 7],
      [(chance, person) => this.#rush(chance, person), 1],
      [(chance) => this.#debits(chance), 2],
      [(chance) => this.#reporters.report(chance), 4],
      [(chance) => this.#reporters.trueUp(chance), 1],
      [
        (chance, person) =>
          mindNumbers({ ask: (...asked) => this.#ask(...asked), nodes: this.#options.nodes }, chance, person),
        0.5,
      ],
      [(chance, person) => this.#lessees.lease(chance, person), 1.5],
      [(chance, person) => this.#lessees.burst(chance, person), 1],
      [(chance, person) => this.#lessees.late(chance, person), 0.3],
      [(chance, person) => this.#forgeNodes.queue(chance, person), 1.2],
      [(chance, person) => this.#forgeNodes.collect(chance, person), 0.3],
      [(chance, person) => this.#correctors.takeBack(chance, person), 0.6],
      [(chance, person) => this.#correctors.correctMany(chance, person), 0.6],
      [(chance, person) => this.#correctors.reverse(chance, person), 0.05],
      [(chance, person) => this.#correctors.settleUnbilled(chance, person), 0.6],
      [(chance, person) => this.#correctors.setPrice(chance, person), 1.2],
      [(chance, person) => this.#holders.reserve(chance, person), 4],
      [(chance, person) => this.#holders.settleOne(chance, person), 4],
      [(chance, person) => this.#adjust(chance, person), 2.5],
      [(chance, person) => this.#freeze(chance, person), 0.6],
      [(chance, person) => this.#read(chance, person), 9],
      [(chance, person) => this.#readOn(chance, person), 1],
      [(chance, person) => this.#checkPayment(chance, person), 2],
      [(chance, person) => this.#replay(chance, person), 1],
      [(chance, person) => this.#trespass(chance, person), 1.5],
      [(chance) => this.#join(chance), 0.3],
      [(chance) => this.#visitors.enter(chance), 0.8],
      [(chance) => this.#visitors.use(chance), 1.5],
      [(chance) => this.#visitors.proveOrLink(chance), 2.5],
      [(chance) => this.#visitors.leave(chance), 0.7],
      [(chance) => this.#visitors.unlink(chance), 0.5],
      [(chance) => this.#visitors.changeRole(chance, OPERATOR), 0.3],
      [(chance) => this.#keyHolders.make(chance), 0.5],
      [(chance) => this.#keyHolders.use(chance), 1.2],
      [(chance) => this.#keyHolders.rotate(chance), 0.3],
      [(chance) => this.#keyHolders.revoke(chance), 0.3],
    ];
  }

  async #debit(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    await this.#ask('billing.debit', { sid, amount: amountOf(chance), description: 'deed' }, person, chance);
  }

  /** Everything at once on one wallet that holds enough for some of it: where a balance that was looked at early is wrong. */
  async #rush(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    const shown = await this.#ask('billing.get', { sid }, person, chance);
    const cents = Math.floor(Number(textIn(shown, 200, 'credit_balance') ?? '0') * 100);
    const share = Math.max(1, Math.floor((cents * chance.between(40, 95)) / 100));
    const amount = `${Math.floor(share / 100)}.${String(share % 100).padStart(2, '0')}`;
    const moves = Array.from({ length: chance.between(2, 5) }, (_, move) => {
      const own = new Chance(this.history.intents.length, `rush/${move}`);
      if (chance.is(0.25)) return this.#adjust(own, person);
      if (chance.is(0.2)) return this.#holders.reserve(own, person);
      return this.#ask('billing.debit', { sid, amount, description: 'deed' }, person, own);
    });
    await Promise.all(moves);
    await this.#ask('billing.get', { sid }, person, chance);
  }

  /** A program takes at once from many what they have used: small amounts that share commits, and sometimes more than the queue holds. */
  async #debits(chance: Chance): Promise<void> {
    const { scheduler } = this.#options;
    const count = chance.weighted([
      [chance.between(2, 12), 3],
      [chance.between(20, 60), 5],
      [CROWD_OVER_THE_QUEUE, 0.1],
    ]);
    const crowd = `crowd ${scheduler.steps}`;
    const calls = Array.from({ length: count }, (_, index) => {
      const own = new Chance(this.history.intents.length, `report/${index}`);
      const person = own.pick(this.#people);
      const amount = `0.0${String(own.between(1, 99_999)).padStart(5, '0')}`;
      const input = { sid: person.walletSid, amount, description: 'deed' };
      return this.#caller.call({ ...this.#asked('billing.debit', input, person, own, OPERATOR), crowd });
    });
    await Promise.all(calls);
  }

  async #adjust(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    const balance = chance.weighted([
      [chance.below(20_000), 6],
      [chance.below(300), 3],
      [-chance.below(500), 1],
      [0, 1],
    ]);
    const operation = chance.is(0.7) ? 'billing.adjust' : 'billing.set-credit-balance';
    const input = { sid, balance_cents: balance, reason: 'deed' };
    const { weather, mark } = this.#options;
    const own = this.#ask(operation, input, person, chance);
    if (weather.strikes('two_operators')) {
      const other = { ...input, balance_cents: balance + 1 };
      await this.#ask(operation, other, person, chance, OTHER_OPERATOR);
      mark('two operators adjust one wallet at once');
    }
    await own;
  }

  async #freeze(chance: Chance, person: Person): Promise<void> {
    const { scheduler } = this.#options;
    const input = { sid: person.walletSid, reason: 'deed' };
    await this.#ask('billing.freeze', { ...input, is_frozen: true }, person, chance);
    await scheduler.park(this.#life, chance.between(100, 60_000), 'frozen');
    // Somebody tries at once, or the freeze would stop nothing.
    await this.#debit(chance, person);
    await this.#ask('billing.freeze', { ...input, is_frozen: false }, person, chance);
  }

  async #topUp(chance: Chance, person: Person): Promise<void> {
    const amount = chance.is(0.8) ? `${chance.between(5, 200)}.00` : `${chance.between(5, 40)}.99`;
    const intent = await this.#ask('payment.create', { provider: 'stripe', amount }, person, chance, userOf(person));
    const sid = sidIn(intent, 201);
    if (sid === null) return;
    push(this.#payments, person.walletSid, sid);
    // The page shows the payment before and after, from whichever process answers.
    if (chance.is(0.5)) await this.#ask('payment.get', { sid }, person, chance, userOf(person));
    await this.#customers.pay(chance, sid);
    if (chance.is(0.4)) await this.#ask('payment.check', { sid }, person, chance, userOf(person));
    if (chance.is(0.5)) await this.#ask('payment.get', { sid }, person, chance, userOf(person));
  }

  async #checkPayment(chance: Chance, person: Person): Promise<void> {
    const payments = this.#payments.get(person.walletSid) ?? [];
    if (payments.length === 0) return await this.#read(chance, person);
    await this.#ask('payment.check', { sid: chance.pick(payments) }, person, chance, userOf(person));
  }

  async #read(chance: Chance, person: Person): Promise<void> {
    const actor = chance.is(0.5) ? userOf(person) : OPERATOR;
    const { operation, input } = drawReading(chance, this.#known(person, actor === OPERATOR));
    await this.#ask(operation, input, person, chance, actor);
  }

  #known({ walletSid, userSid }: Person, isOperator: boolean) {
    const holds = this.#holders.sidsOf(walletSid);
    const payments = this.#payments.get(walletSid) ?? [];
    return { walletSid, userSid, isOperator, holds, payments };
  }

  /** A statement page by page, while the wallet moves. */
  async #readOn(chance: Chance, person: Person): Promise<void> {
    const actor = chance.is(0.5) ? userOf(person) : OPERATOR;
    const input = { sid: person.walletSid, limit: chance.pick([1, 2, 5]) };
    let page = await this.#ask('billing.statement', input, person, chance, actor);
    for (let more = 0; more < 4; more += 1) {
      const cursor = textIn(page, 200, 'next_cursor');
      const body = page.attempts.find(({ status }) => status === 200)?.body;
      if (cursor === null || body === null || body === undefined) return;
      const last = (JSON.parse(body) as { items: { seq: number }[] }).items.at(-1);
      if (!last) return;
      page = await this.#ask('billing.statement', { ...input, cursor }, person, chance, actor, last.seq);
    }
  }

  /** An operator looks at the webhooks and has one tried again. */
  async #replay(chance: Chance, person: Person): Promise<void> {
    const state = chance.pick(['quarantined', 'pending', 'applied', 'received']);
    const list = await this.#ask('webhook-event.list', { limit: 50, state }, person, chance);
    const body = list.attempts.find(({ status }) => status === 200)?.body ?? '{"items":[]}';
    const { items } = JSON.parse(body) as { items: { sid: string }[] };
    if (items.length === 0) return;
    await this.#ask('webhook-event.replay', { sid: chance.pick(items).sid }, person, chance);
    const replayed = `an operator replays a webhook: ${state}`;
    if (isMark(replayed)) this.#options.mark(replayed);
  }

  /** Calls that nobody may make: without a credential, as a user for operators only, and for what is another one's. */
  async #trespass(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    const [actor, asker] = chance.pick<readonly [Actor, Asker]>([
      [NOBODY, 'anonymous'],
      [this.#otherThan(chance, person), 'foreign'],
      [STRANGER, 'foreign'],
    ]);
    const [operation, input] = drawTrespass(chance, {
      sid,
      payments: this.#payments.get(sid) ?? [],
      holds: this.#holders.sidsOf(sid),
    });
    await this.#caller.call({ operation, input, actor, asker, walletSid: sid, chance, hasKey: isKeyed(operation) });
  }

  #otherThan(chance: Chance, person: Person): Actor {
    const other = chance.pick(this.#people);
    return other === person ? STRANGER : userOf(other);
  }

  /** A new user, who lives here from then on. */
  async #join(chance: Chance): Promise<void> {
    const [anybody] = this.#people;
    if (!anybody || this.#people.length >= PEOPLE_MAX) return;
    const input = {
      display_name: `Newcomer ${chance.below(1_000)}`,
      ...(chance.is(0.5) ? { forge_id: `forge-${chance.below(5)}` } : {}),
    };
    const { walletSid: _, ...asked } = { ...this.#asked('user.create', input, anybody, chance, OPERATOR) };
    const intent = await this.#caller.call({ ...asked, walletSid: null });
    const userSid = sidIn(intent, 201);
    const body = intent.attempts.find(({ status }) => status === 201)?.body;
    if (userSid === null || body === null || body === undefined) return;
    const { billing } = JSON.parse(body) as { billing: { sid: string } };
    this.#people.push({ userSid, walletSid: billing.sid });
    this.#options.mark('a user joins');
  }

  #ask(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    person: Person,
    chance: Chance,
    actor: Actor = OPERATOR,
    afterSeq?: number,
  ): Promise<Intent> {
    const asked = this.#asked(operation, input, person, chance, actor);
    return this.#caller.call(afterSeq === undefined ? asked : { ...asked, afterSeq });
  }

  #asked(operation: string, input: Readonly<Record<string, unknown>>, person: Person, chance: Chance, actor: Actor) {
    const asker: Asker = actor.kind === 'user' ? 'user' : 'operator';
    const hasKey = isKeyed(operation) && input['dry_run'] !== true;
    return { operation, input, actor, asker, walletSid: person.walletSid, chance, hasKey };
  }
}

const userOf = (person: Person): Actor => ({ kind: 'user', id: `user:${person.userSid}`, userSid: person.userSid });

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

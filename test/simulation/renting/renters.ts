import type { Actor } from '../../../src/operations/operation.ts';
import { sidIn, textIn } from '../caller.ts';
import type { Intent } from '../history.ts';
import type { Person } from '../people.ts';
import { Chance } from '../random.ts';
import type { Life, Scheduler } from '../scheduler.ts';
import { CODES, COMMON } from './plans.ts';

/** Asks as somebody, and again until there is an answer or patience ends. */
export type AskAs = (
  operation: string,
  input: Readonly<Record<string, unknown>>,
  person: Person,
  chance: Chance,
  actor?: Actor,
) => Promise<Intent>;

export interface RentersOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly ask: AskAs;
  readonly people: readonly Person[];
  readonly actorOf: (person: Person) => Actor;
}

interface Plan {
  readonly sid: string;
  readonly code: string;
  readonly endsMs: number;
}

/** What is more of the same. */
const LARGER: ReadonlyMap<string, string> = new Map([
  ['week-2', 'week-4'],
  ['vm-5', 'vm-10'],
]);
/** How close to the end of a period somebody acts who waits for it. */
const AROUND_THE_END_MS = 3_000;
const WAITS_AT_MOST_MS = 9 * 86_400_000;

/** People who buy plans, change their minds, and want VMs. */
export class Renters {
  readonly #options: RentersOptions;
  /** By wallet, as it was told last. */
  readonly #plans = new Map<string, Plan>();
  readonly #vms = new Map<string, string[]>();
  #names = 0;

  constructor(options: RentersOptions) {
    this.#options = options;
  }

  /** VMs that somebody was told of. */
  get vmSids(): string[] {
    return [...this.#vms.values()].flat();
  }

  get planSids(): string[] {
    return [...this.#plans.values()].map(({ sid }) => sid);
  }

  /** Some do it seldom: they run dry. */
  async fund(chance: Chance, person: Person): Promise<void> {
    if (this.#options.people.indexOf(person) % 3 === 2 && chance.is(0.85)) return await this.look(chance, person);
    const cents = chance.weighted([
      [chance.between(500, 6_000), 6],
      [chance.between(100, 500), 3],
      [chance.below(100), 1],
    ]);
    await this.#options.ask(
      'billing.adjust',
      { sid: person.walletSid, balance_cents: cents, reason: 'deed' },
      person,
      chance,
    );
  }

  async buy(chance: Chance, person: Person): Promise<void> {
    const plan = chance.pick(COMMON);
    const input = { plan, is_renewing: chance.is(0.8) };
    const quote = chance.is(0.3) ? await this.#quote(chance, person, plan) : null;
    const intent = await this.#ask('plan.buy', quote === null ? input : { ...input, quote }, person, chance);
    const body = answerOf(intent, 201);
    if (body) this.#keep(person, body['subscription'] as Record<string, unknown>);
    if (chance.is(0.6)) await this.want(chance, person);
  }

  /** Twice at once, as in two tabs; another person beside them. */
  async buyAtOnce(chance: Chance, person: Person): Promise<void> {
    const other = chance.pick(this.#options.people);
    await Promise.all(
      [person, person, other].map((one, index) =>
        this.buy(new Chance(this.#options.scheduler.steps, `at once/${index}`), one),
      ),
    );
  }

  async change(chance: Chance, person: Person): Promise<void> {
    const held = this.#plans.get(person.walletSid);
    if (!held) return await this.buy(chance, person);
    const plan = (chance.is(0.6) ? LARGER.get(held.code) : undefined) ?? chance.pick(CODES);
    const quote = chance.is(0.2) ? await this.#quote(chance, person, plan) : null;
    const input = { sid: held.sid, plan };
    const intent = await this.#ask('subscription.change', quote === null ? input : { ...input, quote }, person, chance);
    const body = answerOf(intent, 200);
    if (body) this.#keep(person, body['subscription'] as Record<string, unknown>);
  }

  async cancel(chance: Chance, person: Person): Promise<void> {
    await this.#tell('subscription.cancel', chance, person);
  }

  async resume(chance: Chance, person: Person): Promise<void> {
    await this.#tell('subscription.resume', chance, person);
  }

  async end(chance: Chance, person: Person): Promise<void> {
    const held = this.#plans.get(person.walletSid);
    if (held) await this.#options.ask('subscription.end', { sid: held.sid, reason: 'deed' }, person, chance);
  }

  /** Whatever it is, at the very end of the period: before it, after it, at its millisecond. */
  async atTheEnd(chance: Chance, person: Person): Promise<void> {
    const { scheduler, life } = this.#options;
    const held = this.#plans.get(person.walletSid);
    if (!held) return await this.buy(chance, person);
    const waitMs = held.endsMs - scheduler.nowMs;
    if (waitMs < 0 || waitMs > WAITS_AT_MOST_MS) return await this.look(chance, person);
    await scheduler.park(life, Math.max(0, waitMs - AROUND_THE_END_MS), 'the end of a period');
    const deeds = Array.from({ length: chance.between(1, 3) }, (_, index) => {
      const own = new Chance(scheduler.steps, `end/${index}`);
      return this.#soon(own, person);
    });
    await Promise.all(deeds);
  }

  async #soon(chance: Chance, person: Person): Promise<void> {
    const { scheduler, life } = this.#options;
    await scheduler.park(life, chance.below(2 * AROUND_THE_END_MS), 'around the end');
    const deed = chance.weighted<(chance: Chance, person: Person) => Promise<void>>([
      [(...deed) => this.cancel(...deed), 3],
      [(...deed) => this.resume(...deed), 2],
      [(...deed) => this.change(...deed), 2],
      [(...deed) => this.want(...deed), 1],
      [(...deed) => this.fund(...deed), 1],
      [(...deed) => this.buy(...deed), 1],
    ]);
    await deed(chance, person);
  }

  async want(chance: Chance, person: Person): Promise<void> {
    this.#names += 1;
    const input = { name: `vm-${this.#names}`, ssh_key_sids: [], stop_order: chance.below(3) };
    const intent = await this.#ask('allocation.create', input, person, chance);
    const sid = sidIn(intent, 201);
    if (sid !== null) this.#vms.set(person.walletSid, [...(this.#vms.get(person.walletSid) ?? []), sid]);
  }

  /** More than there are, all at once. */
  async wantMany(chance: Chance, person: Person): Promise<void> {
    const { people, scheduler } = this.#options;
    const others = chance.is(0.5);
    await Promise.all(
      Array.from({ length: chance.between(2, 6) }, (_, index) => {
        const own = new Chance(scheduler.steps, `many/${index}`);
        return this.want(own, others ? own.pick(people) : person);
      }),
    );
  }

  async giveBack(chance: Chance, person: Person): Promise<void> {
    const vms = this.#vms.get(person.walletSid) ?? [];
    if (vms.length === 0) return await this.want(chance, person);
    const sid = chance.is(0.7) ? (vms.at(-1) ?? '') : chance.pick(vms);
    await this.#ask('allocation.release', { sid }, person, chance);
    if (chance.is(0.5)) await this.want(chance, person);
  }

  async reorder(chance: Chance, person: Person): Promise<void> {
    const vms = this.#vms.get(person.walletSid) ?? [];
    if (vms.length > 0)
      await this.#ask('allocation.set', { sid: chance.pick(vms), stop_order: chance.below(5) }, person, chance);
  }

  /** Whoever of these can have it. */
  async rescue(chance: Chance, person: Person): Promise<void> {
    const { people } = this.#options;
    for (const one of [person, chance.pick(people), chance.pick(people), chance.pick(people)]) {
      const body = answerOf(await this.#ask('standing.get', { sid: one.walletSid }, one, chance), 200);
      const rescue = body?.['rescue'] as { readonly is_available: boolean } | undefined;
      if (rescue?.is_available === true || chance.is(0.1))
        await this.#ask('standing.rescue', { sid: one.walletSid }, one, chance);
    }
  }

  async look(chance: Chance, person: Person): Promise<void> {
    const { walletSid: sid } = person;
    await this.#ask(chance.pick(['billing.get', 'standing.get']), { sid }, person, chance);
    await this.#ask('allocation.get', { sid: chance.pick([...(this.#vms.get(sid) ?? []), sid]) }, person, chance);
  }

  async #tell(operation: string, chance: Chance, person: Person): Promise<void> {
    const held = this.#plans.get(person.walletSid);
    if (!held) return await this.buy(chance, person);
    const body = answerOf(await this.#ask(operation, { sid: held.sid }, person, chance), 200);
    if (body) this.#keep(person, body);
  }

  async #quote(chance: Chance, person: Person, plan: string): Promise<string | null> {
    return textIn(await this.#ask('plan.quote', { plan }, person, chance), 200, 'token');
  }

  #keep({ walletSid }: Person, shown: Readonly<Record<string, unknown>>): void {
    this.#plans.set(walletSid, {
      sid: String(shown['sid']),
      code: String(shown['plan']),
      endsMs: Date.parse(String(shown['period_ends_at'])),
    });
  }

  #ask(operation: string, input: Readonly<Record<string, unknown>>, person: Person, chance: Chance): Promise<Intent> {
    return this.#options.ask(operation, input, person, chance, this.#options.actorOf(person));
  }
}

function answerOf(intent: Intent, status: number): Record<string, unknown> | null {
  const body = intent.attempts.find((attempt) => attempt.status === status)?.body;
  return typeof body === 'string' ? (JSON.parse(body) as Record<string, unknown>) : null;
}

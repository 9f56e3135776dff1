import type { Actor } from '../../../src/operations/operation.ts';
import { OPERATOR } from '../../support/payment-story.ts';
import type { Chance } from '../random.ts';
import { CODES } from './plans.ts';
import type { Resident } from './years.ts';

export type Answer = Readonly<Record<string, unknown>> & { readonly status: number };

export interface DeedsOptions {
  readonly ask: (name: string, input: unknown, actor: Actor) => Promise<Answer>;
  readonly onBreak: (promise: string, detail: unknown) => void;
  readonly residents: readonly Resident[];
  readonly chance: Chance;
}

interface Shown {
  readonly sid: string;
  readonly created_at: string;
  readonly period_starts_at: string;
  readonly vm_total: number;
}

const MICROS_PER_CENT = 10_000n;
const CLOCKS_APART_MS = 10_000;

/** What people do with their plans, one thing at a time; what each answer says is what must be true, or a promise is broken. */
export class Deeds {
  readonly counts = new Map<string, number>();
  readonly #options: DeedsOptions;
  /** By wallet: the plan that it has, or had last. */
  readonly #sids = new Map<string, string>();

  constructor(options: DeedsOptions) {
    this.#options = options;
  }

  /** Of somebody; a newcomer puts money in and buys. */
  async one(nowMs: number, newcomer: Resident | null): Promise<void> {
    const { chance, residents } = this.#options;
    if (newcomer) {
      await this.#fund(newcomer);
      return await this.#buy(newcomer, nowMs);
    }
    const isDue = ({ tenant }: Resident): boolean => tenant.plan?.isPastDue === true;
    const owing = chance.is(0.3) ? residents.filter(isDue) : [];
    const somebody = chance.pick(owing.length > 0 ? owing : residents);
    const { tenant } = somebody;
    // Clocks of processes are seconds apart: on which side of the boundary the house sees it is not for us to say.
    if (Math.abs((tenant.plan?.endMs ?? 0) - nowMs) < CLOCKS_APART_MS) return;
    if (tenant.plan === null) return await (chance.is(0.3) ? this.#fund(somebody) : this.#buy(somebody, nowMs));
    const deed = chance.weighted<(resident: Resident, nowMs: number) => Promise<void>>([
      [(resident) => this.#fund(resident), isDue(somebody) ? 8 : 4],
      [(resident, atMs) => this.#change(resident, atMs), 6],
      [(resident, atMs) => this.#cancel(resident, atMs), 1.5],
      [(resident, atMs) => this.#resume(resident, atMs), 1],
      [(resident, atMs) => this.#buy(resident, atMs), 0.5],
      [(resident, atMs) => this.#endByOperator(resident, atMs), 0.2],
    ]);
    await deed(somebody, nowMs);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** The careless put in too little for the next period, or too late. */
  async #fund({ walletSid, tenant, isCareless }: Resident): Promise<void> {
    const { ask, chance } = this.#options;
    const before = tenant.balance / MICROS_PER_CENT;
    const cents =
      (before < 0n ? 0n : before) + BigInt(isCareless ? chance.between(100, 3_000) : chance.between(5_000, 40_000));
    const answer = await ask(
      'billing.adjust',
      { sid: walletSid, balance_cents: Number(cents), reason: 'deed' },
      OPERATOR,
    );
    this.#expect('money that is put in is there', answer, 200);
    tenant.balance = cents * MICROS_PER_CENT;
    this.#count('top-ups');
  }

  async #buy({ walletSid, actor, tenant }: Resident, nowMs: number): Promise<void> {
    const { ask, chance } = this.#options;
    const [plan, isRenewing] = [chance.pick(CODES), chance.is(0.85)];
    const answer = await ask('plan.buy', { sid: walletSid, plan, is_renewing: isRenewing }, actor);
    const bought = answer.status === 201 ? (answer['subscription'] as Shown) : null;
    const isBought = tenant.buy(plan, bought ? Date.parse(bought.created_at) : nowMs, isRenewing);
    if (isBought !== (bought !== null))
      return this.#options.onBreak('a plan is bought when it can be paid', [walletSid, plan, isBought, answer]);
    if (bought) this.#sids.set(walletSid, bought.sid);
    this.#count(bought ? 'plans bought' : 'plans refused');
    if (bought && bought.vm_total !== tenant.quota)
      this.#options.onBreak('a quota is that of the plan', [walletSid, bought]);
  }

  async #change({ walletSid, actor, tenant }: Resident, nowMs: number): Promise<void> {
    const { ask, chance } = this.#options;
    const [sid, plan] = [this.#sids.get(walletSid), chance.pick(CODES)];
    const answer = await ask('subscription.change', { sid, plan }, actor);
    const shown = answer.status === 200 ? (answer['subscription'] as Shown) : null;
    const isAtOnce = answer['kind'] === 'at_once';
    const atMs = shown && isAtOnce ? Date.parse(shown.period_starts_at) : nowMs;
    const kind = tenant.change(plan, atMs);
    if (kind !== (shown ? answer['kind'] : 'no'))
      return this.#options.onBreak('a change comes at once or at the end', [walletSid, plan, kind, answer]);
    if (shown && shown.vm_total !== tenant.quota)
      this.#options.onBreak('a quota is that of the plan', [walletSid, shown]);
    this.#count(kind === 'no' ? 'changes refused' : kind === 'at_once' ? 'changes at once' : 'changes for later');
  }

  async #cancel({ walletSid, actor, tenant }: Resident, nowMs: number): Promise<void> {
    const answer = await this.#options.ask('subscription.cancel', { sid: this.#sids.get(walletSid) }, actor);
    this.#expect('a plan can be cancelled', answer, 200);
    tenant.cancel(nowMs);
    this.#count('cancelled');
  }

  async #resume({ walletSid, actor, tenant }: Resident, nowMs: number): Promise<void> {
    const answer = await this.#options.ask('subscription.resume', { sid: this.#sids.get(walletSid) }, actor);
    this.#expect('a plan is resumed until it ends', answer, tenant.resume(nowMs) ? 200 : 409);
    this.#count('resumed');
  }

  async #endByOperator({ walletSid, tenant }: Resident, nowMs: number): Promise<void> {
    const answer = await this.#options.ask(
      'subscription.end',
      { sid: this.#sids.get(walletSid), reason: 'deed' },
      OPERATOR,
    );
    this.#expect('an operator ends a plan', answer, 200);
    tenant.renew(nowMs);
    if (tenant.plan !== null) tenant.end('operator');
    this.#count('ended by an operator');
  }

  #expect(promise: string, answer: Answer, status: number): void {
    if (answer.status !== status) this.#options.onBreak(promise, answer);
  }
}

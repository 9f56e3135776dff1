import { boundary } from '../years/calendar.ts';
import { balanceOf, givenOf, RENTING_KIND, underWay, type Context } from './context.ts';
import type { Changes, PeriodRow, PlanRow, SubscriptionRow } from './rows.ts';

/** A whole period of a subscription, as it must be. */
interface Whole {
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly anchorMs: number;
  readonly anchorNumber: number;
  readonly plan: PlanRow;
}

/** A clock that is set back while a transaction runs: by so much at once. */
const SET_BACK_MS = 3_700_000;

interface Kept {
  readonly row: PeriodRow;
  readonly step: number;
}

/**
 * Each period once, at its price, from where the one before ended; nothing after the end. Worked out from the documents, with a calendar of its own.
 */
export class PlanJudge {
  readonly #context: Context;
  /** By subscription: the whole period that was paid last. */
  readonly #wholes = new Map<bigint, Whole>();
  readonly #periods = new Map<bigint, Kept[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  afterCommit(changes: Changes): void {
    const { mark } = this.#context;
    const before = new Map(changes.subscription.map((change) => [change.after.id, change.before]));
    for (const { before: old, after } of changes.plan_period) {
      const seen = old === null ? this.#opened(after, before) : this.#closed(old, after);
      if (!seen) continue;
      const kept = this.#periods.get(after.subscription) ?? [];
      if (old === null) kept.push({ row: after, step: this.#context.step() });
      this.#periods.set(after.subscription, kept);
    }
    for (const { before: old, after } of changes.subscription) {
      if (old?.state === 'active' && after.state === 'past_due') mark('a period cannot be paid');
      if (old?.state === 'past_due' && after.state === 'active') mark('a plan goes on after new money');
      if (old !== null && old.state !== 'ended' && after.state === 'ended') {
        if (after.end_reason === 'cancelled') mark('a cancelled plan ends');
        if (after.end_reason === 'unpaid') mark('a plan ends unpaid');
      }
      if (old?.state === 'ended' && after.state !== 'ended')
        this.#break('what has ended stays so', after, 'begins again');
    }
    if (changes.plan_period.length + changes.subscription.length > 0) this.#judgeOpen(changes);
  }

  /** At rest, with right clocks and every look taken. */
  atTheEnd(): void {
    const { rows, nowMs } = this.#context;
    this.#judgePostings();
    this.#judgeCancellations();
    for (const row of rows.all('subscription')) {
      if (row.state === 'ended' || row.period_ends_at.getTime() > nowMs()) continue;
      if (row.state === 'active')
        this.#break('what is over is renewed or ends', row, `it ended ${row.period_ends_at.toISOString()}`);
      else if (this.#canPay(row.wallet, row.due_amount ?? 0n))
        this.#break('what is due is paid once there is money', row, `${row.due_amount} is due`);
    }
  }

  #canPay(wallet: bigint, price: bigint): boolean {
    const { rows, nowMs } = this.#context;
    const isFrozen = rows.get('wallet_standing', wallet)?.reason === 'operator';
    return !isFrozen && balanceOf(this.#context, wallet * 16n) + givenOf(this.#context, wallet, nowMs()) >= price;
  }

  #judgeOpen(changes: Changes): void {
    const open = new Map<bigint, number>();
    for (const row of this.#context.rows.all('subscription'))
      if (row.state !== 'ended') open.set(row.wallet, (open.get(row.wallet) ?? 0) + 1);
    for (const { after } of changes.subscription)
      if ((open.get(after.wallet) ?? 0) > 1) this.#break('a wallet has one plan', after, 'it has two');
  }

  #opened(row: PeriodRow, before: ReadonlyMap<bigint, SubscriptionRow | null>): boolean {
    const subscription = this.#context.rows.get('subscription', row.subscription);
    const plan = this.#context.rows.get('plan', row.plan_sid);
    if (!subscription || !plan) return false;
    if (row.part > 0) this.#changed(row, plan, subscription);
    else if (row.number === 0) this.#bought(row, plan, subscription);
    else this.#renewed(row, plan, before.get(row.subscription) ?? subscription);
    return true;
  }

  #bought(row: PeriodRow, plan: PlanRow, subscription: SubscriptionRow): void {
    const { mark, rows } = this.#context;
    mark('a plan is bought');
    const startMs = row.starts_at.getTime();
    const endMs = boundary(startMs, lengthOf(plan), 1);
    const sold = this.#newest(plan.code, startMs, false);
    if (sold?.sid !== plan.sid || !plan.is_for_sale) this.#break('what is sold is bought', subscription, plan.sid);
    this.#hold(row, { startMs, endMs, paid: plan.price }, subscription);
    if (rows.get('wallet_standing', row.wallet)?.state === 'suspended')
      this.#break('a suspended wallet rents nothing', subscription, 'it buys a plan');
    this.#wholes.set(row.subscription, { number: 0, startMs, endMs, anchorMs: startMs, anchorNumber: 0, plan });
  }

  #renewed(row: PeriodRow, plan: PlanRow, before: SubscriptionRow): void {
    const { mark, step } = this.#context;
    mark('a plan renews');
    const last = this.#wholes.get(row.subscription);
    if (!last) return;
    if (!before.is_renewing) this.#break('a plan that does not renew is not renewed', before, `period ${row.number}`);
    if (before.state === 'ended') this.#break('what has ended stays so', before, `period ${row.number}`);
    if (row.created_at.getTime() + SET_BACK_MS < row.starts_at.getTime())
      this.#break(
        'nothing renews before its time',
        before,
        `${row.created_at.toISOString()} for ${row.starts_at.toISOString()}`,
      );
    const own = before.next_plan_code ?? before.plan_code;
    const isAsked = underWay(this.#context, 'subscription.change', step()).some(
      ({ input }) => input['sid'] === before.sid && (input['plan'] === plan.code || input['plan'] === before.plan_code),
    );
    if (plan.code !== own && !isAsked) this.#break('a plan renews as what was chosen', before, plan.code);
    if (plan.code !== before.plan_code) mark('a smaller plan begins with its period');
    // What was chosen begins with the first period that is over, also where that one is left out.
    let next = this.#after(last, plan.code);
    while (next.number < row.number) {
      // What stood still while it was unpaid is not charged; anything else is, one period after the other.
      if (before.state !== 'past_due' || next.endMs > row.created_at.getTime())
        this.#break('no period is left out', before, `period ${next.number}`);
      else mark('a period that nobody could pay is left out');
      next = this.#after(next, plan.code);
    }
    if (next.plan.sid !== plan.sid)
      this.#break('a period has the version of its time', before, `${plan.code} v${plan.version}`);
    this.#hold(row, { startMs: next.startMs, endMs: next.endMs, paid: plan.price }, before);
    this.#wholes.set(row.subscription, next);
  }

  /** More at once, for what is left of the period. */
  #changed(row: PeriodRow, plan: PlanRow, subscription: SubscriptionRow): void {
    this.#context.mark('a larger plan is had at once');
    const whole = this.#wholes.get(row.subscription);
    if (!whole) return;
    const from = this.#periods.get(row.subscription)?.at(-1)?.row;
    const old = from && this.#context.rows.get('plan', from.plan_sid);
    if (
      !old ||
      !isSameLength(old, plan) ||
      old.vm_size !== plan.vm_size ||
      plan.price < old.price ||
      plan.vm_count < old.vm_count
    )
      return this.#break('only more is had at once', subscription, plan.sid);
    const left = BigInt(whole.endMs - row.starts_at.getTime());
    const all = BigInt(whole.endMs - whole.startMs);
    const rest = (plan.price * left) / all;
    const unused = (old.price * left + all - 1n) / all;
    const paid = rest > unused ? rest - unused : 0n;
    this.#hold(row, { startMs: row.starts_at.getTime(), endMs: whole.endMs, paid }, subscription);
    if (row.starts_at.getTime() < from.starts_at.getTime())
      this.#break('parts follow one another', subscription, `part ${row.part}`);
  }

  /** A part ends where the next one begins, or where it always did. */
  #closed(old: PeriodRow, row: PeriodRow): boolean {
    const parts = this.#context.rows.all('plan_period');
    const next = parts.find(
      ({ subscription, number, part }) =>
        subscription === row.subscription && number === row.number && part === row.part + 1,
    );
    const subscription = this.#context.rows.get('subscription', row.subscription);
    const isSame =
      old.paid === row.paid && old.plan_sid === row.plan_sid && old.starts_at.getTime() === row.starts_at.getTime();
    if (subscription && (!isSame || (next && next.starts_at.getTime() !== row.ends_at.getTime())))
      this.#break('a period that was paid is not changed', subscription, `period ${row.number}.${row.part}`);
    return true;
  }

  #hold(
    row: PeriodRow,
    wanted: { readonly startMs: number; readonly endMs: number; readonly paid: bigint },
    subscription: SubscriptionRow,
  ): void {
    const found = [row.starts_at.getTime(), row.ends_at.getTime(), row.paid];
    if (found[0] !== wanted.startMs || found[1] !== wanted.endMs)
      this.#break(
        'a period has its exact bounds',
        subscription,
        `${row.number}.${row.part}: ${found.join()} and not ${wanted.startMs},${wanted.endMs}`,
      );
    if (row.paid !== wanted.paid)
      this.#break(
        'a period costs its price',
        subscription,
        `${row.number}.${row.part}: ${row.paid} and not ${wanted.paid}`,
      );
  }

  #after(whole: Whole, code: string): Whole {
    const plan = this.#newest(code, whole.endMs, true) ?? whole.plan;
    const number = whole.number + 1;
    const isAnchored = isSameLength(plan, whole.plan);
    const anchorMs = isAnchored ? whole.anchorMs : whole.endMs;
    const anchorNumber = isAnchored ? whole.anchorNumber : number;
    const endMs = boundary(anchorMs, lengthOf(plan), number + 1 - anchorNumber);
    return { number, startMs: whole.endMs, endMs, anchorMs, anchorNumber, plan };
  }

  /** The version that counts at an instant; of those that were sold, or of all. */
  #newest(code: string, atMs: number, isOfSold: boolean): PlanRow | null {
    let newest: PlanRow | null = null;
    for (const plan of this.#context.rows.all('plan')) {
      if (plan.code !== code || plan.active_from.getTime() > atMs || (isOfSold && !plan.is_for_sale)) continue;
      if (newest === null || plan.active_from > newest.active_from) newest = plan;
    }
    return newest;
  }

  /** Each period that cost something has one posting, and no posting is without its period. */
  #judgePostings(): void {
    const { model, rows, breaks } = this.#context;
    const posted = new Map<string, bigint>();
    for (const [account, entries] of model.entries) {
      if (account % 16n !== 0n) continue;
      for (const { kind, facts, amount, idem } of entries) {
        if (kind !== RENTING_KIND.plan) continue;
        const subscription = rows.all('subscription').find(({ sid }) => sid === facts['subscription_sid']);
        const key = `${String(subscription?.id)}/${String(facts['period'])}/${String(facts['part'])}`;
        if (posted.has(key)) breaks('H05 a period is paid once', `${key} with ${idem}`);
        posted.set(key, -amount);
      }
    }
    for (const period of rows.all('plan_period')) {
      const key = `${period.subscription}/${period.number}/${period.part}`;
      if ((posted.get(key) ?? 0n) !== period.paid)
        breaks('H05 a period is paid with one posting', `${key}: ${posted.get(key)} and ${period.paid}`);
      posted.delete(key);
    }
    for (const [key, amount] of posted) breaks('H05 nothing is paid for no period', `${key}: ${amount}`);
  }

  /** After a cancellation that was answered no period follows, unless somebody resumed. */
  #judgeCancellations(): void {
    const { rows, mark } = this.#context;
    const { intents } = this.#context.history();
    for (const cancel of intents) {
      if (cancel.operation !== 'subscription.cancel') continue;
      const done = cancel.attempts.find(({ status }) => status === 200);
      if (!done?.body || done.endStep === null) continue;
      const shown = JSON.parse(done.body) as { sid: string; period_number: number };
      const row = rows.all('subscription').find(({ sid }) => sid === shown.sid);
      const begun = cancel.attempts[0]?.startStep ?? 0;
      const isResumed = intents.some(
        ({ operation, input, attempts }) =>
          operation === 'subscription.resume' &&
          input['sid'] === shown.sid &&
          attempts.some(({ endStep }) => endStep === null || endStep >= begun),
      );
      if (!row || isResumed) continue;
      mark('a plan is cancelled');
      const more = (this.#periods.get(row.id) ?? []).find(
        ({ row: period, step }) => period.number > shown.period_number && step > (done.endStep ?? 0),
      );
      if (more) this.#break('a cancelled plan is not renewed', row, `period ${more.row.number}`);
    }
  }

  #break(rule: string, { sid, wallet }: Pick<SubscriptionRow, 'sid' | 'wallet'>, detail: string): void {
    this.#context.breaks(rule, `subscription ${sid} of wallet ${wallet}: ${detail}`);
  }
}

const lengthOf = ({ period_unit: unit, period_count: count }: PlanRow) => ({ unit, count });
const isSameLength = (a: PlanRow, b: PlanRow): boolean =>
  a.period_unit === b.period_unit && a.period_count === b.period_count;

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { formatDecimal, ZERO } from '../../domain/money.ts';
import { capOf } from '../../domain/organisation/cap.ts';
import { planChange, type PlanChange } from '../../domain/plan/change.ts';
import type { Plan } from '../../domain/plan/plan.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import { closePart, insertPeriods } from '../../store/plan-period.ts';
import { readSubscription, saveSubscriptions, type SubscriptionRow } from '../../store/subscription.ts';
import { recordAudit } from '../audit/record.ts';
import { emit } from '../event/emit.ts';
import { operation, type Call } from '../operation.ts';
import { countMoved } from '../operator/daily-limit.ts';
import { capReached, spenderOf } from '../organisation/spender.ts';
import { planCodeField } from '../plan/plan.ts';
import { planOnSale, shortOf } from '../plan/purchase.ts';
import { quoteField, quoteRefusal, readQuote } from '../plan/quote-token.ts';
import { sidField, signedAmount } from '../schema.ts';
import { lockFunds } from './funds.ts';
import { planPosting, planRevenue } from './posting.ts';
import { catchUp } from './settle-due.ts';
import { hasEnded, presentSubscription, subscriptionSchema, toSubscription } from './subscription.ts';
import { changedEvent } from './tell.ts';

export const subscriptionChange = operation({
  name: 'subscription.change',
  summary: 'Change to another plan: to more at once, to less at the end',
  description:
    'More VMs for more money are had at once: the unused rest of what was paid is given back, the rest of the period is charged at the new ' +
    'price, and the period keeps its end. Everything else begins with the next period, and asking for the present plan takes that back. ' +
    'plan.quote says what it comes to.',
  http: { method: 'post', path: '/v1/subscriptions/{sid}/change', status: 200 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({
    sid: sidField,
    plan: planCodeField,
    quote: quoteField,
  }),
  output: z
    .object({
      subscription: subscriptionSchema,
      kind: z.enum(['at_once', 'at_period_end']),
      paid: signedAmount,
    })
    .meta({ id: 'PlanChanged' }),
  refusals: [
    'not_found',
    'state_conflict',
    'quote_changed',
    'insufficient_balance',
    'wallet_frozen',
    'cap_reached',
    'amount_out_of_range',
  ],
  async run(call, input) {
    return call.commit(async (tx) => {
      const row = await presentSubscription(tx, call.house, call.actor, input.sid);
      if (isRefusal(row)) return row;
      if (row.state === 'ended') return hasEnded(row);
      return change(tx, call, row, input);
    });
  },
});

async function change(
  tx: Tx,
  call: Call,
  row: SubscriptionRow,
  input: { readonly plan: string; readonly quote?: string | undefined },
) {
  const now = call.house.ports.clock.now();
  if (input.plan === row.planCode && row.nextPlanCode !== null) return keepPlan(tx, call, row);
  const plan = await planOnSale(tx, input.plan, now);
  if (isRefusal(plan)) return plan;
  const refused = refusedChange(row, plan);
  if (refused) return refused;
  const quote = input.quote === undefined ? null : readQuote(call.house, input.quote, now);
  if (isRefusal(quote)) return quote;
  // What was quoted was computed for an instant; it holds for a while after it.
  const changing = planChange(row, plan, quote?.at ?? now);
  if (quote) {
    const { total } = changing;
    const other = quoteRefusal(quote, { walletSid: row.walletSid, planSid: plan.sid, of: partOf(row), total });
    if (other) return other;
  }
  return changing.kind === 'at_once'
    ? changeAtOnce(tx, call, row, changing, now)
    : changeAtPeriodEnd(tx, call, row, plan);
}

/** What a quote of a change was made for: with another part of a period it does not hold. */
export const partOf = ({ sid, periodNumber, periodPart }: SubscriptionRow): string =>
  [sid, periodNumber, periodPart].join('/');

/** Null: it may be changed to that plan. */
export function refusedChange(row: SubscriptionRow, plan: Plan): Refusal | null {
  if (row.planCode === plan.code)
    return refuse('state_conflict', 'That is the plan it has.', { details: { plan: plan.code } });
  if (!row.isRenewing)
    return refuse('state_conflict', 'It ends with its period. Resume it before you change it.', {
      details: { period_ends_at: row.periodEndsAt.toISOString() },
    });
  if (row.vmsUsed > plan.vmCount)
    return refuse('state_conflict', 'More VMs are allocated than that plan has. Release some first.', {
      details: { vm_used: row.vmsUsed, vm_total: plan.vmCount },
    });
  if (row.vmsUsed > 0 && plan.vmSize !== row.plan.vmSize)
    return refuse('state_conflict', 'Its VMs are of another size than that plan has. Release them first.', {
      details: { vm_used: row.vmsUsed, vm_size: plan.vmSize },
    });
  return null;
}

async function changeAtOnce(tx: Tx, call: Call, row: SubscriptionRow, changing: PlanChange, now: Date) {
  const { house } = call;
  const { plan, total, effectiveAt } = changing;
  const short = shortOf(await lockFunds(tx, [row.wallet], now), row.wallet, total);
  if (short) return short;
  const spender = await spenderOf(tx, call.actor, row.userSid);
  if (isRefusal(spender)) return spender;
  const part = row.periodPart + 1;
  const span = { number: row.periodNumber, part, startsAt: effectiveAt, endsAt: row.periodEndsAt };
  if (total > 0n) {
    const record = planPosting({
      idem: call.idem,
      fingerprint: call.fingerprint,
      wallet: row.wallet,
      revenue: await planRevenue(tx, row.currency),
      amount: total,
      occurredAt: now,
      plan,
      subscriptionSid: row.sid,
      ...span,
      mark: spender && capOf(spender, row.wallet, now),
      author: { actor: call.actor.id, requestId: call.requestId },
    });
    const [outcome] = await applyPostings(tx, [record], { batch: house.ports.ids.batchId(), recordedAt: now });
    if (outcome?.kind === 'over_budget') return capReached(outcome.budget);
    assert(outcome?.kind === 'applied', 'what the wallet has was seen under the lock');
  }
  const closed = { subscription: row.id, number: row.periodNumber, part: row.periodPart, endsAt: effectiveAt };
  await closePart(tx, closed);
  const idem = total > 0n ? call.idem : null;
  const period = { subscription: row.id, wallet: row.wallet, planSid: plan.sid, ...span, paid: total, idem };
  await insertPeriods(tx, [period], now);
  await saveSubscriptions(tx, [{ ...row, planCode: plan.code, nextPlanCode: null }]);
  await emit(tx, house, changedEvent(row, plan, effectiveAt));
  await auditChange(tx, call, row, { next: plan.code, kind: 'at_once', paid: formatDecimal(total) });
  await countMoved(tx, call, total);
  return { subscription: await present(tx, row), kind: 'at_once' as const, paid: formatDecimal(total) };
}

/** Nothing is paid now. Where the next period is due already, it begins with the plan that was chosen as soon as the wallet can pay that. */
async function changeAtPeriodEnd(tx: Tx, call: Call, row: SubscriptionRow, plan: Plan) {
  const next = { ...row, nextPlanCode: plan.code === row.planCode ? null : plan.code };
  await saveSubscriptions(tx, [next]);
  await auditChange(tx, call, row, { next: plan.code, kind: 'at_period_end', paid: formatDecimal(ZERO) });
  await catchUp(tx, call.house, next);
  return { subscription: await present(tx, row), kind: 'at_period_end' as const, paid: formatDecimal(ZERO) };
}

/** Takes back what was to begin with the next period. What is due already costs what its own plan costs again, and is paid if it can be. */
async function keepPlan(tx: Tx, call: Call, row: SubscriptionRow) {
  const kept = { ...row, nextPlanCode: null };
  await saveSubscriptions(tx, [kept]);
  await catchUp(tx, call.house, kept);
  await auditChange(tx, call, row, { next: row.planCode, kind: 'at_period_end', paid: formatDecimal(ZERO) });
  return { subscription: await present(tx, row), kind: 'at_period_end' as const, paid: formatDecimal(ZERO) };
}

const auditChange = (
  tx: Tx,
  call: Call,
  row: SubscriptionRow,
  { next, kind, paid }: { readonly next: string; readonly kind: PlanChange['kind']; readonly paid: string },
): Promise<void> =>
  recordAudit(tx, call, {
    action: 'subscription.change',
    subject: row.sid,
    before: { plan: row.planCode, next_plan: row.nextPlanCode },
    after: { plan: next, kind, paid },
  });

async function present(tx: Tx, { sid }: SubscriptionRow): Promise<ReturnType<typeof toSubscription>> {
  const row = await readSubscription(tx, sid);
  assert(row !== null, 'a subscription is never deleted');
  return toSubscription(row);
}

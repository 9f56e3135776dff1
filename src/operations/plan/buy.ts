import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { formatDecimal } from '../../domain/money.ts';
import { capOf } from '../../domain/organisation/cap.ts';
import { remindsAt } from '../../domain/plan/subscription.ts';
import { isRefusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import { insertPeriods } from '../../store/plan-period.ts';
import { insertSubscription, readSubscription } from '../../store/subscription.ts';
import { canRent } from '../../store/standing.ts';
import type { WalletRow } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { emit } from '../event/emit.ts';
import { operation, type Call } from '../operation.ts';
import { countMoved } from '../operator/daily-limit.ts';
import { capReached, spenderOf } from '../organisation/spender.ts';
import { sidField, signedAmount } from '../schema.ts';
import { paidAfter } from '../subscription/funds.ts';
import { planPosting, planRevenue } from '../subscription/posting.ts';
import { subscriptionSchema, toSubscription } from '../subscription/subscription.ts';
import { boughtEvent } from '../subscription/tell.ts';
import { planCodeField } from './plan.ts';
import { alreadyActive, presentPlanOf, purchase, shortOf, walletToSpend } from './purchase.ts';
import { checkQuote, quoteField } from './quote-token.ts';

export const planBuy = operation({
  name: 'plan.buy',
  summary: 'Buy a plan for a wallet that has none',
  description:
    'Takes the price of the first period out of the wallet, and the period begins. Members of an organisation buy up to their monthly cap; ' +
    'renewals are nobody’s.',
  http: { method: 'post', path: '/plan/buy', status: 201 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({
    sid: sidField.optional().describe("The wallet that pays; the caller's own when left out."),
    plan: planCodeField,
    quote: quoteField,
    is_renewing: z.boolean().default(true).describe('Whether it renews by itself at the end of each period.'),
  }),
  output: z
    .object({ subscription: subscriptionSchema, paid: signedAmount, credit_balance: signedAmount })
    .meta({ id: 'PlanBought' }),
  refusals: [
    'not_found',
    'state_conflict',
    'quote_changed',
    'insufficient_balance',
    'wallet_frozen',
    'wallet_suspended',
    'cap_reached',
    'amount_out_of_range',
  ],
  async run(call, input) {
    return call.commit(async (tx) => {
      const wallet = await walletToSpend(tx, call.actor, input.sid);
      return isRefusal(wallet) ? wallet : buy(tx, call, wallet, input);
    });
  },
});

async function buy(
  tx: Tx,
  call: Call,
  wallet: WalletRow,
  input: { readonly plan: string; readonly quote?: string | undefined; readonly is_renewing: boolean },
) {
  const { house } = call;
  const { open, funds } = await presentPlanOf(tx, house, wallet.id);
  if (open) return alreadyActive(open);
  const may = await canRent(tx, wallet.id);
  if (!may.ok) return may.refusal;
  const now = house.ports.clock.now();
  const bought = await purchase(tx, input.plan, now);
  if (isRefusal(bought)) return bought;
  const { plan, total, startsAt, endsAt } = bought;
  const changed = checkQuote(house, input.quote, now, { walletSid: wallet.sid, planSid: plan.sid, of: null, total });
  if (changed) return changed;
  const short = shortOf(funds, wallet.id, total);
  if (short) return short;
  const spender = await spenderOf(tx, call.actor, wallet.userSid);
  if (isRefusal(spender)) return spender;
  const sid = house.ports.ids.sid();
  if (total > 0n) {
    const record = planPosting({
      idem: call.idem,
      fingerprint: call.fingerprint,
      wallet: wallet.id,
      revenue: await planRevenue(tx, wallet.currency),
      amount: total,
      occurredAt: now,
      plan,
      subscriptionSid: sid,
      number: 0,
      part: 0,
      startsAt,
      endsAt,
      mark: spender && capOf(spender, wallet.id, now),
      author: { actor: call.actor.id, requestId: call.requestId },
    });
    const [outcome] = await applyPostings(tx, [record], { batch: house.ports.ids.batchId(), recordedAt: now });
    if (outcome?.kind === 'over_budget') return capReached(outcome.budget);
    assert(outcome?.kind === 'applied', 'what the wallet has was seen under the lock');
  }
  const reminds = remindsAt({ startsAt, endsAt });
  const id = await insertSubscription(tx, {
    sid,
    wallet: wallet.id,
    planCode: plan.code,
    startsAt,
    endsAt,
    isRenewing: input.is_renewing,
    remindsAt: reminds,
    createdBy: call.actor.id,
  });
  const idem = total > 0n ? call.idem : null;
  const first = { subscription: id, number: 0, part: 0, wallet: wallet.id, planSid: plan.sid, startsAt, endsAt };
  await insertPeriods(tx, [{ ...first, paid: total, idem }], now);
  const row = await readSubscription(tx, sid);
  assert(row !== null, 'it was just inserted');
  await emit(tx, house, boughtEvent(row, plan, endsAt));
  await recordAudit(tx, call, {
    action: 'plan.buy',
    subject: wallet.sid,
    after: { subscription_sid: sid, plan: plan.code, version: plan.version, paid: formatDecimal(total) },
  });
  await countMoved(tx, call, total);
  return {
    subscription: toSubscription(row),
    paid: formatDecimal(total),
    credit_balance: formatDecimal(paidAfter(funds, wallet.id, total)),
  };
}

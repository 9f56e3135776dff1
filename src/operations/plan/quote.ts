import { z } from 'zod';
import { formatDecimal, type Micros } from '../../domain/money.ts';
import { planChange, type QuoteLine } from '../../domain/plan/change.ts';
import type { Plan } from '../../domain/plan/plan.ts';
import { isRefusal, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import type { SubscriptionRow } from '../../store/subscription.ts';
import type { WalletRow } from '../../store/wallet.ts';
import { operation, type Call } from '../operation.ts';
import { rehearse } from '../rehearse.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { partOf, refusedChange } from '../subscription/change.ts';
import { balanceOf, paidAfter, payableOf } from '../subscription/funds.ts';
import { planCodeField } from './plan.ts';
import { planOnSale, presentPlanOf, purchase, walletToSpend } from './purchase.ts';
import { quoteExpiresAt, writeQuote } from './quote-token.ts';

const lineSchema = z.object({
  what: z
    .enum(['period', 'unused', 'rest'])
    .describe(
      'period: a whole period · unused: what is left of the one that was paid, given back · rest: the same time at the new price',
    ),
  plan: z.string(),
  plan_name: z.string(),
  price: signedAmount.describe('Of a whole period.'),
  amount: signedAmount.describe('Below zero: given back.'),
  from: instant,
  until: instant,
  ms_left: z.int().nullable().describe('Of a part: how many milliseconds are left …'),
  ms_whole: z
    .int()
    .nullable()
    .describe('… of how many. The amount is price × ms_left / ms_whole, rounded as it is said.'),
  rounding: z
    .string()
    .nullable()
    .describe(
      'Of a part: to a micro-dollar in the customer’s favour, and by how much of one: "down by 1500/2592000000".',
    ),
});

export const planQuote = operation({
  name: 'plan.quote',
  summary: 'Say what buying a plan, or changing to it, would cost',
  description:
    'Line by line, decided as plan.buy and subscription.change would. Nothing is written. The token holds for 15 minutes: whoever presents ' +
    'it pays what was quoted, or is refused.',
  http: { method: 'post', path: '/v1/plans/quote', status: 200 },
  access: 'user',
  right: 'look',
  scope: 'read',
  member: 'viewer',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField.optional().describe("The wallet; the caller's own when left out."),
    plan: planCodeField,
  }),
  output: z
    .object({
      wallet_sid: sidField,
      kind: z
        .enum(['buy', 'change_at_once', 'change_at_period_end'])
        .describe('buy: by plan.buy; the others: by subscription.change.'),
      subscription_sid: sidField.nullable().describe('What would be changed; null: something would be bought.'),
      plan: z.string(),
      plan_name: z.string(),
      lines: z.array(lineSchema),
      total: signedAmount,
      effective_at: instant,
      period_ends_at: instant.nullable().describe('When the period ends that it pays; null: it pays none now.'),
      renews_at_price: signedAmount.describe('What the next period costs, by what is known today.'),
      credit_balance: signedAmount.describe('What was paid and is left.'),
      given: signedAmount.describe('Credit that was given: it pays first.'),
      credit_balance_after: signedAmount,
      suffices: z.boolean(),
      missing: signedAmount.nullable().describe('What must be put in first; null: nothing.'),
      token: z.string(),
      expires_at: instant,
    })
    .meta({ id: 'PlanQuote' }),
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    return rehearse(call.house.db, 'plan.quote', async (tx) => {
      const wallet = await walletToSpend(tx, call.actor, input.sid);
      return isRefusal(wallet) ? wallet : quote(tx, call, wallet, input.plan);
    });
  },
});

interface Offer {
  readonly kind: 'buy' | 'change_at_once' | 'change_at_period_end';
  readonly plan: Plan;
  readonly lines: readonly QuoteLine[];
  readonly total: Micros;
  readonly effectiveAt: Date;
  readonly endsAt: Date | null;
}

async function quote(tx: Tx, { house }: Call, wallet: WalletRow, code: string) {
  const { open, funds } = await presentPlanOf(tx, house, wallet.id);
  const now = house.ports.clock.now();
  const offer = open === null ? await purchaseOffer(tx, code, now) : await changeOffer(tx, open, code, now);
  if (isRefusal(offer)) return offer;
  const { kind, plan, total, lines } = offer;
  const { paid, given } = balanceOf(funds, wallet.id);
  const payable = payableOf(funds, wallet.id);
  const suffices = payable >= total;
  const of = open === null ? null : partOf(open);
  return {
    wallet_sid: wallet.sid,
    kind,
    subscription_sid: open?.sid ?? null,
    plan: plan.code,
    plan_name: plan.name,
    lines: lines.map(toLine),
    total: formatDecimal(total),
    effective_at: offer.effectiveAt.toISOString(),
    period_ends_at: offer.endsAt?.toISOString() ?? null,
    renews_at_price: formatDecimal(plan.price),
    credit_balance: formatDecimal(paid),
    given: formatDecimal(given),
    credit_balance_after: formatDecimal(paidAfter(funds, wallet.id, total)),
    suffices,
    missing: suffices ? null : formatDecimal(total - payable),
    token: writeQuote(house, { walletSid: wallet.sid, planSid: plan.sid, total, at: now, of }),
    expires_at: quoteExpiresAt(now).toISOString(),
  };
}

async function purchaseOffer(tx: Tx, code: string, now: Date): Promise<Offer | Refusal> {
  const bought = await purchase(tx, code, now);
  return isRefusal(bought) ? bought : { ...bought, kind: 'buy', effectiveAt: now };
}

async function changeOffer(tx: Tx, open: SubscriptionRow, code: string, now: Date): Promise<Offer | Refusal> {
  const plan = await planOnSale(tx, code, now);
  if (isRefusal(plan)) return plan;
  const refused = refusedChange(open, plan);
  if (refused) return refused;
  const change = planChange(open, plan, now);
  return change.kind === 'at_once'
    ? { ...change, kind: 'change_at_once', endsAt: open.periodEndsAt }
    : { ...change, kind: 'change_at_period_end', endsAt: null };
}

function toLine({ what, plan, amount, from, until, share }: QuoteLine): z.input<typeof lineSchema> {
  return {
    what,
    plan: plan.code,
    plan_name: plan.name,
    price: formatDecimal(plan.price),
    amount: formatDecimal(amount),
    from: from.toISOString(),
    until: until.toISOString(),
    ms_left: share && Number(share.leftMs),
    ms_whole: share && Number(share.wholeMs),
    rounding: share && `${what === 'unused' ? 'up' : 'down'} by ${share.remainder}/${share.wholeMs}`,
  };
}

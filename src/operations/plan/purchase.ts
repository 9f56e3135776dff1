import { formatDecimal } from '../../domain/money.ts';
import { purchaseOf, totalOf, type QuoteLine } from '../../domain/plan/change.ts';
import { planForSale, type Plan } from '../../domain/plan/plan.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { readPlans } from '../../store/plan.ts';
import { lockOpenSubscription, readOpenSubscription, type SubscriptionRow } from '../../store/subscription.ts';
import { readWalletByUser, type WalletRow } from '../../store/wallet.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import { isFrozen, lockFunds, payableOf, type Funds } from '../subscription/funds.ts';
import { catchUp } from '../subscription/settle-due.ts';
import { visibleWallet } from '../visible.ts';

/** What buying would come to. */
export interface Purchase {
  readonly plan: Plan;
  readonly lines: readonly QuoteLine[];
  readonly total: Micros;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** The wallet that is named; the caller's own when none is. */
export async function walletToSpend(tx: Tx, actor: Actor, sid: string | undefined): Promise<WalletRow | Refusal> {
  if (sid !== undefined) return visibleWallet(tx, actor, sid);
  const wallet = actor.kind === 'user' ? await readWalletByUser(tx, actor.userSid) : null;
  return wallet ?? refuse('not_found', 'Name a wallet: the caller has none of their own.');
}

/**
 * The plan that a wallet has, brought up to the present and locked; null: none. The wallet's account is locked with it, so that nobody buys
 * another one meanwhile.
 */
export async function presentPlanOf(
  tx: Tx,
  house: House,
  wallet: bigint,
): Promise<{ readonly open: SubscriptionRow | null; readonly funds: Funds }> {
  const locked = await lockOpenSubscription(tx, wallet);
  const present = locked === null ? null : await catchUp(tx, house, locked);
  const funds = await lockFunds(tx, [wallet], house.ports.clock.now());
  if (present !== null && present.state !== 'ended') return { open: present, funds };
  // Bought by somebody else who had the account before.
  return { open: await readOpenSubscription(tx, wallet), funds };
}

/** Refuses a plan that there is not, or that is not for sale. */
export async function planOnSale(tx: Tx, code: string, at: Date): Promise<Plan | Refusal> {
  const versions = await readPlans(tx);
  const plan = planForSale(versions, code, at);
  if (plan) return plan;
  return versions.some((version) => version.code === code)
    ? refuse('state_conflict', 'The plan is not for sale.', { details: { plan: code } })
    : refuse('not_found', 'There is no plan with this code.', { details: { plan: code } });
}

export async function purchase(tx: Tx, code: string, at: Date): Promise<Purchase | Refusal> {
  const plan = await planOnSale(tx, code, at);
  if (isRefusal(plan)) return plan;
  const { lines, endsAt } = purchaseOf(plan, at);
  return { plan, lines, total: totalOf(lines), startsAt: at, endsAt };
}

export const alreadyActive = (open: SubscriptionRow): Refusal =>
  open.state === 'past_due'
    ? refuse('state_conflict', 'The wallet has a plan whose next period is due. Put in what it costs, or cancel it.', {
        details: { ...planFacts(open), due: open.dueAmount === null ? null : formatDecimal(open.dueAmount) },
      })
    : refuse('state_conflict', 'The wallet has a plan already. Change it, or wait until it ends.', {
        details: planFacts(open),
      });

const planFacts = (open: SubscriptionRow): Readonly<Record<string, string>> => ({
  subscription_sid: open.sid,
  plan: open.planCode,
  state: open.state,
  period_ends_at: open.periodEndsAt.toISOString(),
});

/** Null: the wallet can pay it. */
export function shortOf(funds: Funds, wallet: bigint, total: Micros): Refusal | null {
  if (total === 0n) return null;
  if (isFrozen(funds, wallet))
    return refuse('wallet_frozen', 'The wallet is frozen: it takes credits, but no plan is bought of it.');
  const payable = payableOf(funds, wallet);
  if (payable >= total) return null;
  return refuse('insufficient_balance', 'The wallet does not hold enough for this. Put in what is missing.', {
    details: {
      amount: formatDecimal(total),
      available: formatDecimal(payable),
      missing: formatDecimal(total - payable),
    },
  });
}

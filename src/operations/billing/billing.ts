import { z } from 'zod';
import { postingKindOf } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros, toCentsFloor } from '../../domain/money.ts';
import type { StatementRow, WalletRow } from '../../store/wallet.ts';
import { centsField, instant, sidField, signedAmount } from '../schema.ts';

/** The wallet as the outside knows it. */
export const billingSchema = z
  .object({
    sid: sidField,
    user_sid: sidField,
    display_name: z.string(),
    credit_balance_cents: centsField.describe('The balance in cents, rounded down: never more than there is.'),
    credit_balance: signedAmount.describe('The exact balance of what was paid.'),
    given: signedAmount.describe(
      'Credit that was given: used before what was paid, never paid out. Not part of credit_balance.',
    ),
    given_cents: centsField.describe('The same in cents, rounded down.'),
    available: signedAmount.describe('What can be spent: credit_balance and given together.'),
    available_cents: centsField.describe('The same in cents, rounded down.'),
    reserved: signedAmount.describe('Set aside by open holds and by refunds that are under way.'),
    frozen: signedAmount.describe('Set aside by open disputes.'),
    is_frozen: z.boolean().describe('Whether debits and holds are refused.'),
    lifetime_paid_cents: centsField.describe(
      'Sum of all settled top-ups, less what really went back. Adjustments never change it.',
    ),
    currency: z.literal('USD'),
    current_plan_id: z.string().nullable().describe('The code of the plan that it has; null: none.'),
    vm_quota_total: z.int().nullable().describe('How many VMs the plan has.'),
    vm_quota_used: z.int().nullable().describe('How many of them are allocated.'),
    vm_quota_period_end: instant.nullable().describe('When the period that was paid last ends.'),
    first_paid_at: instant.nullable(),
    last_active_at: instant.nullable(),
    created_at: instant,
  })
  .meta({ id: 'Billing' });

export type Billing = z.input<typeof billingSchema>;

export function toBilling(wallet: WalletRow): Billing {
  return {
    sid: wallet.sid,
    user_sid: wallet.userSid,
    display_name: wallet.displayName,
    credit_balance_cents: toCentsFloor(wallet.balance),
    credit_balance: formatDecimal(wallet.balance),
    given: formatDecimal(wallet.given),
    given_cents: toCentsFloor(wallet.given),
    available: formatDecimal(micros(wallet.balance + wallet.given)),
    available_cents: toCentsFloor(micros(wallet.balance + wallet.given)),
    reserved: formatDecimal(wallet.reserved),
    frozen: formatDecimal(wallet.frozen),
    is_frozen: wallet.isFrozen,
    lifetime_paid_cents: toCentsFloor(wallet.lifetimePaid),
    currency: 'USD',
    current_plan_id: wallet.plan?.code ?? null,
    vm_quota_total: wallet.plan?.vmTotal ?? null,
    vm_quota_used: wallet.plan?.vmUsed ?? null,
    vm_quota_period_end: wallet.plan?.periodEndsAt.toISOString() ?? null,
    first_paid_at: wallet.firstPaidAt?.toISOString() ?? null,
    last_active_at: wallet.lastActiveAt?.toISOString() ?? null,
    created_at: wallet.createdAt.toISOString(),
  };
}

/** One entry of a wallet as its owner reads it. */
export const statementLineSchema = z
  .object({
    seq: z.int().describe('1, 2, 3 … within the wallet, without a gap.'),
    kind: z.string().describe('Why money moved: top_up, adjustment, debit, hold_reserve, …'),
    amount: signedAmount,
    balance_after: signedAmount,
    description: z.string().nullable(),
    about: z.record(z.string(), z.unknown()).nullable().describe('What the posting is about: the payment, the hold, …'),
    occurred_at: instant,
    recorded_at: instant,
  })
  .meta({ id: 'StatementLine' });

export type StatementLine = z.input<typeof statementLineSchema>;

/** Who posted it and by which request: for operators. A customer is told what, not who. */
const OPERATORS_FACTS = ['actor', 'request_id'];

export function toStatementLine(row: StatementRow, reader: 'owner' | 'operator'): StatementLine {
  const about = row.about === null ? null : parseAbout(row.about);
  if (about !== null && reader === 'owner') for (const fact of OPERATORS_FACTS) delete about[fact];
  const description = about?.['description'];
  return {
    seq: Number(row.seq),
    kind: postingKindOf(row.kind),
    amount: formatDecimal(row.amount),
    balance_after: formatDecimal(row.balanceAfter),
    description: typeof description === 'string' ? description : null,
    about,
    occurred_at: row.occurredAt.toISOString(),
    recorded_at: row.recordedAt.toISOString(),
  };
}

/** We wrote it, so it is an object. */
const parseAbout = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

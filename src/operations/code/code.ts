import { z } from 'zod';
import { codeStateOf } from '../../domain/code/judge.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { CodeRow, ListedCodeUse } from '../../store/code.ts';
import { amountField, instant, sidField, signedAmount } from '../schema.ts';

export const codeSchema = z
  .object({
    sid: sidField,
    code: z
      .string()
      .describe('As it is printed. Case, spaces and hyphens make no difference, nor O for 0, or I and L for 1.'),
    description: z.string().describe('What its user reads on the statement.'),
    state: z
      .enum(['future', 'open', 'used_up', 'ended', 'closed'])
      .describe(
        'future: not valid yet; open: it can be redeemed; used_up; ended: its time is over; closed: by an operator.',
      ),
    amount: signedAmount.describe('The credit of one use, in US dollars.'),
    credit_days: z.int().nullable().describe('How long that credit lasts; null: it does not end.'),
    valid_from: instant,
    valid_until: instant
      .nullable()
      .describe('From then on it is not valid any more; null: until it is closed or used up.'),
    uses_max: z.int(),
    uses_per_user_max: z.int().describe('How often for one person, and how often for one wallet.'),
    uses: z.int().describe('How often it was redeemed.'),
    given: signedAmount.describe('What it has given so far.'),
    given_max: signedAmount.describe('What it gives when it is used up.'),
    is_for_new_customers: z.boolean().describe('Only for who has never paid.'),
    lifetime_paid_min: signedAmount.describe('What must have been paid into the wallet before.'),
    created_at: instant,
    created_by: z.string(),
    closed_at: instant.nullable(),
  })
  .meta({ id: 'Code' });

export function toCode(row: CodeRow, now: Date): z.input<typeof codeSchema> {
  return {
    sid: row.sid,
    code: row.word,
    description: row.description,
    state: codeStateOf(row, now),
    amount: formatDecimal(row.amount),
    credit_days: row.creditDays,
    valid_from: row.validFrom.toISOString(),
    valid_until: row.validUntil?.toISOString() ?? null,
    uses_max: row.usesMax,
    uses_per_user_max: row.usesPerUserMax,
    uses: row.uses,
    given: formatDecimal(row.amount * BigInt(row.uses)),
    given_max: formatDecimal(row.amount * BigInt(row.usesMax)),
    is_for_new_customers: row.isForNewCustomers,
    lifetime_paid_min: formatDecimal(row.lifetimePaidMin),
    created_at: row.createdAt.toISOString(),
    created_by: row.createdBy,
    closed_at: row.closedAt?.toISOString() ?? null,
  };
}

export const codeUseSchema = z
  .object({
    code: z.string(),
    number: z.int().describe('The how manyth use of the code it was.'),
    user_sid: sidField.describe('Who redeemed it.'),
    wallet_sid: sidField,
    amount: amountField,
    grant_sid: sidField.describe('The credit that came of it.'),
    redeemed_at: instant,
  })
  .meta({ id: 'CodeUse' });

export const toCodeUse = (row: ListedCodeUse): z.input<typeof codeUseSchema> => ({
  code: row.word,
  number: row.number,
  user_sid: row.userSid,
  wallet_sid: row.walletSid,
  amount: formatDecimal(row.amount),
  grant_sid: row.grantSid,
  redeemed_at: row.redeemedAt.toISOString(),
});

export const noSuchCode = (): Refusal => refuse('not_found', 'There is no code with this sid.');

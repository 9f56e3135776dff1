import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { formatScaled } from '../../domain/usage/decimal.ts';
import type { BonusRow, BonusRuleRow } from '../../store/bonus.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const bonusRuleSchema = z
  .object({
    sid: sidField,
    percent: z.string().describe('Per cent of the first top-up, with two decimals at most.'),
    fixed: signedAmount.describe('US dollars besides, whatever was paid.'),
    top_up_min: signedAmount.describe('A first top-up below it is given nothing.'),
    bonus_max: signedAmount.nullable().describe('The most that is given; null: no limit.'),
    credit_days: z.int().nullable().describe('How long the credit lasts; null: it does not end.'),
    active_from: instant,
    created_at: instant,
  })
  .meta({ id: 'BonusRule' });

/** A per cent has hundredths, as margins do. */
export const PERCENT_DECIMALS = 2;

export function toBonusRule(rule: BonusRuleRow): z.input<typeof bonusRuleSchema> {
  return {
    sid: rule.sid,
    percent: formatScaled(BigInt(rule.percent), PERCENT_DECIMALS),
    fixed: formatDecimal(rule.fixed),
    top_up_min: formatDecimal(rule.topUpMin),
    bonus_max: rule.bonusMax === null ? null : formatDecimal(rule.bonusMax),
    credit_days: rule.creditDays,
    active_from: rule.activeFrom.toISOString(),
    created_at: rule.createdAt.toISOString(),
  };
}

/** The bonus that somebody had, as it is exported. */
export const toBonus = (bonus: BonusRow) => ({
  payment_sid: bonus.paymentSid,
  rule_sid: bonus.ruleSid,
  amount: formatDecimal(bonus.amount),
  grant_sid: bonus.grantSid,
  expires_at: bonus.expiresAt?.toISOString() ?? null,
  given_at: bonus.givenAt.toISOString(),
  is_standing: bonus.isStanding,
  taken_back: formatDecimal(bonus.takenBack),
});

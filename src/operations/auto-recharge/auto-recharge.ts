import { z } from 'zod';
import { startOfMonth } from '../../domain/auto-recharge/decide.ts';
import { RECHARGE_REASONS, RECHARGE_STATES } from '../../domain/auto-recharge/state.ts';
import { RECHARGE_CONSENT, RECHARGE_CONSENT_VERSION } from '../../domain/card/consent.ts';
import { formatDecimal } from '../../domain/money.ts';
import { readAutoRecharge, readStanding } from '../../store/auto-recharge.ts';
import type { Tx } from '../../store/db.ts';
import { readPayment } from '../../store/payment.ts';
import type { WalletRow } from '../../store/wallet.ts';
import { paymentSchema, toPayment } from '../payment/payment.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

const settingsSchema = z.object({
  provider: z.string(),
  threshold: signedAmount.describe('Below this balance the card is charged.'),
  target: signedAmount.describe('What the wallet holds afterwards.'),
  monthly_cap: signedAmount.describe('What charges of a calendar month (UTC) may come to.'),
});

/** A wallet's auto-recharge, as the outside knows it. */
export const autoRechargeSchema = z
  .object({
    wallet_sid: sidField,
    state: z
      .enum(RECHARGE_STATES)
      .describe('on · action_required: the bank wants the owner to confirm a payment on a page · off'),
    reason: z
      .enum(RECHARGE_REASONS)
      .nullable()
      .describe('Why it is off or waits: a stable word; null: nothing is the matter.'),
    settings: settingsSchema.nullable().describe('Null before it was ever switched on.'),
    charged_this_month: signedAmount,
    declines: z.int().describe('Charges refused one after the other.'),
    not_before: instant.nullable().describe('Nothing is charged before; null: at once.'),
    last_payment: paymentSchema.nullable().describe('The charge made last.'),
    consent: z
      .object({ version: z.string(), text: z.string() })
      .describe('What a person agrees to who switches it on; send the version as agrees_to.'),
  })
  .meta({ id: 'AutoRecharge' });
export type AutoRecharge = z.input<typeof autoRechargeSchema>;

/** Reads it as it stands, with the last charge. */
export async function readAutoRechargeOf(tx: Tx, wallet: WalletRow, now: Date): Promise<AutoRecharge> {
  const row = await readAutoRecharge(tx, wallet.id);
  const standing = await readStanding(tx, wallet.id, startOfMonth(now));
  const last = row?.lastPaymentSid ? await readPayment(tx, row.lastPaymentSid) : null;
  return {
    wallet_sid: wallet.sid,
    state: row?.state ?? 'off',
    reason: row?.reason ?? null,
    settings: row && {
      provider: row.provider,
      threshold: formatDecimal(row.threshold),
      target: formatDecimal(row.target),
      monthly_cap: formatDecimal(row.monthlyCap),
    },
    charged_this_month: formatDecimal(standing?.charged ?? 0n),
    declines: row?.declines ?? 0,
    not_before: row?.notBefore?.toISOString() ?? null,
    last_payment: last && toPayment(last),
    consent: { version: RECHARGE_CONSENT_VERSION, text: RECHARGE_CONSENT },
  };
}

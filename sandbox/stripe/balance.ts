import { z } from 'zod';
import balanceTransaction from './fixtures/balance-transaction.json' with { type: 'json' };
import { disputeObject } from './disputes.ts';
import { chargeObject } from './objects.ts';
import { refundObject } from './refunds.ts';
import type { StripeState } from './state.ts';
import type { Switches } from './switches.ts';

/** Money that leaves for the house's bank. */
export interface Payout {
  readonly id: string;
  readonly created: number;
  readonly amount: number;
  readonly currency: string;
}

/** One line of the account: made of what happened, never kept by itself, so it cannot differ from it. */
export interface BalanceLine {
  readonly id: string;
  readonly created: number;
  readonly type: 'charge' | 'refund' | 'refund_failure' | 'adjustment' | 'payout';
  readonly category: string;
  readonly amount: number;
  readonly fee: number;
  readonly currency: string;
  readonly source: { readonly id: string };
}

export const payOutSchema = z.strictObject({ amountCents: z.number().int().positive() });

export function payOut(state: StripeState, { amountCents: amount }: z.infer<typeof payOutSchema>): Payout {
  const payout: Payout = { id: state.id('po_1', 23), created: state.now(), amount, currency: 'usd' };
  state.payouts.set(payout.id, payout);
  state.keepChange({ payouts: [payout] });
  return payout;
}

/** Half a cent is rounded up, as on Stripe's own invoices. */
const feeOf = (amount: number, { takesFees }: Switches): number =>
  takesFees ? Math.floor((amount * 29 + 500) / 1000) + 30 : 0;

/** Oldest first. */
export function balanceOf(state: StripeState, switches: Switches): BalanceLine[] {
  const lines = [...chargeLines(state, switches), ...refundLines(state), ...disputeLines(state), ...payoutLines(state)];
  return lines.toSorted((one, other) => one.created - other.created);
}

/** The line of something has the rest of its name. */
const lineId = (id: string, part = ''): string => `txn_${part}${id.replace(/^[a-z]+_/, '')}`;

const chargeLines = (state: StripeState, switches: Switches): BalanceLine[] =>
  [...state.charges.values()].map((charge) => ({
    id: lineId(charge.id),
    created: charge.created,
    type: 'charge',
    category: 'charge',
    amount: charge.amount,
    fee: feeOf(charge.amount, switches),
    currency: charge.currency,
    source: chargeObject(charge) as { id: string },
  }));

const refundLines = (state: StripeState): BalanceLine[] =>
  [...state.refunds.values()].flatMap((refund) => {
    const { id, amount, currency, leftAt, returnedAt } = refund;
    const about = { fee: 0, currency, source: refundObject(refund) as { id: string } };
    const left = { ...about, id: lineId(id), type: 'refund', category: 'refund', amount: -amount } as const;
    const back = { ...about, id: lineId(id, 'r'), type: 'refund_failure', category: 'refund_failure', amount } as const;
    return [
      ...(leftAt === null ? [] : [{ ...left, created: leftAt }]),
      ...(returnedAt === null ? [] : [{ ...back, created: returnedAt }]),
    ];
  });

/** What disputes withhold is on the account, and what comes back; that one is lost is not: the money is gone already. */
const disputeLines = (state: StripeState): BalanceLine[] =>
  [...state.disputes.values()].flatMap((dispute) =>
    dispute.transactions.map(({ id, created, amount, fee }) => ({
      id,
      created,
      type: 'adjustment',
      category: amount < 0 ? 'dispute' : 'dispute_reversal',
      amount,
      fee,
      currency: dispute.currency,
      source: disputeObject(dispute) as { id: string },
    })),
  );

const payoutLines = (state: StripeState): BalanceLine[] =>
  [...state.payouts.values()].map((payout) => ({
    id: lineId(payout.id),
    created: payout.created,
    type: 'payout',
    category: 'payout',
    amount: -payout.amount,
    fee: 0,
    currency: payout.currency,
    source: { ...payout, object: 'payout' },
  }));

export const balanceObject = (line: BalanceLine, isExpanded: boolean): object => ({
  ...balanceTransaction,
  id: line.id,
  amount: line.amount,
  available_on: line.created,
  created: line.created,
  currency: line.currency,
  description: null,
  fee: line.fee,
  net: line.amount - line.fee,
  reporting_category: line.category,
  source: isExpanded ? line.source : line.source.id,
  type: line.type,
});

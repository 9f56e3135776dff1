import { formatDecimal, micros, type Micros } from '../money.ts';

/** What a user has to do with money at the moment. */
export interface Standing {
  readonly balance: Micros;
  readonly reserved: Micros;
  readonly frozen: Micros;
  readonly openHolds: number;
  /** Top-ups that can still be paid, or whose money is under way; charges of a saved card among them. */
  readonly openPayments: number;
  /** Payments that an operator has to look at. */
  readonly quarantinedPayments: number;
  readonly openRefunds: number;
  readonly openDisputes: number;
  /** Usage that was delivered and not charged yet. */
  readonly unbilledRecords: number;
  /** Organisations that would be without an owner. */
  readonly soleOwnerships: number;
}

/** Why a user cannot be deleted yet. */
export interface Obstacle {
  readonly code: (typeof OBSTACLES)[number];
  /** What is in the way and what ends it. */
  readonly message: string;
}

export const OBSTACLES = [
  'balance',
  'debt',
  'holds',
  'payments',
  'quarantined_payments',
  'refunds',
  'disputes',
  'unbilled_usage',
  'organisations',
] as const;

/** Shape: in the order of {@link OBSTACLES}; empty when nothing is in the way. */
export function obstaclesOf(standing: Standing): Obstacle[] {
  const { balance, reserved, frozen, openHolds, openPayments, quarantinedPayments } = standing;
  const { openRefunds, openDisputes, unbilledRecords, soleOwnerships } = standing;
  const told: Readonly<Record<Obstacle['code'], string | null>> = {
    balance:
      balance > 0n
        ? `The wallet holds ${formatDecimal(balance)} dollars: have them paid back, or ask whoever runs this service to write them off.`
        : null,
    debt: balance < 0n ? `The wallet owes ${formatDecimal(micros(-balance))} dollars: pay them.` : null,
    holds:
      openHolds > 0 || (reserved !== 0n && openRefunds === 0)
        ? 'Money is set aside for something that is not finished: wait until it is.'
        : null,
    payments: openPayments > 0 ? 'A top-up is not finished: pay it, or wait until it expires.' : null,
    quarantined_payments:
      quarantinedPayments > 0 ? 'A payment is waiting for somebody who runs this service to look at it.' : null,
    refunds: openRefunds > 0 ? 'A refund is under way: wait until the money has arrived.' : null,
    disputes: openDisputes > 0 || frozen !== 0n ? 'A dispute is open: wait until it is decided.' : null,
    unbilled_usage: unbilledRecords > 0 ? 'Usage has not been charged yet: put in what it costs.' : null,
    organisations:
      soleOwnerships > 0
        ? 'An organisation would be without an owner: hand it on to another member first, or ask whoever runs this service.'
        : null,
  };
  return OBSTACLES.flatMap((code) => (told[code] === null ? [] : [{ code, message: told[code] }]));
}

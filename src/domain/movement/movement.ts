import type { Micros } from '../money.ts';

/** What a line of a provider's statement is. The words are the contract's. */
export const MOVEMENT_KINDS = [
  'payment',
  'refund',
  'refund_returned',
  'dispute',
  'dispute_returned',
  'fee',
  'payout',
  'other',
] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/**
 * Where a line stands. `new`: our books may still come to it · `matched`: they have it · `unmatched`: an operator must look ·
 * `assigned`: made a user's top-up · `suspended`: set aside · `refunding`, `refunded`: on its way, or gone, back to the payer.
 */
export const MOVEMENT_STATES = [
  'new',
  'matched',
  'unmatched',
  'assigned',
  'suspended',
  'refunding',
  'refunded',
] as const;
export type MovementState = (typeof MOVEMENT_STATES)[number];

/** How long a line may wait for the webhook, the poller or the reconciler before somebody is asked to look. */
export const UNMATCHED_AFTER_MS = 3_600_000;

/** Whether nobody has decided about it yet: then it is compared again at each reading. */
export const isUndecided = (state: MovementState): boolean => state === 'new' || state === 'unmatched';

export interface ComparedMovement {
  readonly kind: MovementKind;
  readonly amount: Micros;
  readonly currency: string;
  readonly at: Date;
}

export interface Comparison {
  readonly state: 'new' | 'matched' | 'unmatched';
  /** Why it does not match; null when it does, or may still. */
  readonly reason: string | null;
}

/**
 * Compares a line with what our books have for it. Pure.
 *
 * Shape: `booked` is signed as the line is; null: our books have nothing for it. `isUnderWay`: it is of a refund that our books will come
 * to by themselves, however long its provider takes.
 */
export function compareMovement(
  movement: ComparedMovement,
  booked: Micros | null,
  { now, isUnderWay }: { readonly now: Date; readonly isUnderWay: boolean },
): Comparison {
  if (booked === movement.amount) return { state: 'matched', reason: null };
  if (movement.currency !== 'USD') return { state: 'unmatched', reason: `it is in ${movement.currency}` };
  const isYoung = now.getTime() - movement.at.getTime() < UNMATCHED_AFTER_MS;
  if (isUnderWay || (isYoung && movement.kind !== 'other')) return { state: 'new', reason: null };
  return {
    state: 'unmatched',
    reason: booked === null ? NOTHING_BOOKED[movement.kind] : 'our books have another amount',
  };
}

const NOTHING_BOOKED: Readonly<Record<MovementKind, string>> = {
  payment: 'no payment of ours belongs to it',
  refund: 'no refund in our books belongs to it',
  refund_returned: 'no returned refund in our books belongs to it',
  dispute: 'no dispute in our books belongs to it',
  dispute_returned: 'no won dispute in our books belongs to it',
  fee: 'the fee is not in our books',
  payout: 'the payout is not in our books',
  other: 'it is of a kind that we do not know',
};

/** The ages in which what is unexplained is told, youngest first. The last one has no end. */
export const AGES = [
  { name: 'under_1_hour', underMs: 3_600_000 },
  { name: 'under_1_day', underMs: 86_400_000 },
  { name: 'under_3_days', underMs: 3 * 86_400_000 },
  { name: 'under_7_days', underMs: 7 * 86_400_000 },
  { name: 'older', underMs: Number.POSITIVE_INFINITY },
] as const;
export type Age = (typeof AGES)[number]['name'];

export const ageOf = (at: Date, now: Date): Age =>
  AGES.find(({ underMs }) => now.getTime() - at.getTime() < underMs)?.name ?? 'older';

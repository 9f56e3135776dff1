/** Where a payment stands. The names are stored and shown: add, never rename. */
export const PAYMENT_STATES = [
  'created',
  'open',
  'processing',
  'credited',
  'failed',
  'expired',
  'quarantined',
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/**
 * The moves that exist. A payment never goes back.
 *
 * Money decides: `credited` is reachable from everywhere, because a customer can pay an order that we had given up, and an
 * operator can have a quarantine's cause repaired at the provider. Nothing leaves `credited`.
 */
const MOVES: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  created: ['open', 'processing', 'credited', 'failed', 'expired', 'quarantined'],
  open: ['processing', 'credited', 'failed', 'expired', 'quarantined'],
  processing: ['credited', 'failed', 'expired', 'quarantined'],
  failed: ['credited', 'quarantined'],
  expired: ['credited', 'quarantined'],
  quarantined: ['credited'],
  credited: [],
};

/** Whether a payment may move from one state to another; staying is not a move. */
export const canMove = (from: PaymentState, to: PaymentState): boolean => MOVES[from].includes(to);

/** Whether we have stopped asking the provider. (News that money came is still listened to.) */
export const isFinal = (state: PaymentState): boolean =>
  state === 'credited' || state === 'failed' || state === 'expired' || state === 'quarantined';

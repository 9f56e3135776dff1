/** Where a refund stands. The names are stored and shown: add, never rename. */
export const REFUND_STATES = [
  /** A second operator must agree; the amount is set aside. */
  'awaiting_approval',
  /** The amount is set aside, and the provider is to be asked. */
  'requested',
  /** The provider was asked and did not say; it is asked again, with the same key. */
  'unknown',
  /** The provider has it, and the money is under way. */
  'pending',
  /** The money has left. */
  'succeeded',
  /** It never left; what was set aside is back in the wallet. */
  'failed',
  /** It had left, and came back. */
  'returned',
  /** An operator refused it, or nobody approved it in time; what was set aside is back in the wallet. */
  'rejected',
  /** The provider says so, but it is more than was paid: nothing is posted until it fits. */
  'quarantined',
] as const;
export type RefundState = (typeof REFUND_STATES)[number];

/** Who made it: an operator or the user through us, or somebody at the provider: its dashboard, or the rail that took the money back. */
export const REFUND_ORIGINS = ['operator', 'user', 'provider', 'rail'] as const;
export type RefundOrigin = (typeof REFUND_ORIGINS)[number];

/** Whether we made it: then its amount was set aside before the provider heard of it. */
export const isOurs = (origin: RefundOrigin): boolean => origin === 'operator' || origin === 'user';

/** Whether the amount of a refund lies in the wallet's reserved account. `posted`: what has left by it already; null: nothing. */
export const isSetAside = ({ origin, state, posted }: Standing): boolean =>
  isOurs(origin) && posted === null && (isUnanswered(state) || state === 'pending');

/** Whether what left by it is still away. */
export const isAway = ({ state }: Pick<Standing, 'state'>): boolean => state === 'pending' || state === 'succeeded';

interface Standing {
  readonly origin: RefundOrigin;
  readonly state: RefundState;
  readonly posted: bigint | null;
}

/** Whether a refund of ours has yet to be answered by the provider: another of the same payment waits until it is. */
export const isUnanswered = (state: RefundState): boolean =>
  state === 'awaiting_approval' || state === 'requested' || state === 'unknown';

/** Whether nothing more is expected of it. (News from the provider is still listened to.) */
export const isEnded = (state: RefundState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'returned' || state === 'rejected';

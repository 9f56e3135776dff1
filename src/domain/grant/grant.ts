import { micros, type Micros } from '../money.ts';

export const GRANT_KINDS = ['promo', 'goodwill', 'bonus'] as const;
export type GrantKind = (typeof GRANT_KINDS)[number];

export const GRANT_STATES = ['open', 'spent', 'expired', 'revoked'] as const;
export type GrantState = (typeof GRANT_STATES)[number];

/** The other side of what is given, for each kind: minus what was given and not taken back. */
export const promoAccount = (kind: GrantKind): string => `promo:${kind}`;

/** Ten thousand dollars at once is a slip. */
export const GRANT_MAX = micros(10_000_000_000n);

/** How long before the end of a grant its user is told. */
export const WARNED_AHEAD_MS = 7 * 86_400_000;

export interface GrantFacts {
  readonly state: GrantState;
  readonly expiresAt: Date | null;
  readonly left: Micros;
  readonly held: Micros;
}

/** How a grant goes on: what is taken back of it now, and whether its place is free then. */
export interface GrantEnd {
  readonly state: Exclude<GrantState, 'open'>;
  readonly takenBack: Micros;
  readonly isClosed: boolean;
}

/**
 * What has to happen to a grant that has a place; null: nothing.
 *
 * Only what is left is taken back. What a hold has set aside of it stays good for the hold; what the hold gives back afterwards is taken back
 * then. So a grant keeps its place until nothing is held of it.
 */
export function endOf(grant: GrantFacts, now: Date, why: 'due' | 'revoked' = 'due'): GrantEnd | null {
  const { state, expiresAt, left, held } = grant;
  const isClosed = held === 0n;
  if (state !== 'open') return left > 0n || isClosed ? { state, takenBack: left, isClosed } : null;
  if (left === 0n && held === 0n) return { state: 'spent', takenBack: left, isClosed };
  if (why === 'revoked') return { state: 'revoked', takenBack: left, isClosed };
  if (expiresAt !== null && expiresAt.getTime() <= now.getTime())
    return { state: 'expired', takenBack: left, isClosed };
  return null;
}

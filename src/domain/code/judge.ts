/** What a code promises, and to whom. */
export interface CodeTerms {
  readonly validFrom: Date;
  /** The instant at which it has ended; null: when it is closed. */
  readonly validUntil: Date | null;
  readonly closedAt: Date | null;
  readonly usesMax: number;
  readonly usesPerUserMax: number;
  readonly uses: number;
  readonly isForNewCustomers: boolean;
  /** Micro-dollars that must have been paid in before; zero: none. */
  readonly lifetimePaidMin: bigint;
}

/** Who asks for it. */
export interface Redeemer {
  /** How often it was redeemed by them before, and how often for this wallet. */
  readonly usesByUser: number;
  readonly usesByWallet: number;
  /** Whether they have ever paid, into their own wallet or into this one. */
  readonly hasPaid: boolean;
  /** What this wallet was paid so far. */
  readonly lifetimePaid: bigint;
}

export type CodeRefusal = 'code_unknown' | 'code_already_used' | 'code_used_up' | 'code_not_eligible';

/**
 * Whether a code gives its credit to whoever asks. Null: it does.
 *
 * What has ended, has not begun or was closed is as unknown as what never was: a caller who guesses learns nothing of it. Who has had it is
 * told so rather than that it is used up: that is the question they have.
 */
export function judgeRedeem(code: CodeTerms | null, redeemer: Redeemer, now: Date): CodeRefusal | null {
  if (code === null || !isValid(code, now)) return 'code_unknown';
  if (Math.max(redeemer.usesByUser, redeemer.usesByWallet) >= code.usesPerUserMax) return 'code_already_used';
  if (code.uses >= code.usesMax) return 'code_used_up';
  if (code.isForNewCustomers && redeemer.hasPaid) return 'code_not_eligible';
  return redeemer.lifetimePaid < code.lifetimePaidMin ? 'code_not_eligible' : null;
}

/** Whether it can be redeemed at this instant: from its beginning on, and not at its end any more. */
export const isValid = ({ validFrom, validUntil, closedAt }: CodeTerms, now: Date): boolean =>
  closedAt === null && validFrom <= now && (validUntil === null || now < validUntil);

export type CodeState = 'future' | 'open' | 'used_up' | 'ended' | 'closed';

/** Where it stands, in a word. */
export function codeStateOf(code: CodeTerms, now: Date): CodeState {
  if (code.closedAt !== null) return 'closed';
  if (code.validUntil !== null && code.validUntil <= now) return 'ended';
  if (code.uses >= code.usesMax) return 'used_up';
  return now < code.validFrom ? 'future' : 'open';
}

/** Codes that were none, within an hour, after which somebody waits. Who misreads one needs three tries. */
export const MISSES_MAX = 10;
export const MISSES_WINDOW_MS = 3_600_000;

/** Wrong codes that somebody has typed since the beginning of a window. */
export interface Misses {
  readonly count: number;
  readonly since: Date;
}

/** Seconds until they may try again; zero: now. */
export function secondsToWait(misses: Misses | null, now: Date): number {
  if (misses === null || misses.count < MISSES_MAX) return 0;
  const leftMs = misses.since.getTime() + MISSES_WINDOW_MS - now.getTime();
  return leftMs <= 0 ? 0 : Math.ceil(leftMs / 1_000);
}

/** One more: in a window of its own when the last one is over. */
export const missedAgain = (misses: Misses | null, now: Date): Misses =>
  misses === null || misses.since.getTime() + MISSES_WINDOW_MS <= now.getTime()
    ? { count: 1, since: now }
    : { count: misses.count + 1, since: misses.since };

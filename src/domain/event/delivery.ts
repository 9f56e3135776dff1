/** What came of one attempt at a delivery. */
export interface AttemptFacts {
  /** Null: no answer. */
  readonly status: number | null;
  /** The answer's `Retry-After`, as it came; null when there was none. */
  readonly retryAfter: string | null;
  readonly isTimeout: boolean;
}

export interface AttemptContext {
  readonly now: Date;
  /** Attempts since the delivery was begun or replayed, this one included. */
  readonly tries: number;
  /** Since when every attempt at the endpoint has failed; null when the last one succeeded. */
  readonly failingSince: Date | null;
  /** 0 to 1, from the random port. */
  readonly chance: number;
}

export interface AttemptVerdict {
  readonly state: 'delivered' | 'pending' | 'failed';
  /** When it is tried again; null when it is not. */
  readonly dueAt: Date | null;
  readonly failingSince: Date | null;
  /** Nothing is sent to the endpoint before; null: no limit. */
  readonly notBefore: Date | null;
  /** Why nothing more is sent to the endpoint; null: it goes on. */
  readonly disable: 'gone' | 'failing' | null;
}

const SECOND_MS = 1_000;
const HOUR_S = 3_600;
const DAY_MS = 86_400_000;

/** Seconds between one attempt and the next: ten attempts in about three days, the first at once. Source: Standard Webhooks. */
const WAITS_S = [5, 300, 1_800, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S] as const;
/** Up to so much longer by chance: what failed together must not come back together. */
const JITTER = 0.2;
/** An endpoint that answers nothing else for so long is told nothing more until somebody switches it on again. */
const FAILING_MAX_MS = 5 * DAY_MS;
/** Answers of a receiver that has too much to do. */
const OVERLOADED = new Set([429, 502, 504]);
/** How long an overloaded receiver is left alone when it does not say. */
const BREATHER_S = 30;
const RETRY_AFTER_MAX_S = 24 * HOUR_S;

/** What follows from an attempt, for the delivery and for its endpoint. */
export function judgeAttempt(facts: AttemptFacts, context: AttemptContext): AttemptVerdict {
  const { status } = facts;
  const { now, tries, chance } = context;
  if (status !== null && status >= 200 && status < 300) {
    return { state: 'delivered', dueAt: null, failingSince: null, notBefore: null, disable: null };
  }
  const failingSince = context.failingSince ?? now;
  const notBefore = breatherOf(facts, now);
  const disable = disableOf(status, failingSince, now);
  const waitS = WAITS_S[tries - 1];
  if (waitS === undefined) return { state: 'failed', dueAt: null, failingSince, notBefore, disable };
  const scheduled = now.getTime() + waitS * SECOND_MS * (1 + JITTER * chance);
  const dueAt = new Date(Math.max(scheduled, notBefore?.getTime() ?? 0));
  return { state: 'pending', dueAt, failingSince, notBefore, disable };
}

function disableOf(status: number | null, failingSince: Date, now: Date): AttemptVerdict['disable'] {
  if (status === 410) return 'gone';
  return now.getTime() - failingSince.getTime() >= FAILING_MAX_MS ? 'failing' : null;
}

function breatherOf({ status, retryAfter, isTimeout }: AttemptFacts, now: Date): Date | null {
  const asked = retryAfter === null ? null : secondsOf(retryAfter, now);
  const isOverloaded = isTimeout || (status !== null && OVERLOADED.has(status));
  if (asked === null && !isOverloaded) return null;
  const seconds = Math.min(Math.max(asked ?? 0, isOverloaded ? BREATHER_S : 0), RETRY_AFTER_MAX_S);
  return new Date(now.getTime() + seconds * SECOND_MS);
}

/** Whole seconds or an HTTP date; null for anything else. */
function secondsOf(retryAfter: string, now: Date): number | null {
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / SECOND_MS));
}

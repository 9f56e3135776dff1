/** Seconds to the first question, doubled with each one that changed nothing. */
const FIRST_CHECK_MS = 15_000;
/** Delayed methods (bank debits) take days; four questions a day are enough and cost nothing. */
const CHECK_INTERVAL_MAX_MS = 6 * 3_600_000;
/** After an order's end the provider needs a moment to say "expired"; then one question settles it. */
const AFTER_EXPIRY_MS = 60_000;

/**
 * When to ask the provider next about a payment that is not final.
 *
 * Shape: 15 s, 30 s, 1 min … 6 h after `now`, but once just after the order's end, so that nothing lies open for hours after it.
 */
export function nextCheckAt(facts: { readonly now: Date; readonly checks: number; readonly expiresAt: Date }): Date {
  const now = facts.now.getTime();
  const backOff = now + Math.min(FIRST_CHECK_MS * 2 ** Math.min(facts.checks, 20), CHECK_INTERVAL_MAX_MS);
  const afterExpiry = facts.expiresAt.getTime() + AFTER_EXPIRY_MS;
  return new Date(afterExpiry > now && afterExpiry < backOff ? afterExpiry : backOff);
}

/** Tries of one webhook that fails by itself before it is set aside as dead. */
export const WEBHOOK_ATTEMPTS_MAX = 10;
/**
 * How long a webhook waits for a provider that does not answer, however often it is asked: as long as providers themselves go on
 * delivering. Ten tries are over after a quarter of an hour, and outages last longer.
 */
export const PROVIDER_AWAY_WAIT_MS = 3 * 86_400_000;
/** How long a webhook waits for an order nobody knows. Our intent is committed before the order exists, so minutes are plenty. */
export const UNKNOWN_ORDER_WAIT_MS = 10 * 60_000;
const FIRST_RETRY_MS = 2_000;
const RETRY_INTERVAL_MAX_MS = 15 * 60_000;

/** When to try a webhook again after `attempts` tries: 2 s, 4 s, 8 s … 15 min; ten tries span a quarter of an hour. */
export function nextAttemptAt(now: Date, attempts: number): Date {
  const wait = Math.min(FIRST_RETRY_MS * 2 ** Math.min(Math.max(attempts - 1, 0), 20), RETRY_INTERVAL_MAX_MS);
  return new Date(now.getTime() + wait);
}

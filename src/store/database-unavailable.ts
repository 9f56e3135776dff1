/**
 * The database could not do the work now: down, out of connections, out of time, or in conflict for too long.
 * Transports answer 503 with Retry-After.
 *
 * `outcome` is 'unknown' when a COMMIT was sent and never answered: the work may have happened. Callers find out by
 * their key, and never report it as refused.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  readonly outcome: 'not_done' | 'unknown';
  readonly retryAfterSeconds = 1;

  constructor(reason: string, options: { readonly cause?: unknown; readonly outcome?: 'not_done' | 'unknown' } = {}) {
    super(reason, { cause: options.cause });
    this.outcome = options.outcome ?? 'not_done';
  }
}

import { ApiError } from './api-error.ts';
import type { ApiAnswer } from './api.ts';

export interface RememberedKey {
  readonly key: string;
  readonly fingerprint: string;
  readonly requestId: string;
  /** Null while the first request still runs. */
  answer: ApiAnswer | null;
}

/** Stripe's idempotency keys, as docs.stripe.com/api/idempotent_requests tells; never purged here. */
export class IdempotencyKeys {
  readonly #keys = new Map<string, RememberedKey>();
  readonly #onFinish: (key: RememberedKey) => void;

  constructor(onFinish: (key: RememberedKey) => void) {
    this.#onFinish = onFinish;
  }

  restore(key: RememberedKey): void {
    this.#keys.set(key.key, key);
  }

  /** The answer to repeat, or null: run it, then call `finish` or `forget`. Throws ApiError for a clash. */
  begin(key: string, fingerprint: string, requestId: string): ApiAnswer | null {
    const known = this.#keys.get(key);
    if (known === undefined) {
      this.#keys.set(key, { key, fingerprint, requestId, answer: null });
      return null;
    }
    if (known.fingerprint !== fingerprint) {
      throw new ApiError(
        400,
        `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
        { type: 'idempotency_error' },
      );
    }
    if (known.answer === null) {
      throw new ApiError(
        409,
        `There is currently another in-progress request using this Idempotent Key (${key}), probably because you submitted twice, and the first has not yet completed.`,
        { type: 'idempotency_error', code: 'idempotency_key_in_use' },
      );
    }
    const headers = { 'idempotent-replayed': 'true', 'original-request': known.requestId };
    return { ...known.answer, headers: { ...known.answer.headers, ...headers } };
  }

  finish(key: string, answer: ApiAnswer): void {
    const known = this.#keys.get(key);
    if (known === undefined) return;
    known.answer = answer;
    this.#onFinish(known);
  }

  /** What was refused before it began is not remembered. */
  forget(key: string): void {
    this.#keys.delete(key);
  }
}

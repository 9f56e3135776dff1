/** One thing wrong with the input. `pointer` is a JSON pointer fragment such as `#/amount`. */
export interface InputError {
  readonly pointer: string;
  readonly detail: string;
}

/** An error the service answered (RFC 9457), or the lack of an answer: then `status` is 0 and `code` is `unreachable`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** Stable; programs decide by it. */
  readonly code: string;
  readonly requestId: string | null;
  readonly errors: readonly InputError[];
  readonly details: Readonly<Record<string, unknown>>;
  /** The key that was sent: sending it again finishes the same call instead of starting another. */
  readonly idempotencyKey: string | null;

  constructor(status: number, body: unknown, idempotencyKey: string | null, options?: ErrorOptions) {
    const facts = isRecord(body) ? body : {};
    super(textOf(facts['detail']) ?? textOf(facts['title']) ?? `the service answered ${status}`, options);
    this.status = status;
    this.code = textOf(facts['code']) ?? 'unknown';
    this.requestId = textOf(facts['request_id']) ?? null;
    this.errors = Array.isArray(facts['errors']) ? (facts['errors'] as InputError[]) : [];
    this.details = isRecord(facts['details']) ? facts['details'] : {};
    this.idempotencyKey = idempotencyKey;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

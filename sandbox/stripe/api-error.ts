/** Stripe's "no". Thrown by handlers, written as its error body by the API. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly type: 'invalid_request_error' | 'api_error' | 'idempotency_error' | 'card_error';
  readonly code: string | null;
  readonly param: string | null;
  /** What a declined card's error tells beside the rest. */
  readonly more: object;

  constructor(
    status: number,
    message: string,
    facts: { type?: ApiError['type']; code?: string; param?: string; more?: object } = {},
  ) {
    super(message);
    this.status = status;
    this.type = facts.type ?? 'invalid_request_error';
    this.code = facts.code ?? null;
    this.param = facts.param ?? null;
    this.more = facts.more ?? {};
  }

  /** Whether something was done before it was said: then an idempotency key remembers it. */
  get isAfterEffect(): boolean {
    return this.type === 'card_error';
  }

  body(requestId: string): object {
    return {
      error: {
        ...(this.code === null ? {} : { code: this.code, doc_url: `https://stripe.com/docs/error-codes/${this.code}` }),
        message: this.message,
        ...(this.param === null ? {} : { param: this.param }),
        request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
        type: this.type,
        ...this.more,
      },
    };
  }
}

export const missing = (noun: string, id: string, param: string): ApiError =>
  new ApiError(404, `No such ${noun}: '${id}'`, { code: 'resource_missing', param });

export const invalid = (param: string, message: string, code = 'parameter_invalid'): ApiError =>
  new ApiError(400, message, { code, param });

import { ProviderFailure } from '../provider.ts';

/** What we need to know of an exception of the SDK, without loading the SDK to ask for its classes. */
export interface SdkError {
  readonly type: string;
  readonly code: string | null;
  readonly statusCode: number | null;
  readonly retryAfterSeconds: number | null;
  readonly cause: unknown;
}

export function readSdkError(error: unknown): SdkError | null {
  if (!(error instanceof Error) || !('type' in error) || typeof error.type !== 'string') return null;
  const read = (key: string): unknown => Object.getOwnPropertyDescriptor(error, key)?.value;
  const code = read('code');
  const statusCode = read('statusCode');
  return {
    type: error.type,
    code: typeof code === 'string' ? code : null,
    statusCode: typeof statusCode === 'number' ? statusCode : null,
    retryAfterSeconds: retryAfter(read('headers')),
    cause: read('detail') ?? error.cause,
  };
}

/**
 * An exception of one attempt as our failure. `isWrite`: the call may change something at Stripe, so an answer that
 * did not arrive or made no sense leaves the outcome unknown. Messages name the kind of failure, never what Stripe
 * wrote: its texts can quote keys and parameters.
 */
export function toProviderFailure(error: unknown, isWrite: boolean): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  const unknownIfWrite = isWrite ? 'unknown' : 'none';
  const sdk = readSdkError(error);
  if (sdk === null) {
    return new ProviderFailure('broken', unknownIfWrite, 'The call to Stripe broke.', { cause: error });
  }
  const inner = findFailure(sdk.cause);
  if (inner !== null) return inner;
  if (sdk.type === 'StripeConnectionError') {
    const neverLeft = NEVER_CONNECTED.has(systemCode(sdk.cause) ?? '');
    const outcome = neverLeft ? 'none' : unknownIfWrite;
    return new ProviderFailure('broken', outcome, 'The connection to Stripe failed.', { cause: error });
  }
  return fromStatus(sdk, unknownIfWrite, error);
}

function fromStatus(sdk: SdkError, unknownIfWrite: 'none' | 'unknown', error: unknown): ProviderFailure {
  const { statusCode, type } = sdk;
  const said = `${statusCode ?? 'no status'}, ${type}${sdk.code === null ? '' : `, ${sdk.code}`}`;
  if (statusCode === 429) {
    const wait = sdk.retryAfterSeconds === null ? '' : ` Retry after ${sdk.retryAfterSeconds} s.`;
    return new ProviderFailure('rate_limited', 'none', `Stripe asks us to slow down.${wait}`, { cause: error });
  }
  // Same key, other parameters: an earlier call with this key had an effect.
  if (type === 'StripeIdempotencyError') {
    return new ProviderFailure('refused', 'unknown', `Stripe refused the call (${said}).`, { cause: error });
  }
  // 409: the first call with this key still runs.
  if (statusCode === null || statusCode >= 500 || statusCode < 400 || statusCode === 409) {
    return new ProviderFailure('broken', unknownIfWrite, `Stripe failed (${said}).`, { cause: error });
  }
  return new ProviderFailure('refused', 'none', `Stripe refused the call (${said}).`, { cause: error });
}

/** Codes of a connection that was never made: the request cannot have had an effect. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** `fetch` wraps the reason, the SDK wraps `fetch`; five levels are more than both use. */
function* causes(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    yield current;
    current = current.cause;
  }
}

function findFailure(error: unknown): ProviderFailure | null {
  for (const cause of causes(error)) if (cause instanceof ProviderFailure) return cause;
  return null;
}

function systemCode(error: unknown): string | null {
  for (const cause of causes(error)) if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return null;
}

function retryAfter(headers: unknown): number | null {
  if (typeof headers !== 'object' || headers === null || !('retry-after' in headers)) return null;
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

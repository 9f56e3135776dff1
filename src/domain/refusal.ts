/**
 * A refusal is an expected "no": returned as a value, one of a closed list, with a sentence for the caller.
 * (A failure, the outside broke, and a bug, an assertion did not hold, are exceptions.)
 */
export const REFUSALS = {
  invalid_request: { status: 400, rpc: -32602, title: 'The request is not valid' },
  signature_missing: { status: 400, rpc: -32020, title: 'The signature is missing' },
  invalid_signature: { status: 400, rpc: -32021, title: 'The signature is not valid' },
  signature_expired: { status: 400, rpc: -32022, title: 'The signature is out of date' },
  sign_in_failed: { status: 400, rpc: -32028, title: 'The sign-in came to nothing' },
  unauthenticated: { status: 401, rpc: -32001, title: 'Sign in or send a credential' },
  insufficient_balance: { status: 402, rpc: -32002, title: 'The wallet does not hold enough' },
  forbidden: { status: 403, rpc: -32003, title: 'Not allowed' },
  cap_reached: { status: 403, rpc: -32031, title: 'The monthly cap does not allow it' },
  reauth_required: { status: 403, rpc: -32027, title: 'Show once more who you are' },
  csrf_failed: { status: 403, rpc: -32023, title: 'The request came from another site' },
  wallet_frozen: { status: 403, rpc: -32009, title: 'The wallet is frozen' },
  wallet_suspended: { status: 403, rpc: -32040, title: 'The wallet is suspended' },
  not_found: { status: 404, rpc: -32004, title: 'Not found' },
  code_unknown: { status: 404, rpc: -32044, title: 'There is no such code' },
  method_not_allowed: { status: 405, rpc: -32024, title: 'Method not allowed' },
  idempotency_in_progress: { status: 409, rpc: -32005, title: 'The first request with this key still runs' },
  state_conflict: { status: 409, rpc: -32006, title: 'The present state does not allow this' },
  code_already_used: { status: 409, rpc: -32041, title: 'The code has been redeemed already' },
  code_used_up: { status: 409, rpc: -32042, title: 'The code is used up' },
  code_not_eligible: { status: 409, rpc: -32043, title: 'The code is for others' },
  node_down: { status: 409, rpc: -32033, title: 'The node was down at the time' },
  quote_changed: { status: 409, rpc: -32030, title: 'It would cost something else than was quoted' },
  no_plan: { status: 409, rpc: -32050, title: 'The wallet has no plan that is paid' },
  quota_reached: { status: 409, rpc: -32051, title: 'All VMs of the plan are in use' },
  pool_empty: { status: 409, rpc: -32052, title: 'No machine is free' },
  body_too_large: { status: 413, rpc: -32025, title: 'The body is too large' },
  unsupported_media_type: { status: 415, rpc: -32026, title: 'Unsupported media type' },
  idempotency_key_reused: { status: 422, rpc: -32007, title: 'The key was used for another request' },
  amount_out_of_range: { status: 422, rpc: -32008, title: 'The amount is out of range' },
  currency_not_supported: { status: 422, rpc: -32010, title: 'The currency is not supported' },
  refund_exceeds_payment: { status: 422, rpc: -32016, title: 'It is more than may still go back' },
  rate_limited: { status: 429, rpc: -32011, title: 'Too many requests' },
  internal: { status: 500, rpc: -32603, title: 'Something broke on our side' },
  provider_error: { status: 502, rpc: -32012, title: 'The payment provider refused or failed' },
  unavailable: { status: 503, rpc: -32013, title: 'Not available at the moment' },
  sign_in_not_configured: { status: 503, rpc: -32029, title: 'This way to sign in is not set up' },
  webhook_not_configured: { status: 503, rpc: -32014, title: 'The webhook is not configured' },
  provider_timeout: { status: 504, rpc: -32015, title: 'The payment provider did not answer in time' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** One thing wrong with the input. `pointer` is a JSON pointer fragment such as `#/amount`. */
export interface InputError {
  readonly pointer: string;
  readonly detail: string;
}

export interface Refusal {
  readonly kind: 'refusal';
  readonly code: RefusalCode;
  /** A sentence for the caller. Never an internal detail, never a secret. */
  readonly message: string;
  /** Facts a program can act on, for example the limits that were passed. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly errors?: readonly InputError[];
  readonly retryAfterSeconds?: number;
}

export function refuse(
  code: RefusalCode,
  message: string,
  extra: Pick<Refusal, 'details' | 'errors' | 'retryAfterSeconds'> = {},
): Refusal {
  return { kind: 'refusal', code, message, ...extra };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'refusal';
}

import { refuse, REFUSALS } from '../domain/refusal.ts';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import { problemOf } from '../operations/problem.ts';
import type { Reply } from '../operations/reply.ts';

/** Ends a request with a refusal before any operation runs. Caught by the app, answered as a problem. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;
  readonly headers: Readonly<Record<string, string>>;

  constructor(refusal: Refusal, headers: Readonly<Record<string, string>> = {}) {
    super(refusal.code);
    this.refusal = refusal;
    this.headers = headers;
  }
}

export function refused(code: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}): Refused {
  return new Refused(refuse(code, message), headers);
}

/** One mistake in the input, at a place. */
export const refusedInput = (pointer: string, detail: string): Refused =>
  new Refused(refuse('invalid_request', 'The request is not valid.', { errors: [{ pointer, detail }] }));

export function problemResponse(
  refusal: Refusal,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(problemOf(refusal, requestId)), {
    status: REFUSALS[refusal.code].status,
    headers: { 'content-type': 'application/problem+json', ...retryAfter(refusal.retryAfterSeconds), ...headers },
  });
}

export function replyResponse(reply: Reply): Response {
  const headers: Record<string, string> = { ...retryAfter(reply.retryAfterSeconds) };
  if (reply.replayed) headers['idempotency-hit'] = 'true';
  if (reply.status === 204) return new Response(null, { status: 204, headers });
  headers['content-type'] = reply.status >= 400 ? 'application/problem+json' : 'application/json';
  return new Response(reply.body, { status: reply.status, headers });
}

const retryAfter = (seconds: number | undefined): Record<string, string> =>
  seconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(seconds))) };

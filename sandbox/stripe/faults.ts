import type { ServerResponse } from 'node:http';
import { spoil } from '../spoil.ts';
import { ApiError } from './api-error.ts';
import type { ApiAnswer, ApiRequest } from './api.ts';
import type { StripeSandbox } from './sandbox.ts';
import type { Fault } from './switches.ts';

const HUGE_BYTES = 5_000_000;

/** Answers one API request in the way a switch asks for. Returns the status that was sent, null for none. */
export async function answerWithFault(
  sandbox: StripeSandbox,
  fault: Fault,
  request: ApiRequest,
  response: ServerResponse,
): Promise<number | null> {
  const { api } = sandbox;
  const { kind, retryAfterSeconds: wait } = fault;
  if (kind === 'timeout-before-effect') return null;
  if (kind === 'error-before-effect') return send(response, api.failure(request));
  if (kind === 'error-stored') return send(response, await api.handle(request, { storeFailure: true }));
  if (kind === 'rate-limit') {
    const error = new ApiError(429, 'Request rate limit exceeded.', { code: 'rate_limit' });
    return send(response, api.refusal(request, error, wait === undefined ? {} : { 'retry-after': String(wait) }));
  }
  if (kind === 'conflict') {
    const error = new ApiError(409, 'There is currently another in-progress request using this Idempotent Key.', {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
    });
    return send(response, api.refusal(request, error));
  }
  return spoilt(kind, api.failure(request), await api.handle(request), response);
}

type SpoiledKind = Exclude<
  Fault['kind'],
  'timeout-before-effect' | 'error-before-effect' | 'rate-limit' | 'conflict' | 'error-stored'
>;

function spoilt(kind: SpoiledKind, failure: ApiAnswer, answer: ApiAnswer, response: ServerResponse): number | null {
  const text = JSON.stringify(answer.body);
  const write = (sent: string, more: Record<string, string> = {}): number => {
    response.writeHead(answer.status, { ...answer.headers, ...more }).end(sent);
    return answer.status;
  };
  if (kind === 'error-after-effect') return send(response, failure);
  if (kind === 'huge') return write(JSON.stringify({ ...answer.body, filler: 'x'.repeat(HUGE_BYTES) }));
  if (kind === 'wrong-content-type') return write(text, { 'content-type': 'text/plain' });
  if (kind === 'other-object')
    return write(JSON.stringify({ ...answer.body, id: 'cs_test_another', client_reference_id: 'another' }));
  return spoil(kind, { status: answer.status, headers: answer.headers, text }, response);
}

export function send(response: ServerResponse, answer: ApiAnswer): number {
  response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body, null, 2));
  return answer.status;
}

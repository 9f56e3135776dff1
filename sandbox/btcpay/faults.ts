import type { ServerResponse } from 'node:http';
import { spoil } from '../spoil.ts';
import type { ApiAnswer, ApiRequest, GreenfieldApi } from './api.ts';
import type { Fault } from './switches.ts';

const HUGE_BYTES = 12_000_000;

const failure: ApiAnswer = {
  status: 500,
  headers: { 'content-type': 'application/json' },
  body: { code: 'server-error', message: 'An unexpected error occurred' },
};

/** Answers one API request in the way a switch asks for. Returns the status that was sent, null for none. */
export function answerWithFault(
  api: GreenfieldApi,
  fault: Fault,
  request: ApiRequest,
  response: ServerResponse,
): number | null {
  const { kind, retryAfterSeconds: wait } = fault;
  if (kind === 'timeout-before-effect') return null;
  if (kind === 'error-before-effect') return send(response, failure);
  if (kind === 'rate-limit') {
    const body = { code: 'too-many-requests', message: 'Slow down' };
    const headers = { ...failure.headers, ...(wait === undefined ? {} : { 'retry-after': String(wait) }) };
    return send(response, { status: 429, headers, body });
  }
  if (kind === 'down') {
    response.writeHead(503, { 'content-type': 'text/html' }).end('<!doctype html><title>Bad gateway</title>');
    return 503;
  }
  return spoilt(kind, api.handle(request), response);
}

type SpoiledKind = Exclude<Fault['kind'], 'timeout-before-effect' | 'error-before-effect' | 'rate-limit' | 'down'>;

function spoilt(kind: SpoiledKind, answer: ApiAnswer, response: ServerResponse): number | null {
  const text = JSON.stringify(answer.body);
  const write = (sent: string, more: Record<string, string> = {}): number => {
    response.writeHead(answer.status, { ...answer.headers, ...more }).end(sent);
    return answer.status;
  };
  if (kind === 'error-after-effect') return send(response, failure);
  if (kind === 'huge') return write(JSON.stringify({ ...answer.body, filler: 'x'.repeat(HUGE_BYTES) }));
  if (kind === 'wrong-content-type') return write(text, { 'content-type': 'text/plain' });
  if (kind === 'other-object')
    return write(JSON.stringify({ ...answer.body, id: 'AnotherInvoice11111111', metadata: { orderId: 'another' } }));
  return spoil(kind, { status: answer.status, headers: answer.headers, text }, response);
}

export function send(response: ServerResponse, answer: ApiAnswer): number {
  response.writeHead(answer.status, answer.headers).end(answer.body === null ? '' : JSON.stringify(answer.body));
  return answer.status;
}

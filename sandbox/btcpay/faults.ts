import type { ServerResponse } from 'node:http';
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
  return spoil(kind, api.handle(request), response);
}

type SpoiledKind = Exclude<Fault['kind'], 'timeout-before-effect' | 'error-before-effect' | 'rate-limit' | 'down'>;

function spoil(kind: SpoiledKind, answer: ApiAnswer, response: ServerResponse): number | null {
  const text = JSON.stringify(answer.body);
  const half = text.slice(0, text.length / 2);
  const write = (body: string, headers: Record<string, string> = {}, status = answer.status): number => {
    response.writeHead(status, { ...answer.headers, ...headers }).end(body);
    return status;
  };
  switch (kind) {
    case 'timeout-after-effect':
      return null;
    case 'error-after-effect':
      return send(response, failure);
    case 'reset-after-effect':
      response.destroy();
      return null;
    case 'reset-in-body':
      response.writeHead(answer.status, { ...answer.headers, 'content-length': String(text.length) });
      response.write(half, () => response.destroy());
      return null;
    case 'hang-in-body':
      response.writeHead(answer.status, answer.headers).write(half);
      return null;
    case 'html':
      return write('<!doctype html><title>Gateway</title>', { 'content-type': 'text/html' }, 200);
    case 'empty-object':
      return write('{}', {}, 200);
    case 'truncated':
      return write(half);
    case 'huge':
      return write(JSON.stringify({ ...answer.body, filler: 'x'.repeat(HUGE_BYTES) }));
    case 'wrong-content-type':
      return write(text, { 'content-type': 'text/plain' });
    case 'redirect':
      return write('', { location: 'http://127.0.0.1:9/elsewhere' }, 301);
    case 'other-object':
      return write(JSON.stringify({ ...answer.body, id: 'AnotherInvoice11111111', metadata: { orderId: 'another' } }));
    default:
      return kind satisfies never;
  }
}

export function send(response: ServerResponse, answer: ApiAnswer): number {
  response.writeHead(answer.status, answer.headers).end(answer.body === null ? '' : JSON.stringify(answer.body));
  return answer.status;
}

import type { ServerResponse } from 'node:http';
import { ApiError, type ApiAnswer, type ApiRequest } from './api.ts';
import type { ClickPesaSandbox } from './sandbox.ts';
import type { Fault } from './switches.ts';

const HUGE_BYTES = 5_000_000;

/** Answers one API request in the way a switch asks for. Returns the status that was sent, null for none. */
export function answerWithFault(
  sandbox: ClickPesaSandbox,
  { kind, retryAfterSeconds: wait }: Fault,
  request: ApiRequest,
  response: ServerResponse,
): number | null {
  const { api } = sandbox;
  const fail = (status: number, message: string, headers = {}): number =>
    send(response, api.failure(new ApiError(status, message)), headers);
  if (kind === 'timeout-before-effect') return null;
  if (kind === 'error-before-effect') return fail(500, 'Error validating fee, try again later');
  if (kind === 'unauthorized') return fail(401, 'Unauthorized');
  if (kind === 'rate-limit') {
    return fail(429, 'Too many requests', wait === undefined ? {} : { 'retry-after': String(wait) });
  }
  const answer = api.handle(request);
  return kind === 'error-after-effect' ? fail(500, 'Internal server error') : spoil(kind, answer, response);
}

type SpoiledKind = Exclude<
  Fault['kind'],
  'timeout-before-effect' | 'error-before-effect' | 'error-after-effect' | 'rate-limit' | 'unauthorized'
>;

function spoil(kind: SpoiledKind, answer: ApiAnswer, response: ServerResponse): number | null {
  const { status } = answer;
  const text = JSON.stringify(answer.body);
  const half = text.slice(0, text.length / 2);
  const write = (body: string, headers: Record<string, string> = {}, as = status): number => {
    response.writeHead(as, { ...JSON_TYPE, ...headers }).end(body);
    return as;
  };
  switch (kind) {
    case 'timeout-after-effect':
      return null;
    case 'reset-after-effect':
      response.destroy();
      return null;
    case 'reset-in-body':
      response.writeHead(status, { ...JSON_TYPE, 'content-length': String(text.length) });
      response.write(half, () => response.destroy());
      return null;
    case 'hang-in-body':
      response.writeHead(status, JSON_TYPE).write(half);
      return null;
    case 'html':
      return write('<!doctype html><title>Gateway</title>', { 'content-type': 'text/html' }, 200);
    case 'empty-object':
      return write('{}', {}, 200);
    case 'truncated':
      return write(half);
    case 'huge':
      return write(JSON.stringify({ filler: 'x'.repeat(HUGE_BYTES) }));
    case 'redirect':
      return write('', { location: 'http://127.0.0.1:9/elsewhere' }, 301);
    case 'other-object':
      return write(text.replaceAll(/"orderReference":"[^"]*"/g, '"orderReference":"ANOTHERORDER"'));
    default:
      return kind satisfies never;
  }
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export function send(response: ServerResponse, answer: ApiAnswer, headers: Record<string, string> = {}): number {
  response.writeHead(answer.status, { ...JSON_TYPE, ...headers }).end(JSON.stringify(answer.body));
  return answer.status;
}

import type { ServerResponse } from 'node:http';
import { spoil } from '../spoil.ts';
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
  return kind === 'error-after-effect' ? fail(500, 'Internal server error') : spoilt(kind, answer, response);
}

type SpoiledKind = Exclude<
  Fault['kind'],
  'timeout-before-effect' | 'error-before-effect' | 'error-after-effect' | 'rate-limit' | 'unauthorized'
>;

function spoilt(kind: SpoiledKind, answer: ApiAnswer, response: ServerResponse): number | null {
  const text = JSON.stringify(answer.body);
  const write = (sent: string, more: Record<string, string> = {}): number => {
    response.writeHead(answer.status, { ...JSON_TYPE, ...more }).end(sent);
    return answer.status;
  };
  if (kind === 'huge') return write(JSON.stringify({ filler: 'x'.repeat(HUGE_BYTES) }));
  if (kind === 'other-object')
    return write(text.replaceAll(/"orderReference":"[^"]*"/g, '"orderReference":"ANOTHERORDER"'));
  return spoil(kind, { status: answer.status, headers: JSON_TYPE, text }, response);
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export function send(response: ServerResponse, answer: ApiAnswer, headers: Record<string, string> = {}): number {
  response.writeHead(answer.status, { ...JSON_TYPE, ...headers }).end(JSON.stringify(answer.body));
  return answer.status;
}

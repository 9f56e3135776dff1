import type { ServerResponse } from 'node:http';
import { serve, type Asked, type ServeOptions } from '../serve.ts';
import { spoil } from '../spoil.ts';
import { takeFault } from '../take-fault.ts';
import { answerApi, type ApiAnswer, type ApiRequest } from './api.ts';
import { control } from './control.ts';
import { vmsPage } from './page.ts';
import type { Fault } from './switches.ts';
import { ProvisionerSandbox, type JournalLine, type SandboxOptions } from './vms.ts';

export interface RunningSandbox {
  /** Of the API, which begins with `/v1`; the page is at `/`. */
  readonly url: string;
  readonly sandbox: ProvisionerSandbox;
  readonly close: () => Promise<void>;
}

const HUGE_BYTES = 2_000_000;

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startProvisionerSandbox(options: SandboxOptions & ServeOptions): Promise<RunningSandbox> {
  const sandbox = new ProvisionerSandbox(options);
  return { ...(await serve((asked, response) => answer(sandbox, asked, response), options)), sandbox };
}

async function answer(
  sandbox: ProvisionerSandbox,
  { method, url, headers, body }: Asked,
  response: ServerResponse,
): Promise<void> {
  const path = url.pathname;
  if (path.startsWith('/_sandbox/')) {
    const { status, body: said } = control(sandbox, method, path, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
  } else if (sandbox.switches.isDown) {
    response.destroy();
  } else if (path.startsWith('/v1/')) {
    const asked = { method, path, query: url.searchParams, authorization: headers['authorization'], body };
    await answerWithFaults(sandbox, asked, response);
  } else if (path === '/' && method === 'GET') {
    const { headers: own, html } = vmsPage(sandbox.all(), nonceOf(sandbox));
    response.writeHead(200, own).end(html);
  } else {
    response.writeHead(404).end();
  }
}

const nonceOf = ({ options }: ProvisionerSandbox): string => Buffer.from(options.random.bytes(16)).toString('base64');

async function answerWithFaults(
  sandbox: ProvisionerSandbox,
  asked: ApiRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, path } = asked;
  const fault = takeFault(
    sandbox.switches.faults,
    (one) =>
      (one.method === undefined || one.method === method) && (one.path === undefined || path.startsWith(one.path)),
  );
  const line: JournalLine = { method, path, status: null, fault: fault?.kind ?? null };
  sandbox.requests.push(line);
  const { apiDelayMs } = sandbox.switches;
  if (apiDelayMs > 0) await sandbox.options.clock.sleep(apiDelayMs);
  const run = (): ApiAnswer => answerApi(sandbox, asked);
  line.status = fault === null ? send(response, run()) : spoilt(fault, run, response);
}

const FAILED: ApiAnswer = { status: 500, body: { code: 'failed', message: 'An unexpected error occurred' } };
const SLOW_DOWN: ApiAnswer = { status: 429, body: { code: 'slow_down', message: 'Too many requests' } };

/** Answers in the way a switch asks for. Returns the status that was sent, null for none. */
function spoilt({ kind, retryAfterSeconds }: Fault, run: () => ApiAnswer, response: ServerResponse): number | null {
  if (kind === 'timeout-before-effect') return null;
  if (kind === 'error-before-effect') return send(response, FAILED);
  if (kind === 'rate-limit') {
    return send(
      response,
      SLOW_DOWN,
      retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    );
  }
  const done = run();
  if (kind === 'error-after-effect') return send(response, FAILED);
  if (kind === 'huge') return send(response, { ...done, body: { ...done.body, filler: 'x'.repeat(HUGE_BYTES) } });
  if (kind === 'other-vm') {
    return send(response, { ...done, body: { ...done.body, allocation_sid: '01ARZ3NDEKTSV4RRFFQ69G5FAW' } });
  }
  return spoil(kind, { status: done.status, headers: JSON_TYPE, text: JSON.stringify(done.body) }, response);
}

const JSON_TYPE = { 'content-type': 'application/json' };

function send(response: ServerResponse, { status, body }: ApiAnswer, headers: Record<string, string> = {}): number {
  response.writeHead(status, { ...JSON_TYPE, ...headers }).end(JSON.stringify(body));
  return status;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApiRequest } from './api.ts';
import { checkoutPage, CHOICES, missingPage, returnUrl, type Choice, type PageAnswer } from './checkout-page.ts';
import { isTestCard } from './cards.ts';
import { control } from './control.ts';
import { takeFault } from '../take-fault.ts';
import { answerWithFault, send } from './faults.ts';
import { StripeSandbox, type JournalRequest, type SandboxOptions } from './sandbox.ts';
import type { Session } from './records.ts';

export interface RunningSandbox {
  readonly url: string;
  readonly sandbox: StripeSandbox;
  readonly close: () => Promise<void>;
}

const BODY_BYTES_MAX = 1_000_000;

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startStripeSandbox(
  options: SandboxOptions & { readonly port?: number; readonly host?: string },
): Promise<RunningSandbox> {
  const { port = 0, host = '127.0.0.1' } = options;
  const sandbox = new StripeSandbox(options);
  const server = createServer((request, response) => {
    void answer(sandbox, options, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  sandbox.publicUrl = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  sandbox.resume();
  return { url: sandbox.publicUrl, sandbox, close: () => close(server, sandbox) };
}

async function close(server: Server, sandbox: StripeSandbox): Promise<void> {
  await sandbox.close();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
}

async function answer(
  sandbox: StripeSandbox,
  options: SandboxOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://sandbox.invalid');
    const body = await readBody(request);
    const method = request.method ?? 'GET';
    if (url.pathname.startsWith('/_sandbox/')) {
      const { status, body: said } = await control(sandbox, method, url.pathname, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
    } else if (url.pathname.startsWith('/c/pay/')) {
      answerPage(sandbox, options, { method, id: url.pathname.slice('/c/pay/'.length), body }, response);
    } else {
      const headers: Record<string, string | undefined> = {};
      for (const [name, value] of Object.entries(request.headers))
        headers[name] = Array.isArray(value) ? value[0] : value;
      await answerApi(
        sandbox,
        options,
        { method, path: url.pathname, query: url.search.slice(1), headers, body },
        response,
      );
    }
  } catch (error) {
    console.error(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

async function answerApi(
  sandbox: StripeSandbox,
  { clock }: SandboxOptions,
  request: ApiRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, path } = request;
  const fault = takeFault(
    sandbox.switches.faults,
    (one) =>
      (one.method === undefined || one.method === request.method) &&
      (one.path === undefined || request.path.startsWith(one.path)),
  );
  const line: JournalRequest = {
    method,
    path,
    idempotencyKey: request.headers['idempotency-key'] ?? null,
    status: null,
    fault: fault?.kind ?? null,
  };
  sandbox.requests.push(line);
  if (fault !== null) {
    line.status = await answerWithFault(sandbox, fault, request, response);
    return;
  }
  const { apiDelayMs } = sandbox.switches;
  const hooks = apiDelayMs > 0 ? { beforeEffect: () => clock.sleep(apiDelayMs) } : {};
  line.status = send(response, await sandbox.api.handle(request, hooks));
}

function answerPage(
  sandbox: StripeSandbox,
  { random }: SandboxOptions,
  request: { readonly method: string; readonly id: string; readonly body: string },
  response: ServerResponse,
): void {
  const nonce = Buffer.from(random.bytes(16)).toString('base64');
  const write = (page: PageAnswer): void => {
    response.writeHead(page.status, page.headers).end(page.html);
  };
  sandbox.state.expireDue();
  const session = sandbox.state.sessions.get(request.id);
  if (session === undefined) return write(missingPage(nonce));
  if (request.method !== 'POST') return write(checkoutPage(session, { nonce, declined: false }));
  const sent = new URLSearchParams(request.body);
  const choice = CHOICES.find((known) => known === sent.get('choice'));
  const next = choice === undefined ? null : choose(sandbox, session, choice, sent.get('card'));
  if (next === null) return write(checkoutPage(session, { nonce, declined: choice === 'decline' }));
  response.writeHead(303, { location: next, 'cache-control': 'no-store' }).end();
}

/**
 * Where the customer goes; null: stays here. A second click on a paid session changes nothing and goes where the
 * first one went.
 */
function choose(sandbox: StripeSandbox, session: Session, choice: Choice, card: string | null): string | null {
  if (choice === 'cancel') return session.cancelUrl === null ? null : returnUrl(session.cancelUrl, session);
  if (choice === 'decline') {
    sandbox.complete(session.id, 'declined');
    return null;
  }
  sandbox.complete(session.id, choice === 'pay' ? 'paid' : choice, isTestCard(card) ? card : 'visa');
  return session.status === 'complete' ? returnUrl(session.successUrl, session) : null;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

import type { ServerResponse } from 'node:http';
import type { ApiRequest } from './api.ts';
import { checkoutPage, CHOICES, missingPage, returnUrl, type Choice, type PageAnswer } from './checkout-page.ts';
import { isTestCard } from './cards.ts';
import { control } from './control.ts';
import { serve, type Asked, type ServeOptions } from '../serve.ts';
import { takeFault } from '../take-fault.ts';
import { answerWithFault, send } from './faults.ts';
import { StripeSandbox, type JournalRequest, type SandboxOptions } from './sandbox.ts';
import type { Session } from './records.ts';

export interface RunningSandbox {
  readonly url: string;
  readonly sandbox: StripeSandbox;
  readonly close: () => Promise<void>;
}

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startStripeSandbox(options: SandboxOptions & ServeOptions): Promise<RunningSandbox> {
  const sandbox = new StripeSandbox(options);
  const { url, close } = await serve((asked, response) => answer(sandbox, options, asked, response), options);
  sandbox.publicUrl = url;
  sandbox.resume();
  return { url, sandbox, close: () => sandbox.close().then(close) };
}

async function answer(
  sandbox: StripeSandbox,
  options: SandboxOptions,
  { method, url, headers, body }: Asked,
  response: ServerResponse,
): Promise<void> {
  if (url.pathname.startsWith('/_sandbox/')) {
    const { status, body: said } = await control(sandbox, method, url.pathname, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
  } else if (url.pathname.startsWith('/c/pay/')) {
    answerPage(sandbox, options, { method, id: url.pathname.slice('/c/pay/'.length), body }, response);
  } else {
    await answerApi(
      sandbox,
      options,
      { method, path: url.pathname, query: url.search.slice(1), headers, body },
      response,
    );
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

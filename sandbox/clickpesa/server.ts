import type { ServerResponse } from 'node:http';
import { serve, type Asked, type ServeOptions } from '../serve.ts';
import { takeFault } from '../take-fault.ts';
import type { ApiRequest } from './api.ts';
import { checkoutPage, CHOICES, missingPage, type PageAnswer } from './checkout-page.ts';
import { control } from './control.ts';
import { answerWithFault, send } from './faults.ts';
import { ClickPesaSandbox, type JournalRequest, type SandboxOptions } from './sandbox.ts';
import type { Link, Payment } from './state.ts';

export interface RunningSandbox {
  /** Of the API, with its path. */
  readonly url: string;
  readonly sandbox: ClickPesaSandbox;
  readonly close: () => Promise<void>;
}

export const API_PATH = '/third-parties';

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startClickPesaSandbox(options: SandboxOptions & ServeOptions): Promise<RunningSandbox> {
  const sandbox = new ClickPesaSandbox(options);
  const { url, close } = await serve((asked, response) => answer(sandbox, options, asked, response), options);
  sandbox.publicUrl = url;
  sandbox.resume();
  return { url: `${url}${API_PATH}`, sandbox, close: () => sandbox.close().then(close) };
}

async function answer(
  sandbox: ClickPesaSandbox,
  options: SandboxOptions,
  { method, url, headers, body }: Asked,
  response: ServerResponse,
): Promise<void> {
  if (url.pathname.startsWith('/_sandbox/')) {
    const { status, body: said } = await control(sandbox, method, url.pathname, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
  } else if (sandbox.switches.isDown) {
    response.destroy();
  } else if (url.pathname.startsWith('/checkout/')) {
    answerPage(sandbox, options, { method, url, body }, response);
  } else if (url.pathname.startsWith(`${API_PATH}/`)) {
    const path = url.pathname.slice(API_PATH.length);
    await answerApi(sandbox, options, { method, path, query: url.searchParams, headers, body }, response);
  } else {
    response.writeHead(404).end();
  }
}

async function answerApi(
  sandbox: ClickPesaSandbox,
  { clock }: SandboxOptions,
  request: ApiRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, path } = request;
  const fault = takeFault(
    sandbox.switches.faults,
    (one) =>
      (one.method === undefined || one.method === method) && (one.path === undefined || path.startsWith(one.path)),
  );
  const line: JournalRequest = { method, path, status: null, fault: fault?.kind ?? null };
  sandbox.requests.push(line);
  if (fault !== null) {
    line.status = answerWithFault(sandbox, fault, request, response);
    return;
  }
  if (sandbox.switches.apiDelayMs > 0) await clock.sleep(sandbox.switches.apiDelayMs);
  line.status = send(response, sandbox.api.handle(request));
}

/** The address of the page without a query shows the last try; with `?again` it asks for a number once more. */
function answerPage(
  sandbox: ClickPesaSandbox,
  { random, returnUrl = null }: SandboxOptions,
  request: { readonly method: string; readonly url: URL; readonly body: string },
  response: ServerResponse,
): void {
  const nonce = Buffer.from(random.bytes(16)).toString('base64');
  const write = (page: PageAnswer): void => {
    response.writeHead(page.status, page.headers).end(page.html);
  };
  const { pathname, searchParams } = request.url;
  const link = sandbox.state.links.get(pathname.slice('/checkout/'.length));
  if (link === undefined) return write(missingPage(nonce));
  const payment = searchParams.has('again') ? null : (sandbox.state.paymentsOf(link.reference).at(-1) ?? null);
  if (request.method !== 'POST') return write(checkoutPage(link, { nonce, returnUrl, payment, problem: null }));
  const problem = choose(sandbox, link, payment, new URLSearchParams(request.body));
  if (problem !== null) return write(checkoutPage(link, { nonce, returnUrl, payment: null, problem }));
  response.writeHead(303, { location: pathname, 'cache-control': 'no-store' }).end();
}

/** Null: done. A second click on a try that is over changes nothing. */
function choose(sandbox: ClickPesaSandbox, link: Link, payment: Payment | null, form: URLSearchParams): string | null {
  const choice = CHOICES.find((known) => known === form.get('choice'));
  if (choice === 'send') {
    const phone = (form.get('phone') ?? '').replaceAll(/[ +-]/g, '');
    if (!/^255[0-9]{9}$/.test(phone)) return 'That is not a number of Tanzania: 255 and nine more digits.';
    sandbox.start(link.reference, phone);
    return null;
  }
  if (payment?.status !== 'PENDING') return null;
  if (choice === 'approve') sandbox.approve(payment);
  else if (choice === 'decline') sandbox.state.become(payment, 'FAILED');
  else if (choice === 'hold') sandbox.state.become(payment, 'ON-HOLD');
  return null;
}

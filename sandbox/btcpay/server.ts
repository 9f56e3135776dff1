import type { ServerResponse } from 'node:http';
import { serve, type Asked, type ServeOptions } from '../serve.ts';
import { takeFault } from '../take-fault.ts';
import type { ApiRequest } from './api.ts';
import { checkoutPage, choose } from './checkout-page.ts';
import { claimPage } from './claim-page.ts';
import { control } from './control.ts';
import { answerWithFault, send } from './faults.ts';
import { missingPage, type PageAnswer } from './page.ts';
import { BtcpaySandbox, type JournalRequest, type SandboxOptions } from './sandbox.ts';

export interface RunningSandbox {
  readonly url: string;
  readonly sandbox: BtcpaySandbox;
  readonly close: () => Promise<void>;
}

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startBtcpaySandbox(options: SandboxOptions & ServeOptions): Promise<RunningSandbox> {
  const sandbox = new BtcpaySandbox(options);
  const { url, close } = await serve((asked, response) => answer(sandbox, options, asked, response), options);
  sandbox.publicUrl = url;
  sandbox.resume();
  return { url, sandbox, close: () => sandbox.close().then(close) };
}

async function answer(
  sandbox: BtcpaySandbox,
  options: SandboxOptions,
  { method, url, headers, body }: Asked,
  response: ServerResponse,
): Promise<void> {
  const { pathname: path, search } = url;
  if (path.startsWith('/_sandbox/')) {
    const { status, body: said } = await control(sandbox, method, path, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
  } else if (path.startsWith('/api/')) {
    await answerApi(sandbox, options, { method, path, query: search.slice(1), headers, body }, response);
  } else {
    answerPage(sandbox, options, { method, path, body }, response);
  }
}

async function answerApi(
  sandbox: BtcpaySandbox,
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
  const { apiDelayMs } = sandbox.switches;
  if (apiDelayMs > 0) await clock.sleep(apiDelayMs);
  line.status =
    fault === null
      ? send(response, sandbox.api.handle(request))
      : answerWithFault(sandbox.api, fault, request, response);
}

function answerPage(
  sandbox: BtcpaySandbox,
  { random }: SandboxOptions,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string },
  response: ServerResponse,
): void {
  const nonce = Buffer.from(random.bytes(16)).toString('base64');
  const [, noun, id = ''] = path.split('/');
  const form = new URLSearchParams(body);
  const write = (page: PageAnswer): void => {
    response.writeHead(page.status, page.headers).end(page.html);
  };
  const see = (location: string): void => {
    response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
  };
  sandbox.invoices.tick();
  const invoice = noun === 'i' ? sandbox.books.invoices.get(id) : undefined;
  const pullPayment = noun === 'pull-payments' ? sandbox.books.pullPayments.get(id) : undefined;
  if (invoice !== undefined) {
    if (method !== 'POST') return write(checkoutPage(sandbox, invoice, nonce));
    return see(choose(sandbox, invoice, form.get('choice')) ?? path);
  }
  if (pullPayment === undefined) return write(missingPage(nonce));
  if (method !== 'POST') return write(claimPage(sandbox, pullPayment, nonce, null));
  const payout = sandbox.claim(pullPayment, { destination: form.get('destination') ?? '' });
  return typeof payout === 'string' ? write(claimPage(sandbox, pullPayment, nonce, payout)) : see(path);
}

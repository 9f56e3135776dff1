import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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

const BODY_BYTES_MAX = 1_000_000;

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startBtcpaySandbox(
  options: SandboxOptions & { readonly port?: number; readonly host?: string },
): Promise<RunningSandbox> {
  const { port = 0, host = '127.0.0.1' } = options;
  const sandbox = new BtcpaySandbox(options);
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

async function close(server: Server, sandbox: BtcpaySandbox): Promise<void> {
  await sandbox.close();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
}

async function answer(
  sandbox: BtcpaySandbox,
  options: SandboxOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { pathname: path, search } = new URL(request.url ?? '/', 'http://sandbox.invalid');
    const body = await readBody(request);
    const method = request.method ?? 'GET';
    if (path.startsWith('/_sandbox/')) {
      const { status, body: said } = await control(sandbox, method, path, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
    } else if (path.startsWith('/api/')) {
      const headers: Record<string, string | undefined> = {};
      for (const [name, value] of Object.entries(request.headers))
        headers[name] = Array.isArray(value) ? value[0] : value;
      await answerApi(sandbox, options, { method, path, query: search.slice(1), headers, body }, response);
    } else {
      answerPage(sandbox, options, { method, path, body }, response);
    }
  } catch (error) {
    console.error(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
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

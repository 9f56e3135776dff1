import type { ServerResponse } from 'node:http';
import { spoil } from '../spoil.ts';
import { serve, type Asked, type ServeOptions } from '../serve.ts';
import { takeFault } from '../take-fault.ts';
import { answerApi, type ApiAnswer, type ApiRequest } from './api.ts';
import { control } from './control.ts';
import { inboxPage, missingPage, nodesPage, type PageAnswer } from './inbox-page.ts';
import { MyceliumSandbox, type SandboxOptions } from './network.ts';
import { eightGroups, type PlayNode } from './node.ts';
import type { Fault } from './switches.ts';

export interface RunningSandbox {
  /** Of the service's own node; another node's daemon is below `/nodes/{name}`, and every inbox at `/inbox`. */
  readonly url: string;
  readonly sandbox: MyceliumSandbox;
  readonly close: () => Promise<void>;
}

const HUGE_BYTES = 5_000_000;

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: like the real one it asks nobody who they are. */
export async function startMyceliumSandbox(options: SandboxOptions & ServeOptions): Promise<RunningSandbox> {
  const sandbox = new MyceliumSandbox(options);
  const { url, close } = await serve((asked, response) => answer(sandbox, options, asked, response), options);
  return {
    url,
    sandbox,
    close: async () => {
      sandbox.close();
      await close();
    },
  };
}

async function answer(
  sandbox: MyceliumSandbox,
  options: SandboxOptions,
  { method, url, body }: Asked,
  response: ServerResponse,
): Promise<void> {
  const { node, path } = daemonOf(sandbox, url.pathname);
  if (url.pathname.startsWith('/_sandbox/')) {
    const { status, body: said } = control(sandbox, method, url.pathname, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said, null, 2));
  } else if (sandbox.switches.isDown) {
    response.destroy();
  } else if (url.pathname === '/inbox' || url.pathname.startsWith('/inbox/')) {
    answerPage(sandbox, options, { method, url, body }, response);
  } else if (node !== null && path.startsWith('/api/v1/')) {
    const asked = { method, path: path.slice('/api/v1'.length), query: url.searchParams, body };
    await answerDaemon(sandbox, node, asked, response);
  } else {
    response.writeHead(404).end();
  }
}

/** Whose daemon a path is of. */
export function daemonOf(sandbox: MyceliumSandbox, pathname: string): { node: PlayNode | null; path: string } {
  const [, name, path] = /^\/nodes\/([a-z0-9-]+)(\/.*)$/.exec(pathname) ?? [];
  if (name === undefined || path === undefined) return { node: sandbox.own, path: pathname };
  return { node: sandbox.node(name), path };
}

async function answerDaemon(
  sandbox: MyceliumSandbox,
  node: PlayNode,
  request: ApiRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, path } = request;
  const fault = takeFault(
    sandbox.switches.faults,
    (one) =>
      (one.method === undefined || one.method === method) && (one.path === undefined || path.startsWith(one.path)),
  );
  const line = { method, path, status: null as number | null, fault: fault?.kind ?? null };
  sandbox.requests.push(line);
  const run = (): Promise<ApiAnswer> => answerApi(sandbox, node, request);
  line.status = fault === null ? send(response, await run()) : await answerWithFault(fault.kind, run, response);
}

const FAILED: ApiAnswer = { status: 500, text: null, type: 'text/plain; charset=utf-8' };

/** Answers in the way a switch asks for. Returns the status that was sent, null for none. */
async function answerWithFault(
  kind: Fault['kind'],
  run: () => Promise<ApiAnswer>,
  response: ServerResponse,
): Promise<number | null> {
  if (kind === 'timeout-before-effect') return null;
  if (kind === 'error-before-effect') return send(response, FAILED);
  const done = await run();
  if (kind === 'error-after-effect') return send(response, FAILED);
  if (kind === 'huge') return send(response, { ...done, text: JSON.stringify({ filler: 'x'.repeat(HUGE_BYTES) }) });
  return spoil(
    kind,
    { status: done.status, headers: { 'content-type': done.type }, text: done.text ?? '{}' },
    response,
  );
}

function send(response: ServerResponse, { status, text, type }: ApiAnswer): number {
  if (text === null) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': type }).end(text);
  return status;
}

/** The pages of the nodes' owners: who has which address, what came, and a reply to it. */
function answerPage(
  sandbox: MyceliumSandbox,
  { random }: SandboxOptions,
  { method, url, body }: { readonly method: string; readonly url: URL; readonly body: string },
  response: ServerResponse,
): void {
  const nonce = Buffer.from(random.bytes(16)).toString('base64');
  const write = (page: PageAnswer): void => {
    response.writeHead(page.status, page.headers).end(page.html);
  };
  const goTo = (location: string): void => {
    response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
  };
  const form = new URLSearchParams(body);
  const [, , name = ''] = url.pathname.split('/');
  if (name === '') {
    // The service's own is nobody's to sign in as.
    const nodes = sandbox.nodes().filter((node) => node !== sandbox.own);
    if (method !== 'POST') return write(nodesPage(nodes, nonce, null));
    const added = sandbox.add(form.get('name') ?? '');
    if (added !== null) return goTo(`/inbox/${added.name}`);
    const problem = 'A name has 1 to 20 small letters, digits or dashes; or there are enough nodes.';
    return write({ ...nodesPage(nodes, nonce, problem), status: 400 });
  }
  const node = sandbox.node(name);
  if (node === null) return write(missingPage(nonce));
  if (method !== 'POST') {
    const isReplied = url.searchParams.has('replied');
    return write(inboxPage(node, sandbox.arrived(node), { nonce, isReplied }));
  }
  const to = eightGroups(form.get('to') ?? '');
  const replyTo = form.get('id') ?? '';
  if (to !== null && /^[0-9a-f]{16}$/.test(replyTo)) {
    sandbox.send(node, { to, topic: Buffer.alloc(0), payload: Buffer.from(form.get('text') ?? ''), replyTo });
  }
  goTo(`/inbox/${name}?replied`);
}

import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { answerApi, no, type ApiAnswer, type ApiRequest } from './api.ts';
import { GitRepository } from './git-repository.ts';
import { ForgeLogin, type LoginOptions } from './login/login.ts';
import type { PageAnswer } from './login/page.ts';
import { calm, faultSchema, switchesSchema, type Fault, type Switches } from './switches.ts';
import { serve, type Asked, type ServeOptions } from '../serve.ts';
import { takeFault } from '../take-fault.ts';

export interface ForgeSandboxOptions extends Omit<ServeOptions, 'bodyBytesMax'> {
  /** The bare repository; made if it is not there. */
  readonly folder: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
  readonly branch?: string;
  readonly now: () => Date;
  /** The application that people may sign in to; absent: there is none. */
  readonly login?: LoginOptions;
}

export interface JournalLine {
  readonly method: string;
  readonly path: string;
  /** Null: none was sent, or not yet. */
  status: number | null;
  readonly fault: Fault['kind'] | null;
}

export interface RunningForge {
  readonly url: string;
  readonly git: GitRepository;
  readonly switches: Switches;
  readonly journal: JournalLine[];
  /** Null: no application is registered. */
  readonly login: ForgeLogin | null;
  close(): Promise<void>;
}

/** A file of 10 MiB in base64, and more than one of the usual size. */
const BODY_BYTES_MAX = 32 * 1_048_576;

/** Starts the simulator on a port (0: a free one). Bound to loopback unless told otherwise: it controls itself. */
export async function startForgeSandbox(options: ForgeSandboxOptions): Promise<RunningForge> {
  const { branch = 'main' } = options;
  const login = options.login === undefined ? null : new ForgeLogin(options.login, options.now);
  const git = new GitRepository(options.folder, branch);
  const forge = { git, switches: calm(), journal: [] as JournalLine[], login };
  const { url, close } = await serve((asked, response) => answer(forge, options, asked, response), {
    ...options,
    bodyBytesMax: BODY_BYTES_MAX,
  });
  return { url, ...forge, close };
}

type Forge = Pick<RunningForge, 'git' | 'switches' | 'journal' | 'login'>;

function answer(
  forge: Forge,
  options: ForgeSandboxOptions,
  { method, url, headers, body }: Asked,
  response: ServerResponse,
): void {
  if (url.pathname.startsWith('/_sandbox/')) {
    send(response, control(forge, options, { method, path: url.pathname, body }));
    return;
  }
  const asked = { method, url, body, authorization: headers['authorization'] };
  if (forge.login?.isPage(asked) === true) {
    sendPage(forge.login.page(asked), response);
    return;
  }
  const fault = takeFault(
    forge.switches.faults,
    (fault) =>
      (fault.method === undefined || fault.method === method) &&
      (fault.path === undefined || url.pathname.includes(fault.path)),
  );
  const line: JournalLine = {
    method,
    path: `${url.pathname}${url.search}`,
    status: null,
    fault: fault?.kind ?? null,
  };
  forge.journal.push(line);
  line.status = answerWithFault(forge, options, { fault, asked }, response);
}

interface Request {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly authorization: string | undefined;
}

function route({ git, switches, login }: Forge, options: ForgeSandboxOptions, asked: Request): ApiAnswer {
  const signIn = login?.answer(asked, asked.url.origin, switches) ?? null;
  if (signIn !== null) return signIn;
  const [, scheme, token] = /^(token|Bearer) (.+)$/.exec(asked.authorization ?? '') ?? [];
  if (scheme === undefined || token !== options.token) return no(401, 'invalid username, password or token');
  const request = requestOf(options, asked);
  return request === null ? no(404, 'The target couldn’t be found.') : answerApi(git, switches, request, options.now());
}

/** Null: another repository. */
function requestOf({ repository }: ForgeSandboxOptions, { method, url, body }: Request): ApiRequest | null {
  const [, api, version, repos, owner, name, ...parts] = url.pathname.split('/').map(decodeURIComponent);
  if (api !== 'api' || version !== 'v1' || repos !== 'repos' || `${owner}/${name}` !== repository) return null;
  return { method, parts: parts.filter((part) => part !== ''), query: url.searchParams, body };
}

interface Judged {
  readonly fault: Fault | null;
  readonly asked: Request;
}

/** Answers as a switch asks for; without one, as a Forge does. The status that was sent, null for none. */
function answerWithFault(
  forge: Forge,
  options: ForgeSandboxOptions,
  { fault, asked }: Judged,
  response: ServerResponse,
): number | null {
  if (fault === null) return send(response, route(forge, options, asked));
  const { kind, retryAfterSeconds: wait } = fault;
  if (kind === 'timeout-before-effect') return null;
  if (kind === 'error-before-effect') return send(response, no(500, 'Internal Server Error'));
  if (kind === 'rate-limit') {
    return send(response, no(429, 'Too Many Requests'), wait === undefined ? {} : { 'retry-after': String(wait) });
  }
  if (kind === 'rival') {
    writeAsRival(forge, options, asked);
    return send(response, route(forge, options, asked));
  }
  return spoil(kind, route(forge, options, asked), response);
}

type SpoiledKind = Exclude<Fault['kind'], 'timeout-before-effect' | 'error-before-effect' | 'rate-limit' | 'rival'>;

function spoil(kind: SpoiledKind, done: ApiAnswer, response: ServerResponse): number | null {
  const text = JSON.stringify(done.body);
  const half = text.slice(0, text.length / 2);
  switch (kind) {
    case 'timeout-after-effect':
      return null;
    case 'error-after-effect':
      return send(response, no(500, 'Internal Server Error'));
    case 'reset-after-effect':
      response.destroy();
      return null;
    case 'reset-in-body':
      response.writeHead(done.status, { 'content-type': 'application/json', 'content-length': String(text.length) });
      response.write(half, () => response.destroy());
      return null;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Gateway</title>');
      return 200;
    case 'empty-object':
      return send(response, { status: 200, body: {} });
    case 'truncated':
      response.writeHead(done.status, { 'content-type': 'application/json' }).end(half);
      return done.status;
    case 'truncated-content':
      return send(response, { ...done, body: withHalfContent(done.body) });
    case 'huge':
      return send(response, { ...done, body: { filler: 'x'.repeat(17 * 1_048_576) } });
    case 'redirect':
      response.writeHead(301, { location: 'http://127.0.0.1:9/elsewhere' }).end();
      return 301;
    default:
      return kind satisfies never;
  }
}

function withHalfContent(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('content' in body) || typeof body.content !== 'string')
    return body;
  return { ...body, content: Buffer.from(body.content, 'base64').subarray(0, 40).toString('base64') };
}

/** Another writer, between the reading and the writing of the one who asks: each file of the request gets a record of theirs. */
function writeAsRival({ git, journal }: Forge, options: ForgeSandboxOptions, { url, body }: Request): void {
  const at = decodeURIComponent(url.pathname).split('/contents/')[1];
  const { files = [] } = JSON.parse(body) as { files?: { path: string }[] };
  const paths = at === undefined ? files.map(({ path }) => path) : [at];
  const head = git.head();
  const changes = new Map(
    paths.map((path) => {
      const there = head === null ? null : git.find(head, path);
      const before = there === null ? '' : git.blob(there.sha).toString('utf8');
      const record = `[[records]]\nidempotency_key = "rival-${journal.length}"\n`;
      return [path, { content: Buffer.from(`${before}\n${record}`) }];
    }),
  );
  git.commit(changes, { message: 'a rival writer', at: options.now() });
}

const putSchema = z.strictObject({
  path: z.string().min(1),
  text: z.string().nullable(),
  mode: z.enum(['100644', '120000']).optional(),
});

interface Controlled {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** `/_sandbox/…`: what a test or a smoke run says to the simulator besides being its client. */
function control(forge: Forge, options: ForgeSandboxOptions, { method, path, body }: Controlled): ApiAnswer {
  const { git, switches, journal } = forge;
  const sent: unknown = body === '' ? {} : JSON.parse(body);
  switch (`${method} ${path.slice('/_sandbox/'.length)}`) {
    case 'GET switches':
      return { status: 200, body: switches };
    case 'POST switches':
      return { status: 200, body: Object.assign(switches, switchesSchema.partial().parse(sent)) };
    case 'DELETE switches':
      return { status: 200, body: Object.assign(switches, calm()) };
    case 'POST faults':
      switches.faults.push(faultSchema.parse(sent));
      return { status: 200, body: switches };
    case 'GET journal':
      return { status: 200, body: journal };
    case 'GET people':
      return { status: 200, body: [...(forge.login?.state.people.values() ?? [])] };
    case 'POST files': {
      const { path: at, text, mode } = putSchema.parse(sent);
      const change = text === null ? null : { content: Buffer.from(text), ...(mode === undefined ? {} : { mode }) };
      return {
        status: 201,
        body: { commit: git.commit(new Map([[at, change]]), { message: 'by hand', at: options.now() }) },
      };
    }
    default:
      return no(404, `No such control: ${method} ${path}`);
  }
}

function send(response: ServerResponse, { status, body }: ApiAnswer, headers: Record<string, string> = {}): number {
  response
    .writeHead(status, { 'content-type': 'application/json;charset=utf-8', ...headers })
    .end(JSON.stringify(body));
  return status;
}

function sendPage(page: PageAnswer | string, response: ServerResponse): void {
  if (typeof page === 'string') response.writeHead(303, { location: page, 'cache-control': 'no-store' }).end();
  else response.writeHead(page.status, page.headers).end(page.html);
}

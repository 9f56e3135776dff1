import type { Wire } from '../src/operations/registry.ts';
import { ProblemError } from './problem.ts';
import { ROUTES } from './routes.ts';

export type OperationName = keyof Wire;
export type Input<N extends OperationName> = Wire[N]['input'];
export type Output<N extends OperationName> = Wire[N]['output'];

export interface ClientOptions {
  /** Where the service is: `https://wallet.example.org`. Empty for pages of the service itself. */
  readonly url: string;
  /** A session's token. */
  readonly token?: string;
  /** For operators' programs; never in a browser. */
  readonly adminSecret?: string;
  /** What sends requests; by default the platform's `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Waits before a repetition; by default a timer. */
  readonly sleep?: (ms: number) => Promise<void>;
}

export interface CallOptions {
  /** By default a new random one. Keep it and send it again when the outcome is unknown. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly value: T;
  /** Whether this is the first answer to the key again. */
  readonly isReplayed: boolean;
}

export interface Client {
  /** The operation's output. Throws {@link ProblemError}. */
  call<N extends OperationName>(name: N, input: Input<N>, options?: CallOptions): Promise<Output<N>>;
  /** The same, and whether it happened before. */
  answer<N extends OperationName>(name: N, input: Input<N>, options?: CallOptions): Promise<Answer<Output<N>>>;
}

const ATTEMPTS_MAX = 4;
const WAIT_SECONDS_MAX = 30;

/**
 * A client without dependencies. Safe to repeat: 429, 503, and a connection that broke, are tried again with the same
 * idempotency key, as often as {@link ATTEMPTS_MAX} says, if the call reads or has a key.
 */
export function createClient(options: ClientOptions): Client {
  const answer: Client['answer'] = async (name, input, callOptions = {}) => {
    const route = ROUTES[name];
    const key = route.idempotency === 'none' ? null : (callOptions.idempotencyKey ?? crypto.randomUUID());
    const isRepeatable = route.method === 'GET' || key !== null;
    const request = requestOf(options, route, input, key, callOptions.signal);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await attemptOnce<Output<typeof name>>(options, request, key);
      if (!(outcome instanceof ProblemError)) return outcome;
      const waitMs = isRepeatable && attempt < ATTEMPTS_MAX ? waitOf(outcome, attempt) : null;
      if (waitMs === null || callOptions.signal?.aborted === true) throw outcome;
      await (options.sleep ?? sleep)(waitMs);
    }
  };
  return { answer, call: async (name, input, callOptions) => (await answer(name, input, callOptions)).value };
}

interface Route {
  readonly method: string;
  readonly path: string;
}

interface PreparedRequest {
  readonly url: string;
  readonly init: RequestInit;
}

function requestOf(
  options: ClientOptions,
  route: Route,
  input: object,
  key: string | null,
  signal?: AbortSignal,
): PreparedRequest {
  const rest: Record<string, unknown> = { ...input };
  const path = route.path.replaceAll(/\{([a-z_]+)\}/g, (_, field: string) => {
    const value = String(rest[field]);
    delete rest[field];
    return encodeURIComponent(value);
  });
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  if (options.adminSecret !== undefined) headers['x-hero-onboarding-admin-secret'] = options.adminSecret;
  if (key !== null) headers['idempotency-key'] = key;
  const init: RequestInit = { method: route.method, headers, ...(signal ? { signal } : {}) };
  if (route.method === 'GET') return { url: `${options.url}${path}${queryOf(rest)}`, init };
  headers['content-type'] = 'application/json';
  return { url: `${options.url}${path}`, init: { ...init, body: JSON.stringify(rest) } };
}

function queryOf(rest: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined) query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return query.size > 0 ? `?${query.toString()}` : '';
}

async function attemptOnce<T>(
  options: ClientOptions,
  { url, init }: PreparedRequest,
  key: string | null,
): Promise<Answer<T> | ProblemError> {
  let response: Response;
  let text: string;
  try {
    response = await (options.fetch ?? fetch)(url, init);
    text = await response.text();
  } catch (cause) {
    return new ProblemError(0, { code: 'unreachable', detail: `${options.url} did not answer.` }, key, { cause });
  }
  const body = parse(text);
  if (response.ok) return { value: body as T, isReplayed: response.headers.get('idempotency-hit') === 'true' };
  return new ProblemError(response.status, withRetryAfter(body, response), key);
}

function withRetryAfter(body: unknown, response: Response): unknown {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (typeof body !== 'object' || body === null || !Number.isFinite(seconds)) return body;
  const details = 'details' in body && typeof body.details === 'object' ? body.details : {};
  return { ...body, details: { ...details, retry_after_seconds: seconds } };
}

/** Null: the problem will not go away by itself. */
function waitOf(problem: ProblemError, attempt: number): number | null {
  if (problem.status !== 0 && problem.status !== 429 && problem.status !== 503) return null;
  const asked = problem.details['retry_after_seconds'];
  const seconds = typeof asked === 'number' ? asked : 2 ** (attempt - 1) / 4;
  return seconds <= WAIT_SECONDS_MAX ? seconds * 1_000 : null;
}

function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

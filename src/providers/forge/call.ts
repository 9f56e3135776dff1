import type { Ports } from '../../ports/ports.ts';
import { ForgeFailure } from '../usage-repository.ts';

export interface ForgeCall {
  /** For crash points and messages: 'read a file'. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/api/v1`, each part encoded. */
  readonly path: string;
  readonly body?: object;
}

/** Any answer below 500 but 401, 403 and 429: what it means is the caller's to say. `body` is undefined when it is no JSON. */
export interface ForgeAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type CallForge = (call: ForgeCall) => Promise<ForgeAnswer>;

/** From the first byte sent to the last byte read, repeated tries included. */
const DEADLINE_MS = 30_000;
const ATTEMPTS_MAX = 3;
const BACK_OFF_FIRST_MS = 500;
const RETRY_AFTER_SECONDS_MAX = 5;
/** A file of 8 MiB in base64, or a folder with 20,000 files. */
const ANSWER_BYTES_MAX = 16 * 1_048_576;

/**
 * Calls to a Forge's REST API: no redirects (the token would follow), a bounded answer, a total deadline on the clock port.
 *
 * Reads are tried again after what passes; writes are not, because only who reads again knows what became of them.
 * Throws ForgeFailure and nothing else.
 */
export function forgeCaller(options: {
  readonly url: string;
  readonly token: string;
  readonly ports: Ports;
}): CallForge {
  const { ports } = options;
  return async (call) => {
    const label = call.name.replaceAll(' ', '-');
    await ports.crash.reach(`forge:before:${label}`);
    const answer = await withDeadline(ports, call, (signal) => withRetries(ports, call, signal, options));
    await ports.crash.reach(`forge:after:${label}`);
    return answer;
  };
}

const outcomeOf = ({ method }: ForgeCall): ForgeFailure['outcome'] => (method === 'GET' ? 'none' : 'unknown');

async function withDeadline<T>(ports: Ports, call: ForgeCall, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const request = new AbortController();
  const timer = new AbortController();
  const expiry = ports.clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
    // Woken early by `timer`: the race is over and nobody looks at this rejection.
    const late = new ForgeFailure('timeout', outcomeOf(call), `The Forge did not answer in time (${call.name}).`);
    request.abort(late);
    throw late;
  });
  expiry.catch(() => undefined);
  const answer = run(request.signal);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, expiry]);
  } finally {
    timer.abort('answered');
  }
}

type Options = Parameters<typeof forgeCaller>[0];

async function withRetries(ports: Ports, call: ForgeCall, signal: AbortSignal, options: Options): Promise<ForgeAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(call, signal, options);
    } catch (error) {
      const failure = error instanceof Passing ? error : null;
      const mayTryAgain = call.method === 'GET' && attempt < ATTEMPTS_MAX && !signal.aborted;
      if (failure === null || !mayTryAgain || failure.retryAfterSeconds > RETRY_AFTER_SECONDS_MAX) {
        throw toFailure(error, call);
      }
      const [jitter = 0] = ports.random.bytes(1);
      const backOffMs = BACK_OFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + jitter / 512);
      await ports.clock.sleep(Math.max(backOffMs, failure.retryAfterSeconds * 1_000), signal);
    }
  }
}

/** What may be gone at the next try. */
class Passing extends Error {
  readonly failure: ForgeFailure;
  readonly retryAfterSeconds: number;
  constructor(failure: ForgeFailure, retryAfterSeconds = 0) {
    super(failure.message);
    this.failure = failure;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

function toFailure(error: unknown, call: ForgeCall): ForgeFailure {
  if (error instanceof Passing) return error.failure;
  if (error instanceof ForgeFailure) return error;
  return new ForgeFailure('broken', outcomeOf(call), `The call to the Forge broke (${call.name}).`, { cause: error });
}

async function once(call: ForgeCall, signal: AbortSignal, { url, token, ports }: Options): Promise<ForgeAnswer> {
  const answer = await send(call, signal, { url, token, ports });
  const { status } = answer;
  if (status >= 300 && status < 400) {
    await answer.body?.cancel();
    throw new ForgeFailure(
      'refused',
      'none',
      'The Forge answered with a redirect, which is not followed: has the repository moved?',
    );
  }
  const bytes = await readBody(answer, call);
  if (status === 401 || status === 403) {
    throw new ForgeFailure(
      'refused',
      'none',
      `The Forge refused (${call.name}, ${status}): look at FORGE_USAGE_TOKEN, its scope (write:repository, read:repository), and the protection of the branch.`,
    );
  }
  if (status === 429) {
    const seconds = Number(answer.headers.get('retry-after'));
    const wait = Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
    throw new Passing(new ForgeFailure('rate_limited', 'none', 'The Forge asks us to slow down.'), wait);
  }
  const body = parseJson(bytes);
  if (status >= 500) {
    throw new Passing(new ForgeFailure('broken', outcomeOf(call), `The Forge failed (${call.name}, ${status}).`));
  }
  // A route that is not there may be told by a proxy, in its own words; what was read, and what was done, only by the Forge.
  if (body === undefined && (status < 300 || call.method === 'GET')) {
    throw new Passing(
      new ForgeFailure('broken', outcomeOf(call), `The Forge answered ${status} without JSON (${call.name}).`),
    );
  }
  return { status, body };
}

async function send(call: ForgeCall, signal: AbortSignal, { url, token, ports }: Options): Promise<Response> {
  try {
    return await ports.http.fetch(`${url}/api/v1${call.path}`, {
      method: call.method,
      headers: {
        // Both Forgejo and Gitea take this form.
        authorization: `token ${token}`,
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    const outcome = hasNeverLeft(error) ? 'none' : outcomeOf(call);
    throw new Passing(
      new ForgeFailure('broken', outcome, `The connection to the Forge failed (${call.name}).`, { cause: error }),
    );
  }
}

/** Codes of a connection that was never made: the request cannot have had an effect. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

function hasNeverLeft(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && 'code' in cause && NEVER_CONNECTED.has(String(cause.code));
}

async function readBody(answer: Response, call: ForgeCall): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      size += chunk.byteLength;
      if (size > ANSWER_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new Passing(
      new ForgeFailure('broken', outcomeOf(call), `The Forge's answer broke off (${call.name}).`, { cause: error }),
    );
  }
  if (size > ANSWER_BYTES_MAX) {
    throw new ForgeFailure(
      'broken',
      outcomeOf(call),
      `The Forge answered with more than ${ANSWER_BYTES_MAX} bytes (${call.name}).`,
    );
  }
  return Buffer.concat(chunks, size);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

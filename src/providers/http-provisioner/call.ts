import type { Ports } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';
import { toUnknown } from '../unknown-outcome.ts';

export interface CallOptions {
  /** Where the back end is; may end in a path. */
  readonly url: string;
  readonly token: string;
  readonly ports: Ports;
}

export interface Asked {
  /** For crash points and messages: `create`. */
  readonly name: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** From `/v1` on. */
  readonly path: string;
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON; undefined where it is none. */
  readonly body: unknown;
}

/** From the first byte of the first try to the last byte of the last. */
const DEADLINE_MS = 15_000;
const ATTEMPTS_MAX = 3;
const BACK_OFF_FIRST_MS = 500;
/** A longer wait is the caller's: it comes again by itself. */
const RETRY_AFTER_SECONDS_MAX = 3;
/** A page of the list with a thousand VMs. */
const ANSWER_BYTES_MAX = 1_000_000;

/**
 * One call: no redirects (the token would follow), a bounded answer, a total deadline on the clock port. Every call of the contract may be
 * made again, so what passes by itself is tried up to three times.
 *
 * Answers 2xx, 404 and 409; throws ProviderFailure for everything else. What one try may have done stays unknown, whatever a later one says.
 */
export async function callBackEnd(options: CallOptions, asked: Asked): Promise<Answer> {
  const { clock, crash } = options.ports;
  await crash.reach(`provisioner:before:${asked.name}`);
  const request = new AbortController();
  const timer = new AbortController();
  const expiry = clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
    // Woken early by `timer`: the race is over and nobody looks at this rejection.
    const late = new ProviderFailure('timeout', outcomeOf(asked), 'The provisioner did not answer in time.');
    request.abort(late);
    throw late;
  });
  expiry.catch(() => undefined);
  const answer = withRetries(options, request.signal, asked);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, expiry]);
  } finally {
    timer.abort('answered');
    await crash.reach(`provisioner:after:${asked.name}`);
  }
}

async function withRetries(options: CallOptions, signal: AbortSignal, asked: Asked): Promise<Answer> {
  const { ports } = options;
  let isInDoubt = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOnce(options, signal, asked);
    } catch (error) {
      const failure = toFailure(error, asked);
      isInDoubt ||= failure.outcome === 'unknown';
      const waitSeconds = failure instanceof SlowDown ? failure.retryAfterSeconds : 0;
      const mayRetry = PASSING.has(failure.kind) && waitSeconds <= RETRY_AFTER_SECONDS_MAX;
      if (!mayRetry || attempt >= ATTEMPTS_MAX || signal.aborted) throw isInDoubt ? toUnknown(failure) : failure;
      await ports.clock.sleep(Math.max(backOffMs(ports, attempt), waitSeconds * 1_000), signal);
      if (signal.aborted) throw failure;
    }
  }
}

const PASSING: ReadonlySet<ProviderFailure['kind']> = new Set(['broken', 'rate_limited']);

/** Half of the wait is jitter. */
function backOffMs({ random }: Ports, attempt: number): number {
  const [jitter = 0] = random.bytes(1);
  return BACK_OFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + jitter / 512);
}

class SlowDown extends ProviderFailure {
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super('rate_limited', 'none', message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

async function askOnce({ url, token, ports }: CallOptions, signal: AbortSignal, asked: Asked): Promise<Answer> {
  const answer = await ports.http.fetch(`${url.replace(/\/+$/, '')}${asked.path}`, {
    method: asked.method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    redirect: 'manual',
    signal,
  });
  const { status } = answer;
  const isAnswer = (status >= 200 && status < 300) || status === 404 || status === 409;
  if (!isAnswer) {
    await answer.body?.cancel();
    throw fromStatus(answer, asked);
  }
  return { status, body: parse(await readText(answer, asked)) };
}

function fromStatus({ status, headers }: Response, asked: Asked): ProviderFailure {
  const said = `The provisioner answered ${status} (${asked.name}).`;
  const seconds = Number(headers.get('retry-after') ?? 0);
  if (status === 429) return new SlowDown(said, Number.isFinite(seconds) && seconds > 0 ? seconds : 0);
  if (status >= 400 && status < 500) return new ProviderFailure('refused', 'none', said);
  return new ProviderFailure('broken', outcomeOf(asked), said);
}

async function readText(answer: Response, asked: Asked): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX) throw broken(asked, `answered with more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const outcomeOf = ({ method }: Asked): ProviderFailure['outcome'] => (method === 'GET' ? 'none' : 'unknown');

/** It answered, and nobody can say what it has done. */
export const broken = (asked: Asked, what: string): ProviderFailure =>
  new ProviderFailure('broken', outcomeOf(asked), `The provisioner ${what} (${asked.name}).`);

function toFailure(error: unknown, asked: Asked): ProviderFailure {
  for (const cause of causes(error)) if (cause instanceof ProviderFailure) return cause;
  const neverLeft = [...causes(error)].some((cause) => 'code' in cause && NEVER_CONNECTED.has(String(cause.code)));
  const outcome = neverLeft ? 'none' : outcomeOf(asked);
  return new ProviderFailure('broken', outcome, `The provisioner could not be reached (${asked.name}).`, {
    cause: error,
  });
}

/** Codes of a connection that was never made: the request cannot have had an effect. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** `fetch` wraps the reason; five levels are more than it uses. */
function* causes(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    yield current;
    current = current.cause;
  }
}

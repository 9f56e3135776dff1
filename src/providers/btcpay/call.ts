import type { Ports } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';
import { toUnknown } from '../unknown-outcome.ts';

export interface CallOptions {
  /** Where the server is; may end in a path. */
  readonly url: string;
  readonly apiKey: string;
  readonly ports: Ports;
}

export interface Asked {
  /** For the crash points: `create-invoice`. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** From `/api` on. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON; null where there is none. */
  readonly body: unknown;
}

/** Answers 2xx, 404 and what the request itself is refused for (400, 422); throws ProviderFailure for everything else. */
export type Ask = (asked: Asked) => Promise<Answer>;

/** All requests of one method of the provider together, waiting included. */
const DEADLINE_MS = 20_000;
const ATTEMPTS_MAX = 3;
const BACK_OFF_FIRST_MS = 500;
/** A longer wait is the caller's: somebody is looking at a page. */
const RETRY_AFTER_SECONDS_MAX = 3;
/** Refunds are listed without pages: room for some ten thousand of them. */
const ANSWER_BYTES_MAX = 10_000_000;

/**
 * Runs one method of the provider with a deadline over all its requests. Readings are tried again; whatever changes something is
 * not, because BTCPay Server has no idempotency keys: whoever asks for it has to look first whether it was done.
 */
export async function withDeadline<T>(
  options: CallOptions,
  outcomeWhenLate: ProviderFailure['outcome'],
  run: (ask: Ask, wait: (attempt: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { clock } = options.ports;
  const request = new AbortController();
  const timer = new AbortController();
  const expiry = clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
    // Woken early by `timer`: the race is over and nobody looks at this rejection.
    const late = new ProviderFailure('timeout', outcomeWhenLate, 'BTCPay Server did not answer in time.');
    request.abort(late);
    throw late;
  });
  expiry.catch(() => undefined);
  const { signal } = request;
  const wait = (attempt: number): Promise<void> => clock.sleep(backOffMs(options.ports, attempt), signal);
  try {
    return await Promise.race([run((asked) => askAgain(options, signal, asked), wait), expiry]);
  } catch (error) {
    const isLookLost = error instanceof ProviderFailure && error.kind === 'broken' && error.outcome === 'none';
    // An attempt before this one may have made it, and we could not see.
    throw isLookLost && outcomeWhenLate === 'unknown' ? toUnknown(error) : error;
  } finally {
    timer.abort('answered');
  }
}

async function askAgain(options: CallOptions, signal: AbortSignal, asked: Asked): Promise<Answer> {
  const { crash } = options.ports;
  await crash.reach(`btcpay:before:${asked.name}`);
  const answer = await withRetries(options, signal, asked);
  await crash.reach(`btcpay:after:${asked.name}`);
  return answer;
}

async function withRetries(options: CallOptions, signal: AbortSignal, asked: Asked): Promise<Answer> {
  const { ports } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOnce(options, signal, asked);
    } catch (error) {
      const failure = toFailure(error, asked);
      const mayRetry = asked.method === 'GET' && attempt < ATTEMPTS_MAX && !signal.aborted && isPassing(failure);
      if (!mayRetry) throw failure;
      const waitMs = Math.max(backOffMs(ports, attempt), (failure.retryAfterSeconds ?? 0) * 1000);
      await ports.clock.sleep(waitMs, signal);
    }
  }
}

/** Half of the wait is jitter. */
function backOffMs({ random }: Ports, attempt: number): number {
  const [jitter = 0] = random.bytes(1);
  return BACK_OFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + jitter / 512);
}

class AnswerFailure extends ProviderFailure {
  readonly retryAfterSeconds: number | null;
  constructor(
    kind: ProviderFailure['kind'],
    outcome: ProviderFailure['outcome'],
    message: string,
    wait: number | null,
  ) {
    super(kind, outcome, message);
    this.retryAfterSeconds = wait;
  }
}

const isPassing = (failure: ProviderFailure & { readonly retryAfterSeconds?: number | null }): boolean =>
  (failure.kind === 'broken' || failure.kind === 'rate_limited') &&
  (failure.retryAfterSeconds ?? 0) <= RETRY_AFTER_SECONDS_MAX;

async function askOnce({ url, apiKey, ports }: CallOptions, signal: AbortSignal, asked: Asked): Promise<Answer> {
  const address = new URL(`${url.replace(/\/+$/, '')}${asked.path}`);
  for (const [name, value] of Object.entries(asked.query ?? {})) address.searchParams.set(name, value);
  const answer = await ports.http.fetch(address, {
    method: asked.method,
    headers: {
      authorization: `token ${apiKey}`,
      accept: 'application/json',
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    // The key would follow.
    redirect: 'manual',
    signal,
  });
  const { status } = answer;
  const isAnswer = (status >= 200 && status < 300) || status === 400 || status === 404 || status === 422;
  if (!isAnswer) {
    await answer.body?.cancel();
    throw fromStatus(answer, asked);
  }
  const text = await readText(answer, asked);
  if (text.trim() === '') return { status, body: null };
  if (!/^application\/json\b/i.test(answer.headers.get('content-type') ?? '')) {
    throw broken(asked, `BTCPay Server answered ${status} with something that is not JSON.`);
  }
  return { status, body: parseJson(text, asked) };
}

function fromStatus(answer: Response, asked: Asked): ProviderFailure {
  const { status } = answer;
  const said = `BTCPay Server answered ${status} to ${asked.name}.`;
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const wait = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  if (status === 429) return new AnswerFailure('rate_limited', 'none', said, wait);
  if (status >= 400 && status < 500) return new ProviderFailure('refused', 'none', said);
  return new AnswerFailure('broken', outcomeOf(asked), said, wait);
}

async function readText(answer: Response, asked: Asked): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX)
      throw broken(asked, `BTCPay Server answered with more than ${ANSWER_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

function parseJson(text: string, asked: Asked): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken(asked, 'BTCPay Server answered with something that is not JSON.');
  }
}

const outcomeOf = (asked: Asked): ProviderFailure['outcome'] => (asked.method === 'GET' ? 'none' : 'unknown');
const broken = (asked: Asked, message: string): ProviderFailure =>
  new ProviderFailure('broken', outcomeOf(asked), message);

function toFailure(error: unknown, asked: Asked): ProviderFailure & { readonly retryAfterSeconds?: number | null } {
  for (const cause of causes(error)) if (cause instanceof ProviderFailure) return cause;
  const neverLeft = [...causes(error)].some((cause) => 'code' in cause && NEVER_CONNECTED.has(String(cause.code)));
  const outcome = neverLeft ? 'none' : outcomeOf(asked);
  return new ProviderFailure('broken', outcome, 'The connection to BTCPay Server failed.', { cause: error });
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

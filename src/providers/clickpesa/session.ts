import { z } from 'zod';
import type { Ports } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';
import { toUnknown } from '../unknown-outcome.ts';
import { exchange, saidIn, type ApiAnswer, type ApiRequest } from './call.ts';

export interface SessionOptions {
  readonly clientId: string;
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly ports: Ports;
}

/** A request with our token on it, and tries when the trouble may pass. Throws ProviderFailure; 404 and 409 are answers. */
export type Ask = (request: Omit<ApiRequest, 'headers'>, deadline: AbortSignal) => Promise<ApiAnswer>;

/** A token is good for an hour; one that is about to end is not begun with. */
const TOKEN_MS = 55 * 60_000;
const ATTEMPTS_MAX = 3;
const BACK_OFF_FIRST_MS = 500;
/** A longer wait is the caller's: somebody is looking at a page. */
const RETRY_AFTER_SECONDS_MAX = 3;

/**
 * Keeps the token. Switching checksums on or off in ClickPesa's dashboard ends every token, so an answer 401 is asked
 * again once with a new one.
 */
export function openSession(options: SessionOptions): Ask {
  const { apiUrl, ports } = options;
  const tokens = tokenKeeper(options);
  const authorized = async (request: Omit<ApiRequest, 'headers'>, deadline: AbortSignal): Promise<ApiAnswer> => {
    for (let isSecond = false; ; isSecond = true) {
      const token = await tokens.get(deadline);
      const headers: Record<string, string> = { authorization: token };
      if (request.body !== undefined) headers['content-type'] = 'application/json';
      const answer = await exchange(ports, apiUrl, { ...request, headers }, deadline);
      if (answer.status !== 401 || isSecond) return accepted(answer, request.isWrite);
      tokens.drop(token);
    }
  };
  return async (request, deadline) => {
    let mayBeDone = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await authorized(request, deadline);
      } catch (error) {
        const waitMs = attempt < ATTEMPTS_MAX && !deadline.aborted ? retryWaitMs(error, attempt, ports) : null;
        // Whatever is answered to a later try says nothing of an earlier one that had no answer.
        mayBeDone ||= error instanceof ProviderFailure && error.outcome === 'unknown';
        if (waitMs === null) throw mayBeDone && error instanceof ProviderFailure ? toUnknown(error) : error;
        await ports.clock.sleep(waitMs, deadline);
      }
    }
  };
}

class RetryLater extends ProviderFailure {
  readonly afterSeconds: number | null;
  constructor(afterSeconds: number | null, message: string) {
    super('rate_limited', 'none', message);
    this.afterSeconds = afterSeconds;
  }
}

function accepted(answer: ApiAnswer, isWrite: boolean): ApiAnswer {
  const { status, body, retryAfterSeconds } = answer;
  if ((status >= 200 && status < 300) || status === 404 || status === 409) return answer;
  const cause = new Error(saidIn(body));
  if (status === 429) throw new RetryLater(retryAfterSeconds, 'ClickPesa asks us to slow down.');
  if (status >= 500 || status < 400) {
    throw new ProviderFailure('broken', isWrite ? 'unknown' : 'none', `ClickPesa failed (${status}).`, { cause });
  }
  throw new ProviderFailure('refused', 'none', `ClickPesa refused the call (${status}).`, { cause });
}

/** Null: another try would not help, or would have to wait for too long. Half of the wait is jitter. */
function retryWaitMs(error: unknown, attempt: number, ports: Ports): number | null {
  if (!(error instanceof ProviderFailure) || (error.kind !== 'broken' && error.kind !== 'rate_limited')) return null;
  const afterSeconds = error instanceof RetryLater ? (error.afterSeconds ?? 0) : 0;
  if (afterSeconds > RETRY_AFTER_SECONDS_MAX) return null;
  const [jitter = 0] = ports.random.bytes(1);
  return Math.max(BACK_OFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + jitter / 512), afterSeconds * 1000);
}

const tokenShape = z.object({ token: z.string().min(1).max(10_000) });

interface Tokens {
  get(deadline: AbortSignal): Promise<string>;
  drop(token: string): void;
}

function tokenKeeper({ clientId, apiKey, apiUrl, ports }: SessionOptions): Tokens {
  let known: { readonly token: string; readonly untilMs: number } | null = null;
  return {
    get: async (deadline) => {
      const nowMs = ports.clock.monotonicMs();
      if (known !== null && nowMs < known.untilMs) return known.token;
      const headers = { 'client-id': clientId, 'api-key': apiKey };
      const request = { method: 'POST', path: '/generate-token', headers, isWrite: false } as const;
      const { status, body } = await exchange(ports, apiUrl, request, deadline);
      const token = tokenIn(status, body);
      known = { token, untilMs: nowMs + TOKEN_MS };
      return token;
    },
    drop: (token) => {
      if (known?.token === token) known = null;
    },
  };
}

function tokenIn(status: number, body: unknown): string {
  if (status === 429) throw new RetryLater(null, 'ClickPesa asks us to slow down.');
  const cause = new Error(saidIn(body));
  if (status === 401 || status === 403) {
    throw new ProviderFailure(
      'refused',
      'none',
      `ClickPesa does not accept the client id or the API key (${status}).`,
      {
        cause,
      },
    );
  }
  const read = tokenShape.safeParse(body);
  if (status < 200 || status >= 300 || !read.success) {
    throw new ProviderFailure('broken', 'none', `ClickPesa gave no token (${status}).`, { cause });
  }
  // It comes with the word in front; a bare one is completed.
  return /^Bearer /i.test(read.data.token) ? read.data.token : `Bearer ${read.data.token}`;
}

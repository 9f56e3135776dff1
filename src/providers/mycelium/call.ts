import type { Ports } from '../../ports/ports.ts';
import { MessengerFailure } from '../messenger.ts';

export interface MyceliumCall {
  /** For crash points and messages: 'look up a key'. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1`, each part encoded. */
  readonly path: string;
  readonly body?: object;
}

/** Any answer below 500: what it means is the caller's to say. `body` is undefined when it is no JSON. */
export interface MyceliumAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type CallMycelium = (call: MyceliumCall) => Promise<MyceliumAnswer>;

/** A person waits, and the daemon is on this machine or beside it. */
const DEADLINE_MS = 5_000;
/** Above what a daemon holds of one message. */
const ANSWER_BYTES_MAX = 256 * 1_024;

/**
 * Calls to a Mycelium daemon: no redirects, a bounded answer, a total deadline on the clock port, one try.
 *
 * Throws MessengerFailure and nothing else.
 */
export function myceliumCaller({ url, ports }: { readonly url: string; readonly ports: Ports }): CallMycelium {
  return async (call) => {
    const label = call.name.replaceAll(' ', '-');
    await ports.crash.reach(`mycelium:before:${label}`);
    const request = new AbortController();
    const timer = new AbortController();
    const expiry = ports.clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
      // Woken early by `timer`: the race is over and nobody looks at this rejection.
      const late = failure('timeout', call, 'did not answer in time');
      request.abort(late);
      throw late;
    });
    expiry.catch(() => undefined);
    const answer = once(`${url}/api/v1${call.path}`, call, request.signal, ports);
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, expiry]);
    } catch (error) {
      throw error instanceof MessengerFailure ? error : failure('broken', call, 'could not be reached', error);
    } finally {
      timer.abort('answered');
      await ports.crash.reach(`mycelium:after:${label}`);
    }
  };
}

/** A look-up changes nothing; whatever else was asked may have been done. */
export const failure = (
  kind: MessengerFailure['kind'],
  { name }: MyceliumCall,
  what: string,
  cause?: unknown,
): MessengerFailure =>
  new MessengerFailure(
    kind,
    name === LOOK_UP ? 'none' : 'unknown',
    `The Mycelium daemon ${what} (${name}).`,
    cause === undefined ? {} : { cause },
  );

export const LOOK_UP = 'look up a key';

async function once(url: string, call: MyceliumCall, signal: AbortSignal, ports: Ports): Promise<MyceliumAnswer> {
  const answer = await ports.http.fetch(url, {
    method: call.method,
    headers: {
      accept: 'application/json',
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    redirect: 'manual',
    signal,
  });
  const { status } = answer;
  if (status >= 300 && status < 400) {
    await answer.body?.cancel();
    throw failure('broken', call, 'answered with a redirect, which is not followed');
  }
  const bytes = await readBody(answer, call);
  if (status >= 500) throw failure('broken', call, `failed with ${status}`);
  return { status, body: parseJson(bytes) };
}

async function readBody(answer: Response, call: MyceliumCall): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX) throw failure('broken', call, `answered with more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
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

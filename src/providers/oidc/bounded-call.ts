import type { CustomFetch } from 'openid-client';
import type { Ports } from '../../ports/ports.ts';
import { SignInFailure } from '../identity-provider.ts';

/** From the first byte sent to the last byte read. A person waits. */
const DEADLINE_MS = 10_000;
/** A key set with many keys has some 20 KB. */
const ANSWER_BYTES_MAX = 500_000;

/**
 * `fetch` for an issuer: no redirects (the secret would follow), a bounded answer, a deadline on the clock port. An answer of 5xx or 429
 * and no answer at all are the issuer being away. Throws SignInFailure and nothing else.
 */
export function boundedCall(ports: Ports): CustomFetch {
  return async (url, init) => {
    const label = `oidc:${init.method.toLowerCase()}:${new URL(url).pathname}`;
    await ports.crash.reach(`${label}:before`);
    // The library's bodies are forms; it declares more than it sends.
    const { headers, method } = init;
    const body = (init.body ?? null) as NonNullable<RequestInit['body']> | null;
    const answer = await withDeadline(ports, (signal) =>
      call(ports, url, { method, headers, body, redirect: 'manual', signal }),
    );
    await ports.crash.reach(`${label}:after`);
    return answer;
  };
}

async function withDeadline<T>(ports: Ports, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const request = new AbortController();
  const timer = new AbortController();
  const expiry = ports.clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
    // Woken early by `timer`: the race is over and nobody looks at this rejection.
    const late = new SignInFailure('unreachable', 'The issuer did not answer in time.');
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

async function call(ports: Ports, url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    answer = await ports.http.fetch(url, init);
    bytes = await readBody(answer);
  } catch (error) {
    if (error instanceof SignInFailure) throw error;
    throw new SignInFailure('unreachable', 'The connection to the issuer failed.', { cause: error });
  }
  const { status, headers } = answer;
  if (status >= 300 && status < 400)
    throw new SignInFailure('misconfigured', 'The issuer answered with a redirect, which is not followed.');
  if (status >= 500 || status === 429) throw new SignInFailure('unreachable', `The issuer answered ${status}.`);
  return new Response(bytes, { status, headers });
}

async function readBody(answer: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX)
      throw new SignInFailure('unreachable', `The issuer answered with more than ${ANSWER_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

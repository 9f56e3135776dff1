import type { HttpClient } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';

/** A hundred expanded sessions take about 400 KB. */
const ANSWER_BYTES_MAX = 1_000_000;

/**
 * `fetch` for an API that holds our money: no redirects (the key would follow), JSON only, at most 1 MB, and the
 * body read here, so that the caller's deadline covers a server that sends one byte a second.
 *
 * Throws ProviderFailure; `isWrite` decides whether a senseless answer leaves the outcome unknown.
 */
export function boundedFetch(http: HttpClient, deadline: AbortSignal): typeof fetch {
  return async (input, init = {}) => {
    const outcome = init.method === 'POST' ? 'unknown' : 'none';
    const broken = (message: string): ProviderFailure => new ProviderFailure('broken', outcome, message);
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    const answer = await http.fetch(input, { ...init, signal, redirect: 'manual' });
    if (answer.status >= 300 && answer.status < 400) {
      await answer.body?.cancel();
      throw broken('Stripe answered with a redirect, which is not followed.');
    }
    if (!/^application\/json\b/i.test(answer.headers.get('content-type') ?? '')) {
      await answer.body?.cancel();
      throw broken(`Stripe answered ${answer.status} with something that is not JSON.`);
    }
    const body = await readBody(answer, broken);
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
}

async function readBody(
  answer: Response,
  broken: (message: string) => ProviderFailure,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX) throw broken(`Stripe answered with more than ${ANSWER_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

import type { Ports } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';
import { parseExact } from './exact-json.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  /** Below the API's address, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Whether it may change something: then an answer that is lost or makes no sense leaves the outcome unknown. */
  readonly isWrite: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds: number | null;
}

/** A hundred payments take about 60 KB. */
const ANSWER_BYTES_MAX = 1_000_000;

/**
 * One HTTP exchange: no redirects (the token would follow), JSON only, at most 1 MB, the body read before the deadline.
 * Shape: any status that came with JSON. Throws ProviderFailure.
 */
export async function exchange(
  { http }: Ports,
  apiUrl: string,
  request: ApiRequest,
  deadline: AbortSignal,
): Promise<ApiAnswer> {
  const outcome = request.isWrite ? 'unknown' : 'none';
  const broken = (message: string, cause?: unknown): ProviderFailure =>
    new ProviderFailure('broken', outcome, message, { cause });
  try {
    const { method, headers, body } = request;
    const answer = await http.fetch(`${apiUrl}${request.path}`, {
      method,
      headers: { accept: 'application/json', ...headers },
      redirect: 'manual',
      signal: deadline,
      ...(body === undefined ? {} : { body }),
    });
    return await readAnswer(answer, broken);
  } catch (error) {
    if (error instanceof ProviderFailure) throw error;
    if (NEVER_CONNECTED.has(systemCode(error) ?? '')) {
      throw new ProviderFailure('broken', 'none', 'No connection to ClickPesa could be made.', { cause: error });
    }
    throw broken('The connection to ClickPesa failed.', error);
  }
}

async function readAnswer(answer: Response, broken: (message: string) => ProviderFailure): Promise<ApiAnswer> {
  const { status } = answer;
  const type = answer.headers.get('content-type') ?? '';
  if ((status >= 300 && status < 400) || !/^application\/json\b/i.test(type)) {
    await answer.body?.cancel();
    throw broken(`ClickPesa answered ${status} with something that is not JSON.`);
  }
  const text = await readText(answer, broken);
  try {
    return { status, body: parseExact(text), retryAfterSeconds: retryAfter(answer.headers) };
  } catch {
    throw broken(`ClickPesa answered ${status} with broken JSON.`);
  }
}

async function readText(answer: Response, broken: (message: string) => ProviderFailure): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX) throw broken(`ClickPesa answered with more than ${ANSWER_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** Codes of a connection that was never made: the request cannot have had an effect. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** `fetch` wraps the reason; three levels are more than it uses. */
function systemCode(error: unknown): string | null {
  let current = error;
  for (let depth = 0; depth < 3 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    current = current.cause;
  }
  return null;
}

function retryAfter(headers: Headers): number | null {
  const text = headers.get('retry-after');
  return text !== null && /^[0-9]{1,6}$/.test(text) ? Number(text) : null;
}

/** What ClickPesa says went wrong, for the log alone: one text or several, of any length. */
export function saidIn(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : null;
  const texts = (Array.isArray(message) ? message : [message]).filter((text) => typeof text === 'string');
  return texts.join('; ').slice(0, 300) || 'nothing was said';
}

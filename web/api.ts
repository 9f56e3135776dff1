/** The only place of the pages that talks to the server. Same origin, cookie session, problem+json errors. */
import { askProof } from './proof.ts';

interface ProblemBody {
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly code?: string;
  readonly request_id?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** What went wrong, as a sentence for the person at the screen. `status` 0: no answer came, so the outcome is unknown. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  /** By field: `#/amount` in the answer is `amount` here, `#/rungs/0/multiplier` is `rungs/0/multiplier`. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? 'The server answered with an error.');
    this.status = status;
    this.code = body.code ?? 'unknown';
    this.requestId = body.request_id ?? null;
    this.fields = new Map((body.errors ?? []).map((error) => [error.pointer.replace(/^#?\//, ''), error.detail]));
  }

  /** Whether the same request may still succeed, or may already have: then its idempotency key is kept. */
  get isUnsettled(): boolean {
    return this.status === 0 || this.status >= 500 || [408, 409, 429].includes(this.status);
  }
}

/** The problem as far as no field of the form shows it already; null when all of it has a place. */
export function unplaced(problem: Problem | null, hasPlace: (field: string) => boolean): Problem | null {
  if (problem === null || problem.fields.size === 0) return problem;
  return [...problem.fields.keys()].every(hasPlace) ? null : problem;
}

const UNREACHABLE: ProblemBody = {
  code: 'unreachable',
  detail: 'The server did not answer. Check your connection and try again; nothing is done twice.',
};

/** Sentences for answers that carry none: a proxy in front of the server speaks HTML. */
function bare(status: number): ProblemBody {
  if (status === 429) return { detail: 'Too many requests. Wait a moment and try again.' };
  return { detail: `The server answered with an error (${status}). Try again in a moment.` };
}

interface Options {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** Of the session, as it was last read: what a cookie vouches for must come with it. */
let formToken: string | null = null;
export function keepFormToken(token: string | null): void {
  formToken = token;
}

function urlOf(path: string, query: Options['query']): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Reads the body as JSON. Shape: `null` when there is none or it is something else. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Sends a request; where the server wants to know once more who it is, that is asked, and the same request goes again. */
async function send<T>(method: Method, path: string, options: Options): Promise<T> {
  try {
    return await sendOnce<T>(method, path, options);
  } catch (error) {
    const isAsked = error instanceof Problem && error.code === 'reauth_required';
    if (!isAsked || !(await askProof())) throw error;
    return await sendOnce<T>(method, path, options);
  }
}

async function sendOnce<T>(method: Method, path: string, options: Options): Promise<T> {
  const headers = new Headers({ accept: 'application/json' });
  const hasBody = method === 'POST' || method === 'PATCH';
  if (hasBody) headers.set('content-type', 'application/json');
  if (method !== 'GET' && formToken !== null) headers.set('x-form-token', formToken);
  if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey);
  let response: Response;
  try {
    response = await fetch(urlOf(path, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(hasBody && { body: JSON.stringify(options.body ?? {}) }),
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, UNREACHABLE);
  }
  const body = await jsonOf(response);
  if (!response.ok) throw new Problem(response.status, (body as ProblemBody | null) ?? bare(response.status));
  return body as T;
}

export const get = <T>(path: string, options: Pick<Options, 'query' | 'signal'> = {}): Promise<T> =>
  send('GET', path, options);

/** Rows that one page of a list may have at most. */
const PAGE_ROWS_MAX = 200;
/** 5,000 rows: past that a page shows a part and says so. */
const PAGES_MAX = 25;

/** All rows of a list, or as many as a screen can use. */
export interface Rows<T> {
  readonly items: readonly T[];
  /** False: there are more than were read. */
  readonly isWhole: boolean;
}

/** Reads a list page after page, for what is grouped, summed or sorted here. */
export async function getAll<T>(path: string, options: Pick<Options, 'query' | 'signal'> = {}): Promise<Rows<T>> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query: Options['query'] = { ...options.query, limit: PAGE_ROWS_MAX, cursor: cursor ?? undefined };
    const answer: { readonly items: readonly T[]; readonly next_cursor: string | null } = await get(path, {
      ...options,
      query,
    });
    items.push(...answer.items);
    cursor = answer.next_cursor;
    if (cursor === null) return { items, isWhole: true };
  }
  return { items, isWhole: false };
}

export const post = <T>(
  path: string,
  body: Readonly<Record<string, unknown>> = {},
  options: Pick<Options, 'idempotencyKey'> = {},
): Promise<T> => send('POST', path, { ...options, body });

export const patch = <T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T> =>
  send('PATCH', path, { body });

export const remove = <T>(path: string): Promise<T> => send('DELETE', path, {});

export const seg = (text: string): string => encodeURIComponent(text);

/** A file, as the browser keeps it: a large one need not fit in memory. */
export async function getFile(path: string): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store' });
    if (response.ok) return await response.blob();
  } catch {
    throw new Problem(0, UNREACHABLE);
  }
  throw new Problem(response.status, ((await jsonOf(response)) as ProblemBody | null) ?? bare(response.status));
}

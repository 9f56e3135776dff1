import { csvLine, type Cell } from '../domain/export/csv.ts';
import { checkAccess } from '../operations/admission.ts';
import { execute } from '../operations/execute.ts';
import { operationByName } from '../operations/registry.ts';
import type { userExport } from '../operations/user/export.ts';
import { assert } from '../domain/assert.ts';
import { isRefusal } from '../domain/refusal.ts';
import type { z } from 'zod';
import type { App, AppContext, Site } from './context.ts';
import { identify } from './credentials.ts';
import { Refused, replyResponse } from './refused.ts';

type Page = z.output<typeof userExport.output>;

/** How a walk through an export is written down as a file. */
interface Form {
  readonly extension: 'json' | 'csv';
  readonly contentType: string;
  /** Only this part; left out: everything. */
  readonly part?: string;
  /** Makes a writer for one file: the text of each answer, in order. */
  readonly writer: () => (page: Page) => string;
}

/** `user.export` from its first answer to its last as one file. */
export function addExportRoutes(app: App, site: Site): void {
  for (const form of FORMS) app.get(`/v1/users/:sid/export.${form.extension}`, (c) => exportFile(site, c, form));
}

async function exportFile(site: Site, c: AppContext, form: Form): Promise<Response> {
  c.set('operation', 'user.export');
  const operation = operationByName('user.export');
  assert(operation !== undefined, 'the registry has the export');
  const barred = checkAccess(site.house, operation, await identify(site, c));
  if (isRefusal(barred)) throw new Refused(barred);
  const sid = c.req.param('sid') ?? '';
  const requestId = c.get('requestId');
  // Asked anew for each stretch: who signs out, or is signed out, gets no more of it.
  const read = async (cursor: string | null) =>
    execute(site.house, operation, {
      actor: await identify(site, c),
      input: { sid, ...(form.part !== undefined && { part: form.part }), ...(cursor !== null && { cursor }) },
      idempotencyKey: null,
      requestId,
    });
  // What is refused is refused before the file begins.
  const first = await read(null);
  if (first.status !== 200) return replyResponse(first);
  const pages = walk(JSON.parse(first.body) as Page, async (cursor) => {
    const reply = await read(cursor);
    // The file breaks off, and whoever reads it sees that it is not whole.
    if (reply.status !== 200) throw new Error(`an export broke off: ${reply.status}`);
    return JSON.parse(reply.body) as Page;
  });
  return new Response(textOf(pages, form.writer()), {
    headers: {
      'content-type': form.contentType,
      'content-disposition': `attachment; filename="hero-onboarding-${sid}.${form.extension}"`,
    },
  });
}

async function* walk(first: Page, next: (cursor: string) => Promise<Page>): AsyncGenerator<Page> {
  for (let page = first; ;) {
    yield page;
    if (page.next_cursor === null) return;
    page = await next(page.next_cursor);
  }
}

/** A page is read when the reader has taken the one before: a large account takes time, not memory. */
function textOf(pages: AsyncGenerator<Page>, write: (page: Page) => string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (stream) => {
      const page = await pages.next();
      if (page.done === true) stream.close();
      else stream.enqueue(encoder.encode(write(page.value)));
    },
    cancel: async () => {
      await pages.return(undefined);
    },
  });
}

/** One document: a part that was read in several stretches is one list. */
function jsonWriter(): (page: Page) => string {
  let part: string | null = null;
  let hasRecords = false;
  return ({ records, next_cursor: next, ...page }) => {
    let text = '';
    if (page.part !== part) {
      const about = `{"user_sid":${JSON.stringify(page.user_sid)},"begun_at":${JSON.stringify(page.begun_at)}`;
      text += `${part === null ? about : ']'},\n${JSON.stringify(page.part)}:[`;
      part = page.part;
      hasRecords = false;
    }
    for (const record of records) {
      text += `${hasRecords ? ',' : ''}\n${JSON.stringify(record)}`;
      hasRecords = true;
    }
    return next === null ? `${text}]}\n` : text;
  };
}

const COLUMNS = ['seq', 'recorded_at', 'occurred_at', 'kind', 'description', 'amount', 'balance_after'] as const;
const NUMBERS: ReadonlySet<string> = new Set(['seq', 'amount', 'balance_after']);

/** With the byte order mark by which spreadsheets know UTF-8. */
function csvWriter(): (page: Page) => string {
  let isBegun = false;
  return ({ records }) => {
    const head = isBegun ? '' : `\uFEFF${csvLine(COLUMNS.map((text) => ({ text })))}`;
    isBegun = true;
    return head + records.map((record) => csvLine(COLUMNS.map((name) => cellOf(name, record[name])))).join('');
  };
}

function cellOf(name: string, value: unknown): Cell {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return NUMBERS.has(name) ? { number: text } : { text };
}

const FORMS: readonly Form[] = [
  { extension: 'json', contentType: 'application/json; charset=utf-8', writer: jsonWriter },
  { extension: 'csv', contentType: 'text/csv; charset=utf-8', part: 'statement', writer: csvWriter },
];

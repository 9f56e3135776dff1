import { isRefusal } from '../domain/refusal.ts';
import { checkAccess } from '../operations/admission.ts';
import { execute } from '../operations/execute.ts';
import { fieldsOf } from '../operations/json-schema.ts';
import type { Operation } from '../operations/operation.ts';
import { noteSecretUse } from '../operations/operator/secret-use.ts';
import { pathFieldsOf } from '../operations/registry.ts';
import { isStorableText } from '../operations/strict-json.ts';
import { isCloudEventsBatch, readCloudEvents, readJsonObject } from './body.ts';
import type { App, AppContext, Site } from './context.ts';
import { identify } from './credentials.ts';
import { refusedInput, Refused, replyResponse } from './refused.ts';

/** Adds the route of each operation. */
export function addRestRoutes(app: App, site: Site, operations: readonly Operation[]): void {
  for (const operation of operations) {
    app.on(operation.http.method.toUpperCase(), honoPath(operation.http.path), restHandler(site, operation));
  }
}

/** `/v1/billings/{sid}` is `/v1/billings/:sid` to Hono. */
export const honoPath = (path: string): string => path.replaceAll(/\{([a-z_]+)\}/g, ':$1');

function restHandler(site: Site, operation: Operation): (c: AppContext) => Promise<Response> {
  const pathFields = pathFieldsOf(operation);
  const types = new Map(fieldsOf(operation).map(({ name, schema }) => [name, schema['type']]));
  const isRead = operation.http.method === 'get' || operation.http.method === 'delete';
  return async (c) => {
    c.set('operation', operation.name);
    const actor = await identify(site, c);
    const barred = checkAccess(site.house, operation, actor);
    if (isRefusal(barred)) throw new Refused(barred);
    const query = readQuery(c, isRead ? types : new Map());
    const rest = isRead ? query : await readBody(c, operation);
    const input = { ...rest, ...readPath(c, pathFields, { rest, types }) };
    const idempotencyKey = c.req.header('idempotency-key') ?? null;
    const requestId = c.get('requestId');
    const reply = await execute(site.house, operation, { actor, input, idempotencyKey, requestId });
    await noteSecretUse(site.house, { actor, operation, status: reply.status, requestId });
    return replyResponse(reply);
  };
}

async function readBody(c: AppContext, { http }: Operation): Promise<Record<string, unknown>> {
  if (http.cloudEvents === undefined || !isCloudEventsBatch(c)) return await readJsonObject(c);
  return { [http.cloudEvents]: await readCloudEvents(c) };
}

function readPath(
  c: AppContext,
  fields: readonly string[],
  { rest, types }: { readonly rest: Readonly<Record<string, unknown>>; readonly types: ReadonlyMap<string, unknown> },
): Record<string, unknown> {
  const path: Record<string, unknown> = {};
  for (const field of fields) {
    if (Object.hasOwn(rest, field)) throw refusedInput(`#/${field}`, 'belongs in the path');
    path[field] = readText(types.get(field), storable(`#/${field}`, c.req.param(field) ?? ''));
  }
  return path;
}

/**
 * The query as an input. Everything in a query is text; a field that is declared as a number or a boolean is read as one, in one
 * spelling only. `types` has the fields that may be there; a POST takes none.
 */
function readQuery(c: AppContext, types: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  if (!c.req.url.includes('?')) return query;
  for (const [name, text] of new URL(c.req.url).searchParams) {
    const pointer = `#/${name.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!types.has(name)) throw refusedInput(pointer, 'is not a parameter of this operation');
    if (Object.hasOwn(query, name)) throw refusedInput(pointer, 'appears twice');
    query[name] = readText(types.get(name), storable(pointer, text));
  }
  return query;
}

function readText(type: unknown, text: string): unknown {
  if ((type === 'integer' || type === 'number') && /^(0|-?[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function storable(pointer: string, text: string): string {
  if (isStorableText(text)) return text;
  throw refusedInput(pointer, 'contains a character that cannot be stored (NUL or half a surrogate pair)');
}

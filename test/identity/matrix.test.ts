import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import type { App } from '../../src/http/context.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { OPERATIONS, pathFieldsOf, rpcMethodOf } from '../../src/operations/registry.ts';
import { poolProvisioner } from '../../src/operations/allocation/pool-provisioner.ts';
import { PostingQueue } from '../../src/store/posting-lanes.ts';
import { APP_ROLE } from '../../src/store/postgres.ts';
import { ADMIN_SECRET, testSite, type TestSite } from '../transport/site.ts';
import { hasTarget, inputFor, targetFields } from './matrix-inputs.ts';
import { ABSENT, setStage, type Belongings, type Stage } from './matrix-stage.ts';
import { openRolledBack, type RolledBack } from './rolled-back.ts';

/**
 * Who may do what, frozen: operation × caller × whose. After a change that is meant, `MATRIX=write npx vitest run test/identity/matrix.test.ts`
 * writes it anew; read what changed in it.
 */
const FROZEN = new URL('matrix.txt', import.meta.url);
const IS_WRITING = process.env['MATRIX'] === 'write';

/** A refusal of these says that it is not for this caller; with any other answer they got through. */
const BARRED: Readonly<Record<string, string>> = {
  unauthenticated: '401',
  forbidden: '403',
  csrf_failed: 'csrf',
  reauth_required: 'again',
  not_found: '404',
};
/** Says that the matrix asks wrongly, or that something broke. */
const NEVER = new Set(['invalid_request', 'internal', 'rate_limited', 'idempotency_in_progress', 'method_not_allowed']);

const NOBODY: ReadonlySet<string> = new Set([
  'anonymous',
  'revoked node',
  'revoked key',
  'ended session',
  'barred user',
]);

interface Outcome {
  readonly seen: string;
  /** As it was answered, without what is different every time. */
  readonly text: string;
}

let site: TestSite;
let stage: Stage;
let undo: RolledBack;
let app: App;
let lanes: PostingQueue;
beforeAll(async () => {
  site = await testSite({ settings: { isRefundSelfService: true } });
  stage = await setStage(site);
  undo = await openRolledBack(site.database.url, site.ports, APP_ROLE);
  lanes = new PostingQueue(undo.db, site.ports, { lanes: 1, batchRecordsMax: 100, queueMax: 100 });
  const provisioners = new Map([['pool' as const, poolProvisioner({ db: undo.db, ports: site.ports })]]);
  const house = { ...stage.house, db: undo.db, lanes, provisioners };
  app = buildHttp(house, { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() });
}, 30_000);
afterAll(async () => {
  await lanes.close();
  await undo.close();
  await site.close();
});

let calls = 0;
/** Each from an address of its own: the limits of failures are not what is asked here. */
async function send(
  path: string,
  init: { method: string; body?: unknown; headers: Record<string, string> },
): Promise<Outcome> {
  calls += 1;
  const { method, body } = init;
  const remoteAddress = `10.${(calls >> 16) & 255}.${(calls >> 8) & 255}.${calls & 255}`;
  const headers: Record<string, string> = { ...init.headers, 'idempotency-key': `matrix-${calls}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const request = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const env = { incoming: { socket: { remoteAddress } } };
  const [status, text] = await undo.undone(async () => {
    const response = await app.request(path, request, env);
    return [response.status, await response.text()] as const;
  });
  const code = status === 200 && path !== '/rpc' ? null : (/"code":"([a-z_]+)"/.exec(text)?.[1] ?? null);
  if (code !== null && NEVER.has(code)) throw new Error(`${method} ${path} ${JSON.stringify(body)}: ${text}`);
  return { seen: code === null ? 'ok' : (BARRED[code] ?? 'ok'), text: text.replaceAll(/req_[0-9A-Z]{26}/g, 'req') };
}

function overRest(
  operation: Operation,
  input: Record<string, unknown>,
  headers: Record<string, string>,
): Promise<Outcome> {
  const rest = { ...input };
  let { path } = operation.http;
  for (const field of pathFieldsOf(operation)) {
    path = path.replace(`{${field}}`, String(rest[field]));
    delete rest[field];
  }
  const method = operation.http.method.toUpperCase();
  if (method === 'POST' || method === 'PATCH') return send(path, { method, body: rest, headers });
  const query = new URLSearchParams(Object.entries(rest).map(([name, value]) => [name, String(value)])).toString();
  return send(query === '' ? path : `${path}?${query}`, { method, headers });
}

const overRpc = (
  operation: Operation,
  params: Record<string, unknown>,
  headers: Record<string, string>,
): Promise<Outcome> =>
  send('/rpc', { method: 'POST', body: { jsonrpc: '2.0', id: 1, method: rpcMethodOf(operation), params }, headers });

/** Nothing of it is there: what nobody has. */
const absent = (of: Belongings): Belongings =>
  Object.fromEntries(Object.keys(of).map((name) => [name, name === 'seq' ? 999_999 : ABSENT])) as unknown as Belongings;

/** What every caller comes to with an operation: for their own, and another's where that is something else. */
async function rowOf(operation: Operation): Promise<Record<string, string>> {
  const { other, callers, ownOf } = stage;
  const row: Record<string, string> = {};
  for (const [caller, headers] of Object.entries(callers)) {
    const own = ownOf[caller] ?? stage.own;
    const seen: string[] = [];
    // Whoever is nobody is turned away before it is read what they ask about.
    for (const of of hasTarget(operation) && !NOBODY.has(caller) ? [own, other] : [own]) {
      const input = inputFor(operation, of);
      const [rest, rpc] = [await overRest(operation, input, headers), await overRpc(operation, input, headers)];
      expect(rpc.seen, `${operation.name} by ${caller} over JSON-RPC`).toBe(rest.seen);
      seen.push(rest.seen);
    }
    row[caller] = [...new Set(seen)].join(' / ');
  }
  return row;
}

const rows = new Map<string, Record<string, string>>();

function tableOf(all: ReadonlyMap<string, Record<string, string>>): string {
  const names = Object.keys(stage.callers);
  const lines = [
    ['operation', ...names],
    ...[...all].map(([name, row]) => [name, ...names.map((caller) => row[caller] ?? '?')]),
  ];
  const widths = ['', ...names].map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return `${lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

describe('J04 who may do what', () => {
  test('is the frozen matrix, in every cell, over HTTP and JSON-RPC', { timeout: 180_000 }, async () => {
    for (const operation of OPERATIONS) rows.set(operation.name, await rowOf(operation));
    const table = tableOf(rows);
    if (IS_WRITING) writeFileSync(FROZEN, table);
    expect(table).toBe(readFileSync(FROZEN, 'utf8'));
  });
});

describe('J05 what is not theirs answers a caller as what is not there', () => {
  const targeted = OPERATIONS.filter((operation) => targetFields(operation).length > 0);
  const withoutIds = (text: string): string => text.replaceAll(/[0-9A-HJKMNP-TV-Z]{26}/g, 'sid');

  test('byte for byte but for ids, by every operation, to users and nodes', { timeout: 90_000 }, async () => {
    const { own, other, callers } = stage;
    for (const caller of ['user', 'node'] as const) {
      const headers = callers[caller] ?? {};
      // Whom a node reports for is not its own; its leases and its numbers are.
      const asked = targeted.filter(
        (operation) => caller === 'user' || !targetFields(operation).some((field) => field === 'user_sid'),
      );
      for (const operation of asked) {
        for (const over of [overRest, overRpc]) {
          const theirs = await over(operation, inputFor(operation, other), headers);
          const nothing = await over(operation, inputFor(operation, absent(other)), headers);
          expect(withoutIds(theirs.text), `${operation.name} by ${caller}`).toBe(withoutIds(nothing.text));
          const mixed = await over(operation, inputFor(operation, own, other), headers);
          const half = await over(operation, inputFor(operation, own, absent(other)), headers);
          if (targetFields(operation).length > 1)
            expect(withoutIds(mixed.text), `${operation.name} by ${caller}`).toBe(withoutIds(half.text));
        }
      }
    }
  });

  test('and no answer to a user has an id of another', { timeout: 90_000 }, async () => {
    const { own, other, callers } = stage;
    const ids = Object.values(other).filter((id) => typeof id === 'string' && id.length === 26) as string[];
    for (const operation of OPERATIONS) {
      for (const of of [own, other]) {
        const { text } = await overRest(operation, inputFor(operation, of), callers['user'] ?? {});
        for (const id of ids) expect(text.includes(id), `${operation.name} tells ${id}: ${text}`).toBe(false);
      }
    }
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { endpointCreate } from '../../src/operations/endpoint/create.ts';
import { endpointRotate } from '../../src/operations/endpoint/rotate.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { keyCreate } from '../../src/operations/key/create.ts';
import { keyRotate } from '../../src/operations/key/rotate.ts';
import { nodeRegister } from '../../src/operations/node/register.ts';
import { nodeRotate } from '../../src/operations/node/rotate.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import type { Db } from '../../src/store/db.ts';
import { OPERATOR } from '../support/payment-story.ts';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound } from '../usage/reporting.ts';

let site: TestSite;
let user: Actor;
let forgetful: House;
beforeAll(async () => {
  site = await testSite();
  const { json } = await site.call('POST', '/login/sandbox', { body: { name: 'Ada', role: 'user' } });
  const userSid = String(json['user_sid']);
  user = { kind: 'user', id: `user:${userSid}`, userSid };
  forgetful = { ...site.house, db: losingAnswers(site.house.db) };
});
afterAll(() => closeSound(site));

/** The answer of each commit is lost, so that what was done is decided once more, as after a connection that breaks in that moment. */
const losingAnswers = (db: Db): Db => ({
  ...db,
  query: (...asked) => db.query(...asked),
  transaction: async (label, body) => {
    await db.transaction(label, body);
    return await db.transaction(label, body);
  },
});

async function ask(operation: Operation, input: unknown, actor: Actor): Promise<Record<string, unknown>> {
  const requestId = site.house.ports.ids.requestId();
  const { status, body } = await execute(forgetful, operation, { actor, input, idempotencyKey: null, requestId });
  expect([status < 300, body]).toMatchObject([true, expect.any(String)]);
  return JSON.parse(body) as Record<string, unknown>;
}

const rowOf = async (table: 'key' | 'node' | 'endpoint', sid: unknown): Promise<Record<string, unknown>> => {
  const [row] = await site.house.db.query<Record<string, unknown>>(
    { name: `test.${table}`, text: `select * from ${table} where sid = $1` },
    [sid],
  );
  return row ?? {};
};

test('a commit whose answer was lost is a secret that is told: one key, one node, one endpoint', async () => {
  const key = await ask(keyCreate, { name: 'script', scopes: ['read'], expires_at: null }, user);
  expect(await rowOf('key', key['sid'])).toMatchObject({ key_id: key['key_id'], name: 'script' });
  const node = await ask(nodeRegister, { name: 'gpu-7' }, OPERATOR);
  expect(await rowOf('node', node['sid'])).toMatchObject({ name: 'gpu-7' });
  const endpoint = await ask(endpointCreate, { url: 'https://example.org/hook', description: 'Mine' }, user);
  expect(await rowOf('endpoint', endpoint['sid'])).toMatchObject({ url: 'https://example.org/hook' });
});

test('a rotation whose answer was lost leaves the old secret its time', async () => {
  const key = await ask(keyCreate, { name: 'other', scopes: ['read'], expires_at: null }, user);
  const before = await rowOf('key', key['sid']);
  await ask(keyRotate, { sid: key['sid'], overlap_seconds: 60 }, user);
  expect(await rowOf('key', key['sid'])).toMatchObject({ old_key_id: before['key_id'] });
  const node = await ask(nodeRegister, { name: 'gpu-8' }, OPERATOR);
  const nodeBefore = await rowOf('node', node['sid']);
  await ask(nodeRotate, { sid: node['sid'], overlap_seconds: 60 }, OPERATOR);
  expect(await rowOf('node', node['sid'])).toMatchObject({ old_key_id: nodeBefore['key_id'] });
  const endpoint = await ask(endpointCreate, { url: 'https://example.org/other', description: 'Mine' }, user);
  const endpointBefore = await rowOf('endpoint', endpoint['sid']);
  await ask(endpointRotate, { sid: endpoint['sid'], overlap_seconds: 60 }, user);
  expect(await rowOf('endpoint', endpoint['sid'])).toMatchObject({ previous_secret: endpointBefore['secret'] });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { itemsOf, outcomesOf, type Node } from './reporting.ts';

let site: TestSite;
let node: Node;
beforeAll(async () => {
  site = await testSite();
  node = await site.node();
});
afterAll(() => site.close());

const send = (body: unknown, type = 'application/cloudevents-batch+json'): Promise<Answer> =>
  site.call('POST', '/v1/usage', {
    raw: JSON.stringify(body),
    headers: { ...node.headers, 'content-type': type },
  });

const event = (userSid: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  specversion: '1.0',
  type: 'org.example.vm.hour',
  source: '//fra/node 3',
  id: 'A-1',
  time: site.ports.clock.now().toISOString(),
  datacontenttype: 'application/json',
  data: { user_sid: userSid, applies_to: 'hero_os_hourly', resource_kind: 'small', quantity: '2' },
  ...more,
});

describe('a batch of CloudEvents', () => {
  test('is charged like records; source and id together are the identity', async () => {
    const { sid, userSid } = await site.wallet(1_000);
    const events = [
      event(userSid),
      event(userSid, { id: 'A-2' }),
      event(userSid, { source: '//fra/node 4' }),
      event(userSid),
    ];
    const answer = await send(events);
    expect(outcomesOf(answer)).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(itemsOf(answer).map(({ is_repeated }) => is_repeated)).toEqual([false, false, false, true]);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance']).toBe('9.34');
    const again = await send([
      event(userSid, { data: { user_sid: userSid, applies_to: 'hero_os_hourly', resource_kind: 'large' } }),
    ]);
    expect(outcomesOf(again)).toEqual(['idempotency_key_reused']);
  });

  test('is judged event by event, and refused whole only for what is no batch', async () => {
    const { userSid } = await site.wallet(1_000);
    const bad = [
      event(userSid, { id: 'B-1', data: 'text' }),
      event(userSid, { id: '' }),
      event(userSid, { id: 'B-2', time: 'noon' }),
    ];
    expect(outcomesOf(await send([...bad, event(userSid, { id: 'B-3' })]))).toEqual([
      'invalid_request',
      'invalid_request',
      'invalid_request',
      'applied',
    ]);
    expect(codeOf(await send(event(userSid)))).toBe('invalid_request');
    expect(codeOf(await send([]))).toBe('invalid_request');
    expect((await send([event(userSid)], 'application/cloudevents+json')).status).toBe(415);
    const elsewhere = await site.call('POST', '/v1/users', {
      raw: '[]',
      headers: { ...node.headers, 'content-type': 'application/cloudevents-batch+json' },
    });
    expect(elsewhere.status).toBe(403);
  });
});

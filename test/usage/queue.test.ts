import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aggregateUsageByClock } from '../../src/operations/usage/aggregate-usage.ts';
import { pushUsageByClock } from '../../src/operations/usage/push-usage.ts';
import { AS_OPERATOR, refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

/** What can be asked without a Forge: the queue, and that the other two say what is missing. */
let site: TestSite;
let usage: Reporting['usage'];
let node: Node;
beforeAll(async () => {
  site = await testSite();
  ({ usage } = reporting(site));
});
afterAll(() => site.close());
beforeEach(async () => {
  node = await site.node();
});

const record = (hours = 0): Record<string, unknown> =>
  usage('01JD9ZQ4T2V6M0F8K3A5B7C9D1', {
    occurred_at: new Date(site.ports.clock.now().getTime() - hours * HOUR_MS).toISOString(),
  });
const queue = (records: readonly unknown[], headers: Record<string, string> = node.headers): Promise<Answer> =>
  site.call('POST', '/v1/usage/queue', { body: { records }, headers });

describe('usage.queue', () => {
  test('keeps each record by itself, once, and says so again', async () => {
    const [one, other] = [record(), record(1)];
    const first = await queue([one, { nonsense: 1 }, other, one, { ...one, quantity: '7' }, record(-1)]);
    expect(outcomesOf(first)).toEqual([
      'queued',
      'invalid_request',
      'queued',
      'queued',
      'idempotency_key_reused',
      'invalid_request',
    ]);
    expect(itemsOf(first).map(({ is_repeated }) => is_repeated)).toEqual([false, false, false, true, false, false]);
    const again = await queue([other, one]);
    expect(itemsOf(again).map(({ outcome, is_repeated }) => [outcome, is_repeated])).toEqual([
      ['queued', true],
      ['queued', true],
    ]);
    expect(outcomesOf(await queue([{ ...other, quantity: '7' }]))).toEqual(['idempotency_key_reused']);
  });

  test('takes a CloudEvents batch, and two nodes may use one key', async () => {
    const [one] = [record()];
    const headers = { ...node.headers, 'content-type': 'application/cloudevents-batch+json' };
    const { idempotency_key: id, occurred_at: time, ...data } = one ?? {};
    const event = { specversion: '1.0', id, source: '/meter', type: 'usage', time, data };
    const answer = await site.call('POST', '/v1/usage/queue', { raw: JSON.stringify([event]), headers });
    expect(outcomesOf(answer)).toEqual(['queued']);
    const other = await site.node();
    expect(outcomesOf(await queue([one]))).toEqual(['queued']);
    expect(outcomesOf(await queue([{ ...one, quantity: '2' }], other.headers))).toEqual(['queued']);
  });

  test('lets in nobody but nodes, and 1,000 records at most', async () => {
    expect(refusalOf(await queue([record()], AS_OPERATOR))).toBe('403 forbidden');
    expect(refusalOf(await site.call('POST', '/v1/usage/queue', { body: { records: [record()] } }))).toBe(
      '401 unauthenticated',
    );
    expect(refusalOf(await queue(Array.from({ length: 1_001 }, () => ({}))))).toBe('400 invalid_request');
  });

  test('keeps one of two contents of a key, whoever of many at once is first', async () => {
    const one = record();
    const contents = Array.from({ length: 20 }, (_, index) => ({ ...one, quantity: String((index % 2) + 1) }));
    const answers = await Promise.all(contents.map((content) => queue([content])));
    const kept = contents.filter((_, index) => outcomesOf(answers[index] as Answer)[0] === 'queued');
    expect(new Set(kept.map(({ quantity }) => quantity)).size).toBe(1);
    expect(kept).toHaveLength(10);
    expect(
      answers.flatMap(itemsOf).filter(({ outcome, is_repeated }) => outcome === 'queued' && is_repeated === false),
    ).toHaveLength(1);
  });
});

describe('usage.push over HTTP', () => {
  test('without a Forge is 503 and says what to set; the clock does not even ask', async () => {
    const answer = await site.operator('POST', '/admin/push-usage-now', {});
    expect(refusalOf(answer)).toBe('503 unavailable');
    expect(answer.json['detail']).toMatch(/FORGE_URL, FORGE_USAGE_REPOSITORY .* FORGE_USAGE_TOKEN/);
    await pushUsageByClock(site.house);
  });

  test('is for operators', async () => {
    expect(refusalOf(await site.call('POST', '/admin/push-usage-now', { body: {} }))).toBe('401 unauthenticated');
    expect(refusalOf(await site.call('POST', '/admin/push-usage-now', { body: {}, headers: node.headers }))).toBe(
      '403 forbidden',
    );
  });
});

describe('usage.aggregate over HTTP', () => {
  test('without a Forge is 503 and says what to set; the clock does not even ask', async () => {
    const answer = await site.operator('POST', '/admin/aggregate-now', {});
    expect(refusalOf(answer)).toBe('503 unavailable');
    expect(answer.json['detail']).toMatch(/FORGE_URL, FORGE_USAGE_REPOSITORY .* FORGE_USAGE_TOKEN/);
    await aggregateUsageByClock(site.house);
  });

  test('and its quarantine are for operators', async () => {
    const as = (headers: Record<string, string>): Promise<Answer[]> =>
      Promise.all([
        site.call('POST', '/admin/aggregate-now', { body: {}, headers }),
        site.call('GET', '/v1/usage/quarantine', { headers }),
      ]);
    expect((await as({})).map(refusalOf)).toEqual(['401 unauthenticated', '401 unauthenticated']);
    expect((await as(node.headers)).map(refusalOf)).toEqual(['403 forbidden', '403 forbidden']);
  });
});

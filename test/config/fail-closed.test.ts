import { expect, it } from 'vitest';
import { Bug } from '../../src/domain/assert.ts';
import type { PostingRecord } from '../../src/domain/ledger/posting.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { PostingLanes } from '../../src/operations/house.ts';
import { failClosed } from '../../src/serve/fail-closed.ts';
import { testPorts } from '../support/ports.ts';

const record: PostingRecord = {
  idem: '00000000-0000-0000-0000-000000000000',
  fingerprint: '00000000-0000-0000-0000-000000000000',
  kind: 'debit',
  legs: [],
  mayOverdraw: false,
  passesFreeze: false,
  occurredAt: new Date(0),
  about: null,
};

function lanesThat(post: PostingLanes['post']): PostingLanes {
  return { post, depth: 0, close: () => Promise.resolve() };
}

it('after a broken rule of the ledger no further posting is taken in, and the log says so once', async () => {
  const ports = testPorts();
  let calls = 0;
  const lanes = failClosed(
    lanesThat(() => {
      calls += 1;
      return Promise.reject(new Bug('the legs do not sum to zero'));
    }),
    ports,
  );
  await expect(lanes.post(record)).rejects.toThrow(Bug);
  const second = await lanes.post(record);
  expect(isRefusal(second) && second.code).toBe('unavailable');
  expect(calls).toBe(1);
  expect(ports.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

it('a database that is away does not close the ledger', async () => {
  const lanes = failClosed(
    lanesThat(() => Promise.reject(new Error('connection lost'))),
    testPorts(),
  );
  await expect(lanes.post(record)).rejects.toThrow('connection lost');
  await expect(lanes.post(record)).rejects.toThrow('connection lost');
});

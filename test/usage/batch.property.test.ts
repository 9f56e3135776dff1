import { array, assert, constantFrom, dictionary, integer, property, record, string, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hourOf,
  isUsageFileName,
  mergeRecords,
  usageFileName,
  usagePath,
  type KeyedRecord,
} from '../../src/domain/usage/batch.ts';
import { fromOtoml, toOtoml } from '../../src/providers/forge/otoml.ts';
import { propertySeed } from '../support/property-seed.ts';

const keyed = record({
  idempotency_key: constantFrom('a', 'b', 'c', 'd', 'e', 'Z', '~'),
  quantity: constantFrom('1', '2'),
  input_tokens: integer({ min: 0, max: 1_000_000 }),
});
/** Records with keys that differ. */
const distinct = array(keyed, { maxLength: 7 }).map((records) => [
  ...new Map(records.map((one) => [one.idempotency_key, one])).values(),
]);
const keysOf = (records: readonly Readonly<Record<string, unknown>>[]): unknown[] =>
  records.map(({ idempotency_key: key }) => key);

describe('merging a file', () => {
  test('again changes nothing', () => {
    assert(
      property(distinct, distinct, (there, ours) => {
        const once = mergeRecords(there, ours);
        const again = mergeRecords(once.records, ours);
        expect(again.records).toEqual(once.records);
        expect(again.added).toBe(0);
        expect(again.conflicts).toEqual(once.conflicts);
      }),
      { seed: propertySeed('merge again') },
    );
  });

  test('comes to the same in any order, where no two records dispute a key', () => {
    const disjoint = tuple(distinct, distinct).map(([one, other]) => {
      const keys = new Set(keysOf(one));
      return [one, other.filter(({ idempotency_key: key }) => !keys.has(key))] as const;
    });
    assert(
      property(disjoint, ([one, other]) => {
        const there = mergeRecords(mergeRecords([], one).records, other);
        const back = mergeRecords(mergeRecords([], other).records, one);
        expect(there.records).toEqual(back.records);
        expect(mergeRecords([], [...one, ...other].toReversed()).records).toEqual(there.records);
      }),
      { seed: propertySeed('merge order') },
    );
  });

  test('keeps every key of both sides, what is there word for word, and tells what is disputed', () => {
    assert(
      property(distinct, distinct, (there, ours) => {
        const merged = mergeRecords(there, ours);
        expect(new Set(keysOf(merged.records))).toEqual(new Set([...keysOf(there), ...keysOf(ours)]));
        for (const one of there) expect(merged.records).toContainEqual(one);
        const disputed = ours.filter((one) => {
          const other = there.find(({ idempotency_key: key }) => key === one.idempotency_key);
          return other !== undefined && JSON.stringify(other) !== JSON.stringify(one);
        });
        expect(merged.conflicts).toEqual(keysOf(disputed));
        expect(merged.added).toBe(merged.records.length - there.length);
      }),
      { seed: propertySeed('merge keeps') },
    );
  });

  test('drops nothing that has no key, or a key for the second time', () => {
    const there = [
      { quantity: '1' },
      { idempotency_key: 'a' },
      { idempotency_key: 'a', quantity: '9' },
      { idempotency_key: 7 },
    ];
    const { records, added } = mergeRecords(there, [{ idempotency_key: 'b' }]);
    expect(records).toHaveLength(5);
    expect(added).toBe(1);
    for (const one of there) expect(records).toContainEqual(one);
  });
});

test('what is written is read as it was, whatever texts it holds', () => {
  const value = string({ unit: 'binary' }).filter((text) => text.isWellFormed());
  const name = constantFrom(
    'idempotency_key',
    'user_sid',
    'description',
    'occurred_at',
    'quantity',
    'a b',
    'é',
    '"',
    '',
  );
  const any = dictionary(name, value, { noNullPrototype: true });
  assert(
    property(array(any, { minLength: 1, maxLength: 5 }), (records: KeyedRecord[] | Record<string, string>[]) => {
      expect(fromOtoml(Buffer.from(toOtoml('node-1', records)))).toEqual({ kind: 'read', records });
    }),
    { seed: propertySeed('otoml round trip') },
  );
});

describe('a file’s name', () => {
  test('is the UTC hour, whatever the machine’s own', () => {
    const hour = hourOf(new Date('2026-03-01T23:59:59.999Z'));
    expect(hour.toISOString()).toBe('2026-03-01T23:00:00.000Z');
    expect(usagePath('node-1', hour)).toBe('nodes/node-1/usage_2026-03-01-23.otoml');
    expect(hourOf(new Date('1969-12-31T23:30:00Z')).toISOString()).toBe('1969-12-31T23:00:00.000Z');
    expect(isUsageFileName(usageFileName(hour))).toBe(true);
  });

  test.each([
    'usage_2026-03-01.otoml',
    'usage_2026-03-01-23.toml',
    '../usage_2026-03-01-23.otoml',
    'usage_2026-03-01-23.otoml\n',
    'Usage_2026-03-01-23.otoml',
  ])('%j is none', (name) => expect(isUsageFileName(name)).toBe(false));
});

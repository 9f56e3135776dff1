import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/idem.ts';
import { micros } from '../../src/domain/money.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { Price } from '../../src/domain/usage/price.ts';
import { parseStrictJson } from '../../src/operations/strict-json.ts';
import { plainRecord, recordText } from '../../src/operations/usage/plain-record.ts';
import { aboutText } from '../../src/operations/usage/usage-about.ts';
import { readRecord } from '../../src/operations/usage/price-report.ts';
import { usageRecordSchema, type UsageInput } from '../../src/operations/usage/usage-record.ts';
import { propertySeed } from '../support/property-seed.ts';

const seed = propertySeed('input');

/** What both readers must take, must refuse, or may see differently if one of them is wrong. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  applies_to: ['llm', 'vm', 'Vm', '', 'a'.repeat(33), 5, null],
  corrects: ['earlier', 'with space', '', null],
  cost: ['0', '0.0012345678', '0.1234567890123', '-1', '1e3', '01', 1, ''],
  description: [
    'An LLM call',
    ' ',
    '',
    'é'.repeat(255),
    '😀'.repeat(200),
    '😀'.repeat(256),
    'x'.repeat(256),
    'a\u0007',
    'a\nb',
  ],
  idempotency_key: ['k', 'k'.repeat(255), 'k'.repeat(256), 'with space', 'ä', '', 7],
  lease: ['01JD9ZQ4T2V6M0F8K3A5B7C9D1', '01jd9zq4t2v6m0f8k3a5b7c9d1', null],
  occurred_at: [
    '2026-11-28T20:00:00Z',
    '2026-11-28T20:00:00.123456Z',
    '2026-02-28T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-31T23:59:59Z',
    '2026-11-30T23:59:60Z',
    '2026-13-01T00:00:00Z',
    '2026-11-28T24:00:00Z',
    '2026-11-28T20:00:00+01:00',
    '2026-11-28T20:00:00',
    '2026-11-28T20:00Z',
    '2026-11-28',
    '0000-01-01T00:00:00Z',
    0,
  ],
  provider: ['openrouter', 'Open', '-x', 'a'.repeat(33), 1],
  quantity: ['1', '0', '0.000001', '0.0000001', '123456789012', '1234567890123', '+1', ' 1', 1, null],
  resource_kind: ['model/x', 'x'.repeat(101), 'a b', ''],
  seq: [1, 0, -1, 1.5, 2 ** 53, 2 ** 53 - 1, '1', Number.NaN],
  tokens: [
    { input: 1, output: 2 },
    { output: 2, input: 1 },
    { input: 5, output: 0, cached_input: 5 },
    { cached_input: 1, output: 0, input: 0 },
    { input: 1 },
    { input: 1, output: 2, other: 3 },
    { input: 1e9 + 1, output: 0 },
    { input: 1.5, output: 0 },
    { input: -1, output: 0 },
    [],
    null,
    { input: 1, output: 2, cached_input: undefined },
  ],
  unit: ['call', 'Call', '', 'a'.repeat(33)],
  user_sid: ['01JD9ZQ4T2V6M0F8K3A5B7C9D1', '00000000000000000000000001', '01JD9ZQ4T2V6M0F8K3A5B7C9DU', '', 1],
  surplus: [1],
};
const REQUIRED = ['applies_to', 'idempotency_key', 'occurred_at', 'resource_kind', 'user_sid'];

/** Mostly right, with one or two fields by chance, in any order. */
const record = fc
  .record({
    drawn: fc.dictionary(fc.constantFrom(...Object.keys(VALUES)), fc.nat(), { maxKeys: 3, noNullPrototype: true }),
    left: fc.option(fc.constantFrom(...Object.keys(VALUES))),
    isReversed: fc.boolean(),
  })
  .map(({ drawn, left, isReversed }) => {
    const fields = new Map<string, unknown>(REQUIRED.map((name) => [name, VALUES[name]?.[0]]));
    for (const [name, at] of Object.entries(drawn)) fields.set(name, VALUES[name]?.[at % VALUES[name].length]);
    if (left !== null) fields.delete(left);
    return Object.fromEntries(isReversed ? [...fields].toReversed() : fields);
  });

describe('a usage record', () => {
  it('is read as by its schema, whichever way it is read', () => {
    fc.assert(
      fc.property(record, (sent) => {
        const judged = usageRecordSchema.safeParse(sent);
        const read = readRecord(sent);
        const plain = plainRecord(sent);
        expect(isRefusal(read)).toBe(!judged.success);
        if (judged.success) expect(read).toStrictEqual(judged.data);
        if (plain !== null) expect(plain).toStrictEqual(judged.data);
        if (!isRefusal(read)) expect(recordText(read)).toBe(canonicalJson(read));
      }),
      { numRuns: 3_000, seed },
    );
  });

  it('is read the short way when it has every field, on each day of the year', () => {
    const full = Object.fromEntries(Object.entries(VALUES).map(([name, [first]]) => [name, first]));
    delete full['surplus'];
    for (let day = 0; day < 365; day += 1) {
      const occurredAt = new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
      expect(plainRecord({ ...full, occurred_at: occurredAt })).toStrictEqual({ ...full, occurred_at: occurredAt });
    }
  });
});

describe('what an entry says of its charge', () => {
  const number = fc.bigInt({ min: 0n, max: 10n ** 20n });
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\\', '\u0000', 'é', '😀', '\ud800', 'a/b', '","voids":1'),
  );
  const price: Price = {
    sid: '00000000000000000000000002',
    category: 'llm',
    resourceKind: null,
    kind: 'per_unit',
    unit: 'call',
    amount: 10n,
    tiers: [],
    packageSize: null,
    margin: 1000n,
    activeFrom: new Date(0),
  };
  const ladder = { category: 'llm', version: 3, rungs: [], graceDays: 7, isFloorAtCost: true, activeFrom: new Date(0) };

  it('is compact JSON of all of it, whatever is in its texts', () => {
    fc.assert(
      fc.property(text, text, fc.option(text), number, fc.boolean(), (key, resource, description, parts, has) => {
        const input: UsageInput = {
          applies_to: 'llm',
          idempotency_key: key,
          resource_kind: resource,
          quantity: '1.5',
          unit: 'call',
          occurred_at: '2026-11-28T20:00:00Z',
          user_sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1',
          ...(description === null ? {} : { description }),
          ...(has
            ? {
                seq: 7,
                lease: '01JD9ZQ4T2V6M0F8K3A5B7C9D1',
                cost: '0.1',
                provider: 'groq',
                tokens: { input: 5, output: 6 },
              }
            : {}),
        };
        const streak = { startedAt: new Date(1_000), lastAt: new Date(2_000) };
        const rung = has ? { ladder, streak, discount: { multiplier: 2_500n, isFloorAtCost: true } } : null;
        const charge = { listParts: parts, parts, cost: micros(0n), isAtFloor: has };
        const told = aboutText({
          input,
          node: { sid: 'n' },
          wallet: { isFrozen: has },
          price,
          rung,
          charge,
          tokenCost: null,
        });
        expect(JSON.stringify(JSON.parse(told))).toBe(told);
        expect(JSON.parse(told)).toStrictEqual({
          node: 'n',
          key,
          resource,
          category: 'llm',
          quantity: '1.5',
          unit: 'call',
          price: price.sid,
          unit_price: '0.000000000011',
          parts: parts.toString(),
          ...(has
            ? { seq: 7, lease: input.lease, cost: '0.1', provider: 'groq', tokens: { input: 5, output: 6 } }
            : {}),
          ...(has ? { ladder: { version: 3, multiplier: '0.25', since: '1970-01-01T00:00:01.000Z' } } : {}),
          ...(has ? { at_cost_floor: true, suspended: true } : {}),
          ...(description === null ? {} : { description }),
        });
      }),
      { numRuns: 1_000, seed },
    );
  });
});

describe('strict JSON', () => {
  const layout = fc.array(fc.constantFrom('', ' ', '\n', '\t\r'), { minLength: 1, maxLength: 3 });

  it('is read as JSON.parse reads it, or refused', () => {
    const noise = fc.constantFrom(
      ...'{}[]":,0123-.eE\\ \n\u0000é😀',
      '\ud800',
      'true',
      'null',
      '\\u00e9',
      '"a":1',
      '1e5',
      '\ufeff',
    );
    fc.assert(
      fc.property(
        fc.jsonValue(),
        layout,
        fc.array(fc.tuple(fc.nat(), noise), { maxLength: 2 }),
        (value, [space = ''], slips) => {
          let text = JSON.stringify(value, null, space.replaceAll('\r', ''));
          for (const [at, piece] of slips)
            text = text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1));
          const read = parseStrictJson(text);
          if (read.kind === 'value') expect(read.value).toStrictEqual(JSON.parse(text));
          if (read.kind === 'malformed') expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
        },
      ),
      { numRuns: 3_000, seed },
    );
  });
});

describe('canonical JSON', () => {
  /** By its definition. */
  function written(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${written(field)}`).join(',')}}`;
  }

  it('has sorted keys and no white space, whatever order they came in', () => {
    fc.assert(
      fc.property(
        fc.object({ withNullPrototype: true, key: fc.oneof(fc.string(), fc.constantFrom('10', '9', '2', 'é', 'z')) }),
        (value) => {
          expect(canonicalJson(value)).toBe(written(value));
        },
      ),
      { numRuns: 2_000, seed },
    );
  });
});

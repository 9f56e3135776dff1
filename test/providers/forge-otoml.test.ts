import { describe, expect, test } from 'vitest';
import { fromOtoml, toOtoml } from '../../src/providers/forge/otoml.ts';

const read = (text: string) => fromOtoml(Buffer.from(text));
const RECORD = '[[records]]\nidempotency_key = "k"\n';

describe('a usage file', () => {
  test('is TOML with a table for each record, the node’s name for people', () => {
    const text = toOtoml('node-1', [{ idempotency_key: 'k', quantity: '0.5', input_tokens: 3 }]);
    expect(text).toBe('[[records]]\nnode_id = "node-1"\nidempotency_key = "k"\nquantity = "0.5"\ninput_tokens = 3\n');
  });

  test('says nothing of whose it is', () => {
    expect(read(`${RECORD}node_id = "another"\n`)).toEqual({ kind: 'read', records: [{ idempotency_key: 'k' }] });
  });

  test('may have integers for decimal numbers, and a date-time with an offset', () => {
    const text = `${RECORD}quantity = 36\ncost = 9007199254740993\ninput_tokens = 12\noccurred_at = 2026-03-01T13:00:00.5+01:00\n`;
    expect(read(text)).toEqual({
      kind: 'read',
      records: [
        {
          idempotency_key: 'k',
          quantity: '36',
          cost: '9007199254740993',
          input_tokens: 12,
          occurred_at: '2026-03-01T12:00:00.500Z',
        },
      ],
    });
  });

  test.each([
    ['a float', 'quantity = 0.1', { quantity: 0.1 }],
    ['not a number', 'quantity = nan', { quantity: 'NaN' }],
    ['a local time', 'occurred_at = 2026-03-01T12:00:00', { occurred_at: '2026-03-01T12:00:00.000' }],
    ['more tokens than can be counted', 'input_tokens = 9007199254740993', { input_tokens: '9007199254740993' }],
    ['a table', 'cost = { usd = 1 }', { cost: { usd: 1 } }],
    ['an array', 'cost = [1, "a"]', { cost: [1, 'a'] }],
  ])('with %s is left to the record’s schema, which refuses it', (_, line, value) => {
    expect(read(`${RECORD}${line}\n`)).toEqual({ kind: 'read', records: [{ idempotency_key: 'k', ...value }] });
  });

  test('that is empty has no records', () => expect(read('\n')).toEqual({ kind: 'read', records: [] }));

  test.each([
    ['cut in a text', `${RECORD}user_sid = "01JD9`, /^line 3, column \d+: /],
    ['cut in a name', `${RECORD}user_s`, /^line 3, column \d+: /],
    ['with a key twice', `${RECORD}idempotency_key = "l"\n`, /^line 3/],
    ['of another kind', '{"records": []}', /^line 1/],
    ['without records', 'version = 1\n', /"version" beside records/],
    ['with something beside records', `version = 1\n${RECORD}`, /"version" beside records/],
    ['with one table for all', '[records]\na = 1\n', /no \[\[records\]\]/],
    ['with records that are none', 'records = [1, 2]\n', /not tables/],
    ['that reaches for a prototype', '[[records]]\n"__proto__" = "x"\n', /./],
    ['nested without end', `${RECORD}a = ${'['.repeat(100_000)}`, /./],
  ])('%s is malformed, with the place', (_, text, reason) => {
    const content = read(text);
    expect(content).toMatchObject({ kind: 'malformed', reason: expect.stringMatching(reason) as unknown });
    expect(JSON.stringify(content).length).toBeLessThan(400);
  });

  test('that is not UTF-8 is malformed', () => {
    expect(fromOtoml(new Uint8Array([0x61, 0xff]))).toEqual({ kind: 'malformed', reason: 'it is not UTF-8' });
  });
});

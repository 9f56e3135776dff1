import { types } from 'pg';
import { expect, test } from 'vitest';
import { parserOf } from '../../src/store/pg-text.ts';

const TIMESTAMPTZ = 1184;

test('an instant is read as by the driver’s own parser, whatever its form', () => {
  const driver: (text: string) => unknown = types.getTypeParser(TIMESTAMPTZ, 'text');
  const parse = parserOf(TIMESTAMPTZ, driver);
  const parts = Array.from({ length: 1_000 }, (_, number) => [
    `2026-11-28 20:18:19.${String(number).padStart(3, '0')}+00`,
    `2026-11-28 20:18:19.${String(number * 997 + 1).padStart(6, '0')}+00`,
  ]);
  const texts = [
    '2026-11-28 20:18:19+00',
    '2024-02-29 00:00:00.1+00',
    '1970-01-01 00:00:00+00',
    '1969-12-31 23:59:59.999999+00',
    '0050-01-01 00:00:00+00',
    '0001-01-01 00:00:00+00 BC',
    'infinity',
    '-infinity',
    '10000-01-01 00:00:00+00',
    '2026-11-28 20:18:19+05:30',
    '2026-11-28 20:18:19.5-03',
    ...parts.flat(),
  ];
  for (const text of texts) expect([text, Number(parse(text))]).toEqual([text, Number(driver(text))]);
});

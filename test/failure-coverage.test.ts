import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The failure catalogue numbers what can go wrong with other people's money, by letter: A webhooks' authenticity, B duplicates and
 * order, C refunds, D amounts and input, E debits, F idempotency keys, G crash and database, H time and jobs, I providers and what we
 * send, J who somebody is and what a browser may, K texts that leave the house, L restoring a backup. A case counts as held when a test carries its
 * number in its name.
 */
const HELD = {
  A: range(1, 19),
  B: range(1, 16),
  C: range(1, 15),
  D: range(1, 17),
  E: range(1, 17),
  F: range(1, 8),
  G: [...range(1, 6), ...range(11, 13)],
  H: range(1, 12),
  I: [...range(1, 3), ...range(5, 12)],
  J: range(1, 22),
  K: [2, 6, 7, 12],
  L: [1, 14],
} as const;

const TEST_FOLDER = import.meta.dirname;
const TITLE = /\b(?:it|test|describe)(?:\.each\([^\n]*?\))?\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g;

describe('the failure catalogue', () => {
  it('has a test named after every case that this release answers for', () => {
    const named = new Set(testFiles(TEST_FOLDER).flatMap(idsIn));
    const expected = Object.entries(HELD).flatMap(([letter, numbers]) =>
      numbers.map((number) => `${letter}${String(number).padStart(2, '0')}`),
    );
    expect(expected.filter((id) => !named.has(id))).toEqual([]);
  });
});

/** Every id that stands in a title: "A01 …", "D07 D08 …". */
function idsIn(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(TITLE)].flatMap((match) =>
    [...(match[2] ?? '').matchAll(/\b[A-L]\d\d\b/g)].map(([id]) => id),
  );
}

function testFiles(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.ts')).map((file) => path.join(folder, file));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHALLENGE_BYTES, codeHash, readCode, readReply, secretsOf } from '../../src/domain/challenge/code.ts';
import { propertySeed } from '../support/property-seed.ts';

const bytes = fc.uint8Array({ minLength: CHALLENGE_BYTES, maxLength: CHALLENGE_BYTES });

describe('the code of a challenge', () => {
  const seed = propertySeed('challenge code');

  it('is read back however it is typed, and in a reply with its number', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('-', '', ' '), fc.boolean(), (random, dash, isSmall) => {
        const { code, number } = secretsOf(random);
        expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$/);
        expect(number).toMatch(/^\d{4}$/);
        const plain = code.replaceAll('-', '');
        const typed = code.replaceAll('-', dash);
        const said = isSmall ? typed.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l') : typed;
        expect(readCode(said)).toBe(plain);
        expect(readReply(` ${said} ${number}\n`)).toEqual({ code: plain, number });
        expect(codeHash('a', said)).toEqual(codeHash('a', code));
        expect(codeHash('b', code)).not.toEqual(codeHash('a', code));
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it.each(['', '7301', 'K7QM-2F9D-XW3', 'K7QM-2F9D-XW3TT', 'K7QM-2F9D-XW3U', 'K7QM_2F9D_XW3T', 'Ｋ7QM-2F9D-XW3T'])(
    '%j is no code',
    (text) => expect(readCode(text)).toBeNull(),
  );

  it.each([
    'K7QM-2F9D-XW3T',
    'K7QM-2F9D-XW3T730',
    'K7QM-2F9D-XW3T 73011',
    '7301 K7QM-2F9D-XW3T',
    `hello\n${'x'.repeat(200)} 7301`,
  ])('%j is no reply', (text) => expect(readReply(text)).toBeNull());
});

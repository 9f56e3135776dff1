import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOverlayAddress } from '../../src/domain/challenge/overlay-address.ts';
import { propertySeed } from '../support/property-seed.ts';

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const anyGroups = fc.array(group, { minLength: 8, maxLength: 8 });
const overlayGroups = fc
  .tuple(fc.integer({ min: 0x400, max: 0x5ff }), fc.array(group, { minLength: 7, maxLength: 7 }))
  .map(([first, rest]) => [first, ...rest]);

/** One of the ways to write it: each group with or without leading zeros and in either case, one run of zeros left out or none. */
const spelled = (groups: fc.Arbitrary<number[]>): fc.Arbitrary<{ groups: number[]; text: string }> =>
  groups.chain((these) =>
    fc
      .record({
        styles: fc.array(fc.record({ pad: fc.boolean(), upper: fc.boolean() }), { minLength: 8, maxLength: 8 }),
        from: fc.integer({ min: 0, max: 7 }),
        around: fc.constantFrom(['', ''], [' ', '\n'], ['[', ']'], [' [', '] ']),
      })
      .map(({ styles, from, around: [before, after] }) => {
        const parts = these.map((value, at) => {
          const hex = value.toString(16).padStart(styles[at]?.pad === true ? 4 : 1, '0');
          return styles[at]?.upper === true ? hex.toUpperCase() : hex;
        });
        let end = from;
        while (these[end] === 0) end += 1;
        const text =
          end === from ? parts.join(':') : `${parts.slice(0, from).join(':')}::${parts.slice(end).join(':')}`;
        return { groups: these, text: `${before}${text}${after}` };
      }),
  );

/** The platform's own parser and writer, so that ours is not compared with itself. */
const byThePlatform = (groups: readonly number[]): string =>
  new URL(`http://[${groups.map((value) => value.toString(16)).join(':')}]`).hostname.slice(1, -1);

describe('an address of the overlay', () => {
  const seed = propertySeed('overlay address');

  it('J16 has one form, whichever of its spellings was given', () => {
    fc.assert(
      fc.property(spelled(overlayGroups), ({ groups, text }) => {
        const node = `${byThePlatform([...groups.slice(0, 4), 0, 0, 0, 0])}/64`;
        expect(readOverlayAddress(text)).toEqual({ text: byThePlatform(groups), node });
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it('is refused with a sentence when it lies outside 400::/7', () => {
    const outside = anyGroups.filter(([first = 0]) => first >> 9 !== 2);
    fc.assert(
      fc.property(spelled(outside), ({ text }) => {
        expect(readOverlayAddress(text)).toHaveProperty('problem');
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('is never read out of a text that is no address', () => {
    const near = fc.string({ unit: fc.constantFrom(...'04:f5.%/[] g-'), maxLength: 45 });
    fc.assert(
      fc.property(near, (text) => {
        const read = readOverlayAddress(text);
        if ('problem' in read) return;
        expect(isIPv6(text.trim().replace(/^\[(.*)\]$/, '$1'))).toBe(true);
      }),
      { seed, numRuns: 20_000 },
    );
  });

  it.each([
    ['', 'not an IPv6 address'],
    ['localhost', 'not an IPv6 address'],
    ['192.0.2.1', 'IPv4'],
    ['::ffff:192.0.2.1', 'IPv4'],
    ['::ffff:c000:201', 'not in the overlay'],
    ['400::192.0.2.1', 'IPv4'],
    ['400::1%eth0', 'zone'],
    ['400::1%25eth0', 'zone'],
    ['400::/64', 'network'],
    ['[400::1]:80', 'not an IPv6 address'],
    ['[[400::1]]', 'not an IPv6 address'],
    ['400::1::2', 'not an IPv6 address'],
    ['400:0:0:0:0:0:0:0:1', 'not an IPv6 address'],
    ['3ff:ffff::1', 'not in the overlay'],
    ['600::', 'not in the overlay'],
    ['fd00::1', 'not in the overlay'],
    ['::1', 'not in the overlay'],
    ['4::1', 'not in the overlay'],
    ['２００::1', 'not an IPv6 address'],
    ['ab'.repeat(32), 'public key'],
  ])('%j is refused: %s', (text, words) => {
    expect(readOverlayAddress(text)).toEqual({ problem: expect.stringContaining(words) });
  });
});

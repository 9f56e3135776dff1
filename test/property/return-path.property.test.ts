import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeReturnPath } from '../../src/domain/identity/return-path.ts';
import { PAGE_PATHS } from '../../src/http/pages.ts';
import { propertySeed } from '../support/property-seed.ts';

const ORIGIN = 'https://wallet.example';

const EVIL = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '\t//evil.example',
  '/\n/evil.example',
  ' //evil.example',
  'https:evil.example',
  'https://evil.example',
  'https:/evil.example',
  'HTTPS://evil.example/wallet',
  'http://wallet.example.evil.example/wallet',
  'https://wallet.example@evil.example/wallet',
  '@evil.example',
  '/@evil.example',
  '%2f%2fevil.example',
  '/%2f/evil.example',
  '/%5cevil.example',
  '/%09/evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,x',
  '/wallet/..//evil.example',
  '/..//evil.example',
  '/wallet?next=//evil.example',
  '/wallet#//evil.example',
  '/wallet\r\nset-cookie: a=b',
  '/wallet\n',
  '/wallet/',
  '/login/forge/start',
  '/logout',
  '/v1/session',
  '/payments/',
  '/payments/a/b',
  '/payments/..',
  '/payments/%2e%2e',
  '/payments/\u2025',
  '/／evil.example',
  '',
  '.',
  '..',
];

describe('J11 the address after the sign-in', () => {
  it.each(EVIL)('is the first page instead of %j', (asked) => {
    expect(safeReturnPath(asked, PAGE_PATHS)).toBe('/');
  });

  it.each(PAGE_PATHS)('may be %s', (page) => {
    const path = page.replaceAll(/:[a-z]+/g, '01JAZ3Q5V8M2N4P6R7S9T0W1X3');
    expect(safeReturnPath(path, PAGE_PATHS)).toBe(path);
  });

  it('is always one of our own pages, whatever was asked for', () => {
    const bit = fc.constantFrom(
      '/',
      '\\',
      '//',
      '..',
      '@',
      ':',
      '%2f',
      '%5c',
      '\t',
      '\r\n',
      '?',
      '#',
      'evil.example',
      'wallet',
      'payments',
      'https:',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(bit).map((bits) => bits.join('')),
      fc.webUrl(),
    );
    const anything = fc.oneof(
      text,
      text.map((rest) => `/wallet${rest}`),
      fc.anything(),
    );
    fc.assert(
      fc.property(anything, (asked) => {
        const path = safeReturnPath(asked, PAGE_PATHS);
        const url = new URL(path, ORIGIN);
        expect([url.origin, url.pathname, url.search, url.hash]).toEqual([ORIGIN, path, '', '']);
        expect(PAGE_PATHS.some((page) => page.split('/').length === path.split('/').length)).toBe(true);
      }),
      { seed: propertySeed('return path'), numRuns: 500 },
    );
  });
});

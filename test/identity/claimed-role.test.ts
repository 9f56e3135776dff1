import { describe, expect, it } from 'vitest';
import { claimedRole, type RoleClaim } from '../../src/domain/identity/claimed-role.ts';

const GROUPS: RoleClaim = {
  claim: 'groups',
  values: [
    { value: 'staff', role: 'support' },
    { value: 'staff:owners', role: 'admin' },
  ],
};
const EMAIL: RoleClaim = { claim: 'email', values: [{ value: 'ada@example.org', role: 'finance' }] };

describe('J09 the role that a claim gives', () => {
  it.each<[string, Record<string, unknown>, RoleClaim | null, string | null]>([
    ['is none without a rule', { groups: ['staff'] }, null, null],
    ['is none without the claim', {}, GROUPS, null],
    ['is that of the value', { groups: ['staff'] }, GROUPS, 'support'],
    ['is the strongest of several', { groups: ['staff', 'staff:owners', 'x'] }, GROUPS, 'admin'],
    ['may be of a text instead of a list', { groups: 'staff' }, GROUPS, 'support'],
    ['is none for a part of the value', { groups: 'staff:owners-of-nothing' }, GROUPS, null],
    ['is none for another case', { groups: ['Staff'] }, GROUPS, null],
    ['is none for what is no text', { groups: [{ name: 'staff' }, 1, null] }, GROUPS, null],
    ['is none for what every object has', {}, { ...GROUPS, claim: 'constructor' }, null],
    ['is that of a verified address', { email: 'ada@example.org', email_verified: true }, EMAIL, 'finance'],
    ['is none for an address that is not verified', { email: 'ada@example.org', email_verified: false }, EMAIL, null],
    ['is none where nobody says whether it is', { email: 'ada@example.org' }, EMAIL, null],
    ['is none for "true" as a text', { email: 'ada@example.org', email_verified: 'true' }, EMAIL, null],
    ['is none for another case of the address', { email: 'Ada@example.org', email_verified: true }, EMAIL, null],
  ])('%s', (_what, claims, rule, role) => {
    expect(claimedRole(claims, rule)).toBe(role);
  });
});

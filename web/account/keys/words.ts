import type { KeyScope, UserKey } from '../../surface.ts';
import type { Tone } from '../../ui/banner.tsx';
import { nowMs } from '../../ui/time.ts';

/** What a key is for, as one chooses it. */
export const SCOPES: readonly (readonly [scope: KeyScope, title: string])[] = [
  ['read', 'Read: balance, statement, payments, usage'],
  ['top_up', 'Top up: start payments into the wallet'],
  ['spend', 'Spend: take money out of the wallet, and set it aside'],
];

const WORDS: Readonly<Record<KeyScope, string>> = { read: 'reads', top_up: 'tops up', spend: 'spends' };

/** "reads, spends" */
export const scopesText = (scopes: readonly KeyScope[]): string => scopes.map((scope) => WORDS[scope]).join(', ');

export const STATES: Readonly<Record<UserKey['state'], readonly [text: string, tone: Tone]>> = {
  live: ['Good', 'good'],
  expired: ['Expired', 'calm'],
  revoked: ['Revoked', 'calm'],
};

/** In days; empty: it does not end by itself. */
export const LIFETIMES = [
  ['30', 'in 30 days'],
  ['90', 'in 90 days'],
  ['365', 'in a year'],
  ['', 'when I revoke it'],
] as const;
export type Lifetime = (typeof LIFETIMES)[number][0];

const DAY_MS = 86_400_000;

export const endOf = (lifetime: Lifetime): string | null =>
  lifetime === '' ? null : new Date(nowMs() + Number(lifetime) * DAY_MS).toISOString();

export const OVERLAPS = [
  ['0', 'at once: it was stolen or lost'],
  ['3600', 'in an hour'],
  ['86400', 'in a day'],
  ['604800', 'in a week'],
] as const;
export type Overlap = (typeof OVERLAPS)[number][0];

import type { Grant } from '../../surface.ts';
import type { Tone } from '../../ui/banner.tsx';

export const STATES: Readonly<Record<Grant['state'], readonly [Tone, string]>> = {
  open: ['good', 'Open'],
  spent: ['calm', 'Used up'],
  expired: ['calm', 'Expired'],
  revoked: ['warn', 'Revoked'],
};

export const KINDS = [
  ['goodwill', 'Goodwill: by you'],
  ['promo', 'Promo: by a campaign'],
  ['bonus', 'Bonus: by a rule'],
] as const;
export type Kind = (typeof KINDS)[number][0];

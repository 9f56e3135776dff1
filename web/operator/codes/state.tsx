import type { ReactElement } from 'react';
import type { Code } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import type { Tone } from '../../ui/banner.tsx';

const STATES: Readonly<Record<Code['state'], readonly [Tone, string]>> = {
  future: ['warn', 'Not valid yet'],
  open: ['good', 'Open'],
  used_up: ['calm', 'Used up'],
  ended: ['calm', 'Ended'],
  closed: ['bad', 'Closed'],
};

export const CodeBadge = ({ state }: Pick<Code, 'state'>): ReactElement => (
  <Badge tone={STATES[state][0]} text={STATES[state][1]} />
);

/** Whether anybody may still redeem it, now or later. */
export const canClose = ({ state }: Pick<Code, 'state'>): boolean => state === 'future' || state === 'open';

import type { Allocation } from '../surface.ts';
import type { Tone } from '../ui/banner.tsx';

type Stands = Pick<Allocation, 'state' | 'wanted'>;

/** What is said of a VM at a glance, and how it is coloured. */
export function stateOf({ state, wanted }: Stands): readonly [Tone, string] {
  switch (state) {
    case 'requested':
      return ['warn', 'On its way'];
    case 'active':
      return wanted === 'running' ? ['good', 'Running'] : ['warn', 'Stopping'];
    case 'suspended':
      return wanted === 'stopped' ? ['bad', 'Stopped'] : ['warn', 'Starting'];
    case 'releasing':
      return ['calm', 'Being given back'];
    case 'released':
      return ['calm', 'Given back'];
    case 'failed':
      return ['bad', 'Failed'];
    default:
      return state satisfies never;
  }
}

/** Whether it is about to be something else. */
export const isMoving = ({ state, wanted }: Stands): boolean =>
  state === 'requested' ||
  state === 'releasing' ||
  (state === 'active' && wanted === 'stopped') ||
  (state === 'suspended' && wanted === 'running');

export const RELEASE_REASONS: Readonly<Record<NonNullable<Allocation['release_reason']>, string>> = {
  user: 'by its owner',
  expired: 'its plan had ended',
  unpaid: 'it was not paid',
  operator: 'by the service',
  failed: 'there never was one',
  erased: 'the account was deleted',
};

/** "9 days", "5 hours", of the hours that a wallet would last. */
export function lastsText(hours: number): string {
  if (hours < 48) return `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  const days = Math.floor(hours / 24);
  return days < 3_650 ? `${days} days` : 'more than ten years';
}

import type { Machine } from '../../surface.ts';
import type { Tone } from '../../ui/banner.tsx';

/** What is said of a machine at a glance, and how it is coloured. */
export const STATES: Readonly<Record<Machine['state'], readonly [Tone, string]>> = {
  free: ['good', 'Free'],
  allocated: ['calm', 'In use'],
  cleaning: ['warn', 'To be cleaned'],
  removed: ['calm', 'Removed'],
};

export const labelsText = (labels: Machine['labels']): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' · ');

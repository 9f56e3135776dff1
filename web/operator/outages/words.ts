import type { Outage } from '../../surface.ts';
import type { Tone } from '../../ui/banner.tsx';

export const STATES: Readonly<Record<Outage['state'], readonly [Tone, string]>> = {
  open: ['bad', 'Goes on'],
  settling: ['warn', 'Giving back'],
  done: ['good', 'Done'],
  cancelled: ['calm', 'Cancelled'],
};

export const SUBJECTS = [
  ['host', 'Everything on a host'],
  ['machine', 'A machine of the pool'],
  ['allocation', 'One VM'],
  ['node', 'A node that reports usage'],
] as const;

/** "Host rack-7" */
export const subjectText = ({ subject, subject_ref: ref }: Pick<Outage, 'subject' | 'subject_ref'>): string =>
  `${{ host: 'Host', machine: 'Machine', allocation: 'VM', node: 'Node' }[subject]} ${ref}`;

/** Of seconds: "2 h 5 min". */
export function lengthText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${seconds} s`;
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor((minutes % 1_440) / 60)];
  const parts = [
    [days, 'd'],
    [hours, 'h'],
    [days > 0 ? 0 : minutes % 60, 'min'],
  ] as const;
  return parts.flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}`] : [])).join(' ');
}

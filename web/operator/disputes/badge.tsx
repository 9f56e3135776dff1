import type { ReactElement } from 'react';
import type { Dispute } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Time } from '../../ui/time.tsx';
import { STATE_TEXT, timeLeft } from './state.ts';

export const DisputeBadge = ({ state }: { readonly state: Dispute['state'] }): ReactElement => (
  <Badge tone={STATE_TEXT[state].tone} text={STATE_TEXT[state].word} />
);

/** Until when the provider takes evidence, and how long that is. */
export function Deadline({ dispute }: { readonly dispute: Dispute }): ReactElement {
  const left = timeLeft(dispute.evidence_due_by);
  if (dispute.evidence_due_by === null || left === null) return <span className="text-soft">none</span>;
  return (
    <>
      <Time at={dispute.evidence_due_by} />
      <p className={left.includes('hour') || left === 'over' ? 'text-xs text-bad' : 'text-xs text-soft'}>{left}</p>
    </>
  );
}

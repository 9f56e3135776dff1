import type { ReactElement } from 'react';
import { formatClock, formatTime, formatUtc } from './time.ts';

export function Time({ at, isClock = false }: { readonly at: string; readonly isClock?: boolean }): ReactElement {
  return (
    <time dateTime={at} title={formatUtc(at)} className="tabular-nums">
      {isClock ? `${formatTime(at).split(', ')[0]}, ${formatClock(at)}` : formatTime(at)}
    </time>
  );
}

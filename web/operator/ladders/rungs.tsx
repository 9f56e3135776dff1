import type { ReactElement } from 'react';
import { formatDollars } from '../../ui/decimal.ts';
import type { Stretch } from './state.ts';

/** What one dollar of the list price costs on each rung. */
export function Rungs({ stretches }: { readonly stretches: readonly Stretch[] }): ReactElement {
  return (
    <ul className="text-sm">
      {stretches.map(({ days, multiplier }) => (
        <li key={days} className="flex flex-wrap justify-between gap-x-4 py-0.5">
          <span className="text-soft">{days}</span>
          <span className="tabular-nums">
            × {multiplier} <span className="text-soft">($1.00 costs {formatDollars(multiplier)})</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

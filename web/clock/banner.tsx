import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSession } from '../session.ts';
import { formatTime, formatUtc, nowMs } from '../ui/time.ts';
import { MoveDialog } from './move-dialog.tsx';
import { distanceText } from './words.ts';

/** Over every page of a sandbox: that no money is real, and what time it is there once its clock was moved. */
export function SandboxBanner(): ReactElement {
  const { clock_ahead_seconds: aheadSeconds, rights } = useSession();
  const [isOpen, setOpen] = useState(false);
  const now = new Date(nowMs()).toISOString();
  return (
    <>
      <section aria-label="Sandbox" className="bg-warn-wash px-4 py-2 text-center text-sm font-medium text-warn">
        <p>
          Sandbox: no real money moves.
          {aheadSeconds > 0 && (
            <>
              {' '}
              Its clock is {distanceText(aheadSeconds)} ahead:{' '}
              <time dateTime={now} title={formatUtc(now)} className="tabular-nums">
                {formatTime(now)}
              </time>
              .
            </>
          )}
          {rights.includes('configure') && (
            <button
              type="button"
              className="ml-2 min-h-6 rounded underline underline-offset-2"
              onClick={() => setOpen(true)}
            >
              Move the clock
            </button>
          )}
        </p>
      </section>
      {isOpen && <MoveDialog onClose={() => setOpen(false)} />}
    </>
  );
}

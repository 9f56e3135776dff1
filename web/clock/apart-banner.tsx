import type { ReactElement } from 'react';
import { useSession } from '../session.ts';
import { distanceText } from './words.ts';

/** Over every page of an operator while the clock of their server is wrong; nothing for everybody else. */
export function ApartBanner(): ReactElement | null {
  const { clock_apart_seconds: seconds } = useSession();
  if (seconds === null) return null;
  const direction = seconds > 0 ? 'ahead of' : 'behind';
  return (
    <section aria-label="Clock" className="border-b border-line bg-bad-wash px-4 py-2 text-center text-sm text-bad">
      <p>
        <strong className="font-semibold">
          This server’s clock is {distanceText(Math.abs(seconds))} {direction} its database’s.
        </strong>{' '}
        Until they agree it renews no plan and ends no hold, credit or VM. Set both machines’ clocks by NTP.
      </p>
    </section>
  );
}

import type { ReactElement } from 'react';
import { useId } from 'react';
import type { UsageSum } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { decimalOf, formatMoney, microsOf } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Loading } from '../ui/page.tsx';
import { formatDay, lastDays } from '../ui/time.ts';
import { useSums } from './sums-query.ts';

interface DayCharge {
  readonly day: string;
  readonly micros: bigint;
}

/** One bar for each day, days without usage too: the scale begins at zero and its top is written beside it. */
export function DayChart({ walletSid, days }: { readonly walletSid: string; readonly days: number }): ReactElement {
  const sums = useSums(walletSid, { by: 'day', days });
  const charges = chargesOf(sums.data?.items ?? [], days);
  const total = charges.reduce((sum, { micros }) => sum + micros, 0n);
  return (
    <section className="card p-5 sm:p-6" aria-label="Charges by day">
      <div className="mb-4 flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-semibold">Charged by day</h3>
        {sums.data && (
          <p className="text-sm text-soft">
            {days} days:{' '}
            <span className="font-medium text-ink" data-testid="period-total">
              <Money amount={decimalOf(total)} />
            </span>
          </p>
        )}
      </div>
      {sums.isPending && <Loading what="the chart" />}
      {sums.error && !sums.data && <ProblemBanner problem={sums.error} retry={() => void sums.refetch()} />}
      {sums.data && sums.data.items.length === 0 && (
        <EmptyState title={`Nothing was used in the last ${days} days`}>
          What a node reports for this wallet shows up here within a minute.
        </EmptyState>
      )}
      {sums.data && sums.data.items.length > 0 && <Bars charges={charges} />}
    </section>
  );
}

function chargesOf(sums: readonly UsageSum[], days: number): readonly DayCharge[] {
  const byDay = new Map<string, bigint>();
  for (const { key, charge } of sums) byDay.set(key, (byDay.get(key) ?? 0n) + microsOf(charge));
  return lastDays(days).map((day) => ({ day, micros: byDay.get(day) ?? 0n }));
}

const WIDTH = 720;
const HEIGHT = 160;

function Bars({ charges }: { readonly charges: readonly DayCharge[] }): ReactElement {
  const id = useId();
  const [first] = charges;
  const last = charges.at(-1);
  const top = charges.reduce((most, one) => (one.micros > most.micros ? one : most), { day: '', micros: 0n });
  const step = WIDTH / charges.length;
  if (!first || !last) return <></>;
  const said =
    `From ${formatDay(first.day)} to ${formatDay(last.day)}. ` +
    (top.micros > 0n
      ? `The most was ${formatMoney(decimalOf(top.micros))} on ${formatDay(top.day)}.`
      : 'All days came to nothing.');
  return (
    <figure>
      <div className="flex justify-between text-xs text-soft" aria-hidden="true">
        <span className="amount">{formatMoney(decimalOf(top.micros))}</span>
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- drawn here from numbers: there is no file for an img
        role="img"
        aria-labelledby={id}
        className="mt-1 h-32 w-full border-y border-line sm:h-40"
      >
        <title id={id}>{`Charges by day. ${said} The table below has each day.`}</title>
        {charges.map(({ day, micros }, index) => (
          <Bar key={day} day={day} micros={micros} top={top.micros} x={index * step} width={step} />
        ))}
      </svg>
      <figcaption className="mt-1.5 flex justify-between gap-4 text-xs text-soft">
        <time dateTime={first.day} title={`${first.day} UTC`}>
          {formatDay(first.day)}
        </time>
        <span className="max-sm:hidden">days of UTC</span>
        <time dateTime={last.day} title={`${last.day} UTC`}>
          {formatDay(last.day)}
        </time>
      </figcaption>
    </figure>
  );
}

interface BarProps extends DayCharge {
  readonly top: bigint;
  readonly x: number;
  readonly width: number;
}

/** The whole height of the day takes the pointer, so that small bars can be asked too. */
function Bar({ day, micros, top, x, width }: BarProps): ReactElement {
  const height = top === 0n || micros <= 0n ? 0 : Math.max(1, Number((micros * BigInt(HEIGHT)) / top));
  const gap = Math.min(4, width / 5);
  return (
    <g>
      <title>{`${formatDay(day)}: ${formatMoney(decimalOf(micros))}`}</title>
      <rect x={x} y={0} width={width} height={HEIGHT} className="fill-transparent" />
      <rect x={x + gap / 2} y={HEIGHT - height} width={width - gap} height={height} className="fill-accent" />
    </g>
  );
}

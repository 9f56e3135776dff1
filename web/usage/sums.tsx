import { Tabs } from 'radix-ui';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { useSession } from '../session.ts';
import type { UsageSum } from '../surface.ts';
import { AllRows } from '../ui/all-rows.tsx';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { formatQuantity } from '../ui/decimal.ts';
import { microsOf } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Loading } from '../ui/page.tsx';
import type { Column } from '../ui/table.tsx';
import { TabList } from '../ui/tabs.tsx';
import { formatDay } from '../ui/time.ts';
import type { SumGroup } from './sums-query.ts';
import { useSums } from './sums-query.ts';
import { unitOf } from './words.ts';

const TABS = [
  ['day', 'Day'],
  ['category', 'Category'],
  ['node', 'Node'],
  ['resource_kind', 'Resource'],
] as const;

/** The same usage four ways. */
export function Sums({ walletSid, days }: Omit<SumTableProps, 'by' | 'title'>): ReactElement | null {
  const sums = useSums(walletSid, { by: 'day', days });
  // The chart says already that there is nothing, or nothing yet.
  if (!sums.data || sums.data.items.length === 0) return null;
  return (
    <Tabs.Root defaultValue="day" className="card overflow-hidden">
      <TabList label="Added up by" tabs={TABS} />
      {TABS.map(([by, title]) => (
        <Tabs.Content key={by} value={by} className="-outline-offset-2">
          <SumTable walletSid={walletSid} days={days} by={by} title={title} />
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}

interface SumTableProps {
  readonly walletSid: string;
  readonly days: number;
  readonly by: SumGroup;
  readonly title: string;
}

function SumTable({ walletSid, days, by, title }: SumTableProps): ReactElement {
  const { role } = useSession();
  const sums = useSums(walletSid, { by, days });
  if (sums.isPending) return <Loading what="what was used" />;
  if (!sums.data) {
    return (
      <div className="p-4">
        <ProblemBanner problem={sums.error} retry={() => void sums.refetch()} />
      </div>
    );
  }
  return (
    <>
      {!sums.data.isWhole && (
        <div className="p-4">
          <Banner tone="warn">This is only a part: there are too many rows for a page. Choose a shorter period.</Banner>
        </div>
      )}
      <AllRows
        what={`usage by ${title.toLowerCase()}`}
        columns={columnsOf(by, title, role === 'operator')}
        rows={sums.data.items.toSorted(by === 'day' ? newestFirst : dearestFirst)}
        keyOf={({ key, unit }) => `${key} ${unit}`}
      />
    </>
  );
}

const newestFirst = (one: UsageSum, other: UsageSum): number =>
  other.key.localeCompare(one.key) || one.unit.localeCompare(other.unit);

function dearestFirst(one: UsageSum, other: UsageSum): number {
  const [first, second] = [microsOf(one.charge), microsOf(other.charge)];
  if (first === second) return one.key.localeCompare(other.key);
  return first > second ? -1 : 1;
}

const columnsOf = (by: SumGroup, title: string, isOperator: boolean): readonly Column<UsageSum>[] => [
  {
    title,
    cell: (sum) => (
      <>
        <Key by={by} sum={sum} isOperator={isOperator} />
        <p className="text-xs text-soft md:hidden">
          {sum.records} {sum.records === 1 ? 'record' : 'records'}
        </p>
      </>
    ),
  },
  {
    title: 'Quantity',
    isAmount: true,
    cell: (sum) => (
      <span className="tabular-nums">
        {formatQuantity(sum.quantity)} <span className="text-soft">{unitOf(sum.quantity, sum.unit)}</span>
      </span>
    ),
  },
  {
    title: 'Records',
    isAmount: true,
    isExtra: true,
    cell: (sum) => <span className="tabular-nums">{formatQuantity(String(sum.records))}</span>,
  },
  { title: 'Charged', isAmount: true, cell: (sum) => <Money amount={sum.charge} /> },
];

interface KeyProps {
  readonly by: SumGroup;
  readonly sum: UsageSum;
  readonly isOperator: boolean;
}

function Key({ by, sum, isOperator }: KeyProps): ReactElement {
  if (by === 'day') {
    return (
      <time dateTime={sum.key} title={`${sum.key} UTC`} className="font-medium whitespace-nowrap">
        {formatDay(sum.key)}
      </time>
    );
  }
  if (by === 'node' && isOperator && sum.name !== null) {
    return (
      <Link
        href={`/operator/nodes/${sum.key}`}
        className="font-medium break-all text-accent underline-offset-2 hover:underline"
      >
        {sum.name}
      </Link>
    );
  }
  return <span className="font-medium break-all">{sum.name ?? sum.key}</span>;
}

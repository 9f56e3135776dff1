import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import type { SubscriptionWithPeriods } from '../surface.ts';
import { AllRows } from '../ui/all-rows.tsx';
import { ProblemBanner } from '../ui/banner.tsx';
import { Money } from '../ui/money.tsx';
import { Card, Loading } from '../ui/page.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';

type Period = SubscriptionWithPeriods['periods'][number];

const COLUMNS: readonly Column<Period>[] = [
  {
    title: 'Period',
    cell: (period) => (
      <>
        <span className="font-medium">{period.plan}</span>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={period.starts_at} /> to <Time at={period.ends_at} />
        </p>
      </>
    ),
  },
  { title: 'Paid', isAmount: true, cell: (period) => <Money amount={period.paid} /> },
];

/** What was paid for when, newest first. */
export function PlanPeriods({ sid }: { readonly sid: string }): ReactElement {
  const path = `/v1/subscriptions/${seg(sid)}`;
  const subscription = useQuery<SubscriptionWithPeriods, Problem>({
    queryKey: [path],
    queryFn: ({ signal }) => get<SubscriptionWithPeriods>(path, { signal }),
  });
  return (
    <Card title="Paid periods">
      {subscription.isPending && <Loading what="the periods" />}
      {!subscription.data && subscription.error && (
        <div className="p-4">
          <ProblemBanner problem={subscription.error} retry={() => void subscription.refetch()} />
        </div>
      )}
      {subscription.data && (
        <AllRows
          what="paid periods"
          columns={COLUMNS}
          rows={subscription.data.periods}
          keyOf={({ number, part }) => `${number}/${part}`}
        />
      )}
    </Card>
  );
}

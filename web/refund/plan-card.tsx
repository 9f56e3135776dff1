import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { providerName } from '../payment/list.tsx';
import type { RefundPlan } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Facts } from '../ui/facts.tsx';
import { formatMoney, isZero } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Loading } from '../ui/page.tsx';
import { Table } from '../ui/table.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { RefundDialog } from './dialog.tsx';

type Item = RefundPlan['items'][number];

/** What of a wallet may go back, payment by payment, with a button for each. */
export function RefundPlanCard({ walletSid }: { readonly walletSid: string }): ReactElement {
  const [chosen, setChosen] = useState<Item | null>(null);
  const plan = useQuery<RefundPlan, Problem>({
    queryKey: ['refund-plan', walletSid],
    queryFn: ({ signal }) => get<RefundPlan>(`/v1/billings/${seg(walletSid)}/refund-plan`, { signal }),
  });
  if (plan.isPending) return <Loading what="what may go back" />;
  if (!plan.data) {
    return (
      <div className="p-4">
        <ProblemBanner problem={plan.error} retry={() => void plan.refetch()} />
      </div>
    );
  }
  const { items, refundable, granted } = plan.data;
  if (items.length === 0)
    return (
      <EmptyState title="Nothing was paid in, so nothing can go back">
        A top-up shows up here once it is credited.
      </EmptyState>
    );
  return (
    <>
      <div className="p-4 sm:p-5">
        <Facts
          facts={[
            ['May go back without a debt', <Money key="refundable" amount={refundable} />],
            ['Given for free, never refunded', <Money key="granted" amount={granted} />],
            ['Order', 'The newest payment first'],
          ]}
        />
      </div>
      <Table
        caption="payments that may give back"
        columns={columnsOf(setChosen)}
        rows={items}
        keyOf={(item) => item.external_ref}
      />
      {chosen !== null && (
        <RefundDialog
          paymentSid={chosen.payment_sid}
          proposed={isZero(chosen.proposed) ? '' : chosen.proposed}
          isPayout={chosen.rail === 'payout'}
          title="Give money back"
          onClose={() => setChosen(null)}
        />
      )}
    </>
  );
}

const columnsOf = (choose: (item: Item) => void): readonly Column<Item>[] => [
  {
    title: 'Payment',
    cell: (item) => (
      <>
        <Link
          href={`/payments/${item.payment_sid}`}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          Top-up by {providerName(item.provider)}
        </Link>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={item.credited_at} />
        </p>
        <p className="mt-0.5 text-xs text-soft">{gone(item)}</p>
      </>
    ),
  },
  { title: 'Paid', isAmount: true, isExtra: true, cell: (item) => <Money amount={item.received} /> },
  { title: 'May go back', isAmount: true, cell: (item) => <Money amount={item.left} /> },
  {
    title: 'Action',
    isAmount: true,
    cell: (item) =>
      item.rail === 'none' || isZero(item.left) ? (
        <span className="text-xs text-soft">
          {item.rail === 'none' ? 'provider is not configured' : 'nothing is left'}
        </span>
      ) : (
        <Button
          look="quiet"
          size="small"
          label={`Refund the top-up of ${formatMoney(item.received)}`}
          onPress={() => choose(item)}
        >
          Refund
        </Button>
      ),
  },
];

/** What of it is no longer there. */
function gone({ refunded, disputed }: Item): string {
  const parts = [
    ...(isZero(refunded) ? [] : [`${formatMoney(refunded)} went back or is set aside`]),
    ...(isZero(disputed) ? [] : [`${formatMoney(disputed)} in dispute`]),
  ];
  return parts.join(', ');
}

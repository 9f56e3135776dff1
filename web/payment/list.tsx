import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Payment } from '../surface.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { PaymentBadge } from './badge.tsx';

const COLUMNS: readonly Column<Payment>[] = [
  {
    title: 'Payment',
    cell: (payment) => (
      <>
        <Link href={`/payments/${payment.sid}`} className="font-medium text-accent underline-offset-2 hover:underline">
          {payment.is_automatic ? 'Auto-recharge' : 'Top-up'} by {providerName(payment.provider)}
        </Link>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={payment.created_at} />
        </p>
        <p className="mt-1 md:hidden">
          <PaymentBadge state={payment.state} />
        </p>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (payment) => <PaymentBadge state={payment.state} /> },
  {
    title: 'Amount',
    isAmount: true,
    cell: (payment) => <Money amount={payment.credited ?? payment.amount} currency={payment.currency} />,
  },
];

const NAMES: Readonly<Record<string, string>> = { stripe: 'Stripe', clickpesa: 'ClickPesa', btcpay: 'BTCPay Server' };

/** As the providers write themselves. */
export const providerName = (provider: string): string => NAMES[provider] ?? provider;

export function PaymentList({ walletSid }: { readonly walletSid: string }): ReactElement {
  return (
    <List<Payment>
      what="payments"
      path="/v1/payments"
      query={{ wallet_sid: walletSid }}
      columns={COLUMNS}
      keyOf={(payment) => payment.sid}
      empty={<EmptyState title="No payments so far">Every top-up shows up here, paid or not.</EmptyState>}
    />
  );
}

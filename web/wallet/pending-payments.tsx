import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { get } from '../api.ts';
import { PaymentBadge } from '../payment/badge.tsx';
import { isFinal } from '../payment/state.ts';
import type { Page, Payment } from '../surface.ts';
import { Icon } from '../ui/icon.tsx';
import { Money } from '../ui/money.tsx';
import { Card } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';

const LATEST = 50;

/** What is on its way in, so that nobody has to wonder. Nothing is shown when nothing is. */
export function PendingPayments({ walletSid }: { readonly walletSid: string }): ReactElement | null {
  const { data } = useQuery<Page<Payment>, Problem, readonly Payment[]>({
    queryKey: ['pending', walletSid],
    queryFn: ({ signal }) =>
      get<Page<Payment>>('/v1/payments', { query: { wallet_sid: walletSid, limit: LATEST }, signal }),
    select: (page) => page.items.filter((payment) => !isFinal(payment)),
    refetchInterval: 15_000,
  });
  if (!data || data.length === 0) return null;
  return (
    <Card title="On the way in">
      <ul>
        {data.map((payment) => (
          <li key={payment.sid} className="border-b border-line last:border-0">
            <Link
              href={`/payments/${payment.sid}`}
              className="flex items-center gap-3 px-5 py-3 text-sm -outline-offset-2 hover:bg-sunken sm:px-6"
            >
              <span className="min-w-0 grow">
                <span className="font-medium">
                  <Money amount={payment.amount} currency={payment.currency} />
                </span>
                <span className="block text-xs text-soft">
                  <Time at={payment.created_at} />
                </span>
                {payment.progress !== null && <span className="block text-xs text-soft">{payment.progress}</span>}
              </span>
              <PaymentBadge state={payment.state} />
              <Icon name="next" />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

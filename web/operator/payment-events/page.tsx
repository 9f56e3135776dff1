import type { ReactElement } from 'react';
import { Link, useSearchParams } from 'wouter';
import { providerName } from '../../payment/list.tsx';
import type { PaymentEvent } from '../../surface.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { WalletLink } from '../wallet-link.tsx';

const LINK = 'text-accent underline-offset-2 hover:underline';

const KINDS: Readonly<Record<PaymentEvent['kind'], string>> = {
  top_up: 'Top-up',
  refund: 'Refund',
  refund_returned: 'Refund that came back',
  reversal: 'Taken back',
  dispute_opened: 'Dispute',
  dispute_won: 'Dispute won',
  dispute_lost: 'Dispute lost',
};

const COLUMNS: readonly Column<PaymentEvent>[] = [
  {
    title: 'Event',
    cell: (event) => (
      <>
        <Link href={`/payments/${event.payment_sid}`} className={`font-medium ${LINK}`}>
          {KINDS[event.kind]} by {providerName(event.provider)}
        </Link>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={event.created_at} />
        </p>
        <p className="md:hidden">
          <WalletLink sid={event.wallet_sid} />
        </p>
      </>
    ),
  },
  {
    title: 'At the provider',
    isExtra: true,
    cell: (event) => <span className="font-mono text-xs break-all">{event.external_ref}</span>,
  },
  {
    title: 'Wallet',
    isExtra: true,
    cell: (event) => <WalletLink sid={event.wallet_sid} />,
  },
  {
    title: 'Amount',
    isAmount: true,
    cell: (event) => <Money amount={event.amount} currency={event.currency} isChange />,
  },
];

export function OperatorPaymentEventsPage(): ReactElement {
  const [params] = useSearchParams();
  const wallet = params.get('wallet_sid') ?? undefined;
  return (
    <div className="space-y-6">
      <PageTitle title="Payment events" />
      <p className="max-w-2xl text-soft">
        One line for each movement of money at a provider, with the provider's own reference. Written once, never
        changed.
      </p>
      <section aria-label="Payment events" className="card overflow-hidden">
        <List<PaymentEvent>
          what="payment events"
          path="/v1/payment-events"
          query={{ wallet_sid: wallet }}
          columns={COLUMNS}
          keyOf={(event) => event.sid}
          refreshMs={30_000}
          empty={<EmptyState title="No money has moved so far">The first paid top-up shows up here.</EmptyState>}
        />
      </section>
    </div>
  );
}

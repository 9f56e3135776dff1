import type { ReactElement } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { Dispute } from '../../surface.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { WalletLink } from '../wallet-link.tsx';
import { Deadline, DisputeBadge } from './badge.tsx';
import { STATE_TEXT } from './state.ts';

/** Open first: those have a deadline. */
const FILTERS = ['open', 'inquiry', 'won', 'lost', 'all'] as const;
type Filter = (typeof FILTERS)[number];
const isFilter = (text: string | null): text is Filter => FILTERS.some((filter) => filter === text);

const wordOf = (filter: Filter): string => (filter === 'all' ? 'All' : STATE_TEXT[filter].word);
const EMPTY: Readonly<Record<Filter, string>> = {
  open: 'No payment is disputed',
  inquiry: 'No bank is asking',
  won: 'None was won',
  lost: 'None was lost',
  all: 'No payment was ever disputed',
};

export function OperatorDisputesPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const asked = params.get('state');
  const filter: Filter = isFilter(asked) ? asked : 'open';
  return (
    <div className="space-y-6">
      <PageTitle title="Disputes" />
      <div>
        <Pills
          label="State"
          value={filter}
          options={FILTERS.map((one) => [one, wordOf(one)] as const)}
          onChange={(state) => setParams({ state })}
        />
        <p className="mt-3 text-soft">
          {filter === 'all' ? 'Payments that customers’ banks took back, or asked about.' : STATE_TEXT[filter].sentence}
        </p>
      </div>
      <section aria-label="Disputes" className="card overflow-hidden">
        <List<Dispute>
          key={filter}
          what="disputes"
          path="/v1/disputes"
          query={{ state: filter === 'all' ? undefined : filter }}
          columns={COLUMNS}
          keyOf={(dispute) => dispute.sid}
          refreshMs={60_000}
          empty={
            <EmptyState title={EMPTY[filter]}>
              When a bank disputes a payment it is listed here, with the time until which evidence is taken.
            </EmptyState>
          }
        />
      </section>
    </div>
  );
}

const COLUMNS: readonly Column<Dispute>[] = [
  {
    title: 'Dispute',
    cell: (dispute) => (
      <>
        <Link
          href={`/operator/disputes/${dispute.sid}`}
          className="font-mono text-xs break-all text-accent underline-offset-2 hover:underline"
        >
          {dispute.dispute_ref}
        </Link>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={dispute.opened_at} />
          {dispute.reason !== null && ` · ${dispute.reason.replaceAll('_', ' ')}`}
        </p>
        {dispute.evidence_due_by !== null && (
          <div className="mt-1 text-xs md:hidden">
            Evidence until <Deadline dispute={dispute} />
          </div>
        )}
      </>
    ),
  },
  { title: 'State', cell: (dispute) => <DisputeBadge state={dispute.state} /> },
  { title: 'Evidence until', isExtra: true, cell: (dispute) => <Deadline dispute={dispute} /> },
  { title: 'Wallet', isExtra: true, cell: (dispute) => <WalletLink sid={dispute.wallet_sid} /> },
  { title: 'Amount', isAmount: true, cell: (dispute) => <Money amount={dispute.amount} /> },
];

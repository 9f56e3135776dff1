import type { ReactElement } from 'react';
import { useSearchParams } from 'wouter';
import { REFUND_COLUMNS } from '../../refund/list.tsx';
import { REFUND_TEXT } from '../../refund/state.ts';
import type { Refund, RefundState } from '../../surface.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { WalletLink } from '../wallet-link.tsx';
import { RefundAction } from './decision.tsx';

/** Those that wait for a person first. */
const STATES = [
  'awaiting_approval',
  'quarantined',
  'unknown',
  'requested',
  'pending',
  'succeeded',
  'failed',
  'returned',
  'rejected',
  'all',
] as const satisfies readonly (RefundState | 'all')[];
type Filter = (typeof STATES)[number];

const titleOf = (filter: Filter): string => (filter === 'all' ? 'All' : REFUND_TEXT[filter].word);
const explanationOf = (filter: Filter): string =>
  filter === 'all' ? 'Every refund, whoever made it, newest first.' : REFUND_TEXT[filter].explanation;
const isFilter = (text: string | null): text is Filter => STATES.some((state) => state === text);

const COLUMNS: readonly Column<Refund>[] = [
  {
    title: 'Refund',
    cell: (refund) => (
      <>
        {REFUND_COLUMNS[0]?.cell(refund)}
        <div className="mt-2 md:hidden">
          <RefundAction refund={refund} />
        </div>
      </>
    ),
  },
  { title: 'Wallet', isExtra: true, cell: (refund) => <WalletLink sid={refund.wallet_sid} /> },
  ...REFUND_COLUMNS.slice(1),
  { title: 'Action', isAmount: true, isExtra: true, cell: (refund) => <RefundAction refund={refund} /> },
];

export function OperatorRefundsPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const asked = params.get('state');
  const filter: Filter = isFilter(asked) ? asked : 'all';
  return (
    <div className="space-y-6">
      <PageTitle title="Refunds" />
      <div>
        <Pills
          label="State"
          value={filter}
          options={STATES.map((state) => [state, titleOf(state)] as const)}
          onChange={(state) => setParams(state === 'all' ? {} : { state })}
        />
        <p className="mt-3 max-w-2xl text-soft">{explanationOf(filter)}</p>
      </div>
      <section aria-label="Refunds" className="card overflow-hidden">
        <List<Refund>
          key={filter}
          what="refunds"
          path="/v1/refunds"
          query={{ state: filter === 'all' ? undefined : filter }}
          columns={COLUMNS}
          keyOf={(refund) => refund.sid}
          refreshMs={15_000}
          empty={
            <EmptyState title={filter === 'all' ? 'No refunds so far' : 'None'}>
              A refund is made on the page of a wallet, or of its payment.
            </EmptyState>
          }
        />
      </section>
    </div>
  );
}

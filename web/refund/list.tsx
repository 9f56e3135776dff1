import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Refund } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { originOf, REFUND_TEXT } from './state.ts';

const LINK = 'text-accent underline underline-offset-2';

/** A word on where it stands, and why, if the provider or an operator said so. */
export function RefundStanding({ refund }: { readonly refund: Refund }): ReactElement {
  const { word, tone } = REFUND_TEXT[refund.state];
  return (
    <>
      <Badge tone={tone} text={word} />
      {refund.detail !== null && <p className="mt-1 text-xs text-soft">{refund.detail}</p>}
      {refund.claim_url !== null && refund.state === 'pending' && (
        <p className="mt-1 text-xs">
          <a href={refund.claim_url} className={LINK}>
            Claim it here
          </a>
        </p>
      )}
    </>
  );
}

const columnsWith = (hasLink: boolean): readonly Column<Refund>[] => [
  {
    title: 'Refund',
    cell: (refund) => (
      <>
        <span className="font-medium">{refund.reason}</span>
        <p className="mt-0.5 text-xs text-soft">
          Made {originOf(refund)}, <Time at={refund.created_at} />
        </p>
        {hasLink && (
          <p className="mt-0.5 text-xs">
            <Link href={`/payments/${refund.payment_sid}`} className={LINK}>
              The payment it is of
            </Link>
          </p>
        )}
        <div className="mt-1.5 md:hidden">
          <RefundStanding refund={refund} />
        </div>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (refund) => <RefundStanding refund={refund} /> },
  {
    title: 'Amount',
    isAmount: true,
    cell: (refund) => <Money amount={refund.sent ?? refund.amount} currency={refund.currency} />,
  },
];

/** What every list of refunds shows; on the page of a payment no link leads to it. */
export const REFUND_COLUMNS = columnsWith(true);
export const COLUMNS_OF_PAYMENT = columnsWith(false);

export function RefundList({ walletSid }: { readonly walletSid: string }): ReactElement {
  return (
    <List<Refund>
      what="refunds"
      path="/v1/refunds"
      query={{ wallet_sid: walletSid }}
      columns={REFUND_COLUMNS}
      keyOf={(refund) => refund.sid}
      refreshMs={15_000}
      empty={
        <EmptyState title="No refunds so far">
          Money that goes back to where it was paid from is listed here.
        </EmptyState>
      }
    />
  );
}

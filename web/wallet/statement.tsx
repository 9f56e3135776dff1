import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { StatementLine } from '../surface.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';

const KINDS: Readonly<Record<string, string>> = {
  top_up: 'Top-up',
  adjustment: 'Adjustment by the operator',
  debit: 'Usage',
  hold_reserve: 'Hold placed',
  hold_capture: 'Hold charged',
  hold_release: 'Hold released',
  hold_expire: 'Hold expired',
};

/** A kind this page has no words for is still shown, by its own name. */
const nameOf = (kind: string): string => KINDS[kind] ?? kind.replaceAll('_', ' ');

function paymentOf(line: StatementLine): string | null {
  const sid = line.about?.['payment_sid'];
  return typeof sid === 'string' ? sid : null;
}

const COLUMNS: readonly Column<StatementLine>[] = [
  {
    title: 'Entry',
    cell: (line) => {
      const payment = paymentOf(line);
      return (
        <>
          {payment === null ? (
            <span className="font-medium">{nameOf(line.kind)}</span>
          ) : (
            <Link href={`/payments/${payment}`} className="font-medium text-accent underline-offset-2 hover:underline">
              {nameOf(line.kind)}
            </Link>
          )}
          {line.description !== null && line.description !== nameOf(line.kind) && <p>{line.description}</p>}
          <p className="mt-0.5 text-xs text-soft">
            <Time at={line.occurred_at} />
          </p>
        </>
      );
    },
  },
  {
    title: 'Amount',
    isAmount: true,
    cell: (line) => (
      <>
        <Money amount={line.amount} isChange />
        <p className="mt-0.5 text-xs text-soft md:hidden">
          balance <Money amount={line.balance_after} />
        </p>
      </>
    ),
  },
  { title: 'Balance', isAmount: true, isExtra: true, cell: (line) => <Money amount={line.balance_after} /> },
];

export function Statement({ walletSid }: { readonly walletSid: string }): ReactElement {
  return (
    <List<StatementLine>
      what="entries of the statement"
      path={`/v1/billings/${encodeURIComponent(walletSid)}/statement`}
      columns={COLUMNS}
      keyOf={(line) => String(line.seq)}
      refreshMs={30_000}
      empty={
        <EmptyState title="Nothing has moved so far">
          Add money, and every top-up and every charge is listed here with the balance after it.
        </EmptyState>
      }
    />
  );
}

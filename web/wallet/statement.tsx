import type { ReactElement } from 'react';
import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import { Spender } from '../organisation/spender.tsx';
import type { StatementLine } from '../surface.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { ExplainDialog } from '../usage/explain-dialog.tsx';
import { usedIn } from '../usage/words.ts';

const KINDS: Readonly<Record<string, string>> = {
  top_up: 'Top-up',
  adjustment: 'Adjustment by the operator',
  debit: 'Charge',
  usage: 'Usage',
  plan: 'Plan',
  plan_return: 'Plan, given back',
  hold_reserve: 'Hold placed',
  hold_capture: 'Hold charged',
  hold_release: 'Hold released',
  hold_expire: 'Hold expired',
  refund_reserve: 'Refund',
  refund: 'Refund',
  refund_return: 'Refund came back',
  reversal: 'Payment taken back',
  dispute_open: 'Payment disputed',
  dispute_won: 'Dispute won',
  dispute_lost: 'Dispute lost',
  grant_use: 'From given credit',
  grant_return: 'Back to given credit',
};

/** A kind this page has no words for is still shown, by its own name. */
const nameOf = (kind: string): string => KINDS[kind] ?? kind.replaceAll('_', ' ');

/** The line that this one takes back; null for every other. */
function takenBackOf(line: StatementLine): number | null {
  const seq = line.about?.['voids'];
  return typeof seq === 'number' ? seq : null;
}

const titleOf = (line: StatementLine): string => (takenBackOf(line) === null ? nameOf(line.kind) : 'Usage taken back');

/** What was used, where the node gave it no words of its own: "small · 1 hour". */
function wordsOf(line: StatementLine): string | null {
  if (line.description !== null) return line.description === nameOf(line.kind) ? null : line.description;
  const used = usedIn(line.about ?? {});
  return used === '' ? null : used;
}

/** Why a charge was taken back, in the operator's words. */
function reasonOf(line: StatementLine): string | null {
  const reason = line.about?.['reason'];
  return takenBackOf(line) !== null && typeof reason === 'string' ? reason : null;
}

function paymentOf(line: StatementLine): string | null {
  const sid = line.about?.['payment_sid'];
  return typeof sid === 'string' ? sid : null;
}

const columnsOf = (explain: (seq: number) => void): readonly Column<StatementLine>[] => [
  {
    title: 'Entry',
    cell: (line) => {
      const payment = paymentOf(line);
      const words = wordsOf(line);
      const reason = reasonOf(line);
      return (
        <>
          {payment === null ? (
            <span className="font-medium">{titleOf(line)}</span>
          ) : (
            <Link href={`/payments/${payment}`} className="font-medium text-accent underline-offset-2 hover:underline">
              {nameOf(line.kind)}
            </Link>
          )}
          {words !== null && <p>{words}</p>}
          {reason !== null && <p className="text-soft">{reason}</p>}
          <Spender line={line} />
          <p className="mt-0.5 text-xs text-soft">
            <Time at={line.occurred_at} />
          </p>
          {line.kind === 'usage' && <Explain line={line} explain={explain} />}
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

interface ExplainProps {
  readonly line: StatementLine;
  readonly explain: (seq: number) => void;
}

/** A line that takes another one back is explained by that one. */
function Explain({ line, explain }: ExplainProps): ReactElement {
  const takenBack = takenBackOf(line);
  const seq = takenBack ?? line.seq;
  return (
    <button
      type="button"
      aria-label={`Explain line ${seq}`}
      className="mt-1 rounded-md py-0.5 text-xs font-medium text-accent underline underline-offset-2"
      onClick={() => explain(seq)}
    >
      {takenBack === null ? 'Explain' : `Explain line ${seq}`}
    </button>
  );
}

export function Statement({ walletSid }: { readonly walletSid: string }): ReactElement {
  const [explained, setExplained] = useState<number | null>(null);
  const columns = useMemo(() => columnsOf(setExplained), []);
  return (
    <>
      <Lines walletSid={walletSid} columns={columns} />
      {explained !== null && <ExplainDialog walletSid={walletSid} seq={explained} onClose={() => setExplained(null)} />}
    </>
  );
}

interface LinesProps {
  readonly walletSid: string;
  readonly columns: readonly Column<StatementLine>[];
}

function Lines({ walletSid, columns }: LinesProps): ReactElement {
  return (
    <List<StatementLine>
      what="entries of the statement"
      path={`/v1/billings/${encodeURIComponent(walletSid)}/statement`}
      columns={columns}
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

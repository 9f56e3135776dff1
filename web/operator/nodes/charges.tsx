import type { ReactElement } from 'react';
import { useState } from 'react';
import type { NodeCharge, UsageNode } from '../../surface.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { Card } from '../../ui/page.tsx';
import { Checkbox } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import type { LineName } from '../../usage/explain-dialog.tsx';
import { ExplainDialog } from '../../usage/explain-dialog.tsx';
import { usedWithCategory } from '../../usage/words.ts';
import { WalletLink } from '../wallet-link.tsx';
import { ReverseDialog } from './reverse-dialog.tsx';
import { EVER, WindowFields, windowQuery } from './window.tsx';

/** What a node has charged, by wallet and line, with a filter by time; and the way to take all of it back. */
export function Charges({ node }: { readonly node: UsageNode }): ReactElement {
  const [window, setWindow] = useState(EVER);
  const [isOpenOnly, setOpenOnly] = useState(false);
  const [explained, setExplained] = useState<LineName | null>(null);
  const [isReversing, setReversing] = useState(false);
  return (
    <Card
      title="What it has charged"
      aside={
        <Button look="danger" size="small" onPress={() => setReversing(true)}>
          Take everything back…
        </Button>
      }
    >
      <div className="space-y-3 border-b border-line px-5 py-4 sm:px-6">
        <WindowFields window={window} onChange={setWindow} />
        <Checkbox label="Only what was not taken back" isOn={isOpenOnly} onChange={setOpenOnly} />
      </div>
      <List<NodeCharge>
        what="charges"
        path={`/v1/nodes/${encodeURIComponent(node.sid)}/usage`}
        query={{ ...windowQuery(window), is_open: isOpenOnly ? 'true' : undefined }}
        columns={columnsOf(setExplained)}
        keyOf={nameOf}
        more="Show more"
        empty={
          <EmptyState title="No charges">
            {window === EVER && !isOpenOnly
              ? 'It has reported nothing so far. Put its key on the machine and let it report.'
              : 'It charged nothing in this time. Choose another one.'}
          </EmptyState>
        }
      />
      {explained !== null && <ExplainDialog {...explained} onClose={() => setExplained(null)} />}
      {isReversing && <ReverseDialog node={node} window={window} onClose={() => setReversing(false)} />}
    </Card>
  );
}

const nameOf = (charge: NodeCharge): string => `${charge.wallet_sid} ${charge.entry}`;

const columnsOf = (explain: (line: LineName) => void): readonly Column<NodeCharge>[] => [
  {
    title: 'Used',
    cell: (charge) => (
      <>
        <span className="font-medium break-all">{usedWithCategory(charge.record)}</span>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={charge.occurred_at} />
        </p>
        <p className="md:hidden">
          <WalletLink sid={charge.wallet_sid} />
        </p>
      </>
    ),
  },
  { title: 'Wallet', isExtra: true, cell: (charge) => <WalletLink sid={charge.wallet_sid} /> },
  { title: 'Recorded', isExtra: true, cell: (charge) => <Time at={charge.recorded_at} /> },
  {
    title: 'Charged',
    isAmount: true,
    cell: (charge) => (
      <>
        <Money amount={charge.charge} />
        <p>
          <button
            type="button"
            aria-label={`Explain line ${charge.entry} of ${charge.wallet_sid}`}
            className="rounded-md py-0.5 text-xs font-medium text-accent underline underline-offset-2"
            onClick={() => explain({ walletSid: charge.wallet_sid, seq: charge.entry })}
          >
            Explain
          </button>
        </p>
      </>
    ),
  },
];

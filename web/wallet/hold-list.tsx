import type { ReactElement } from 'react';
import type { Hold } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import type { Tone } from '../ui/banner.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';

const STATES: Readonly<Record<string, readonly [Tone, string]>> = {
  open: ['warn', 'Open'],
  captured: ['good', 'Charged'],
  captured_late: ['good', 'Charged late'],
  released: ['calm', 'Released'],
  expired: ['calm', 'Expired'],
};

const COLUMNS: readonly Column<Hold>[] = [
  {
    title: 'Hold',
    cell: (hold) => (
      <>
        <span className="font-medium">{hold.description}</span>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={hold.created_at} />
        </p>
      </>
    ),
  },
  {
    title: 'State',
    cell: (hold) => {
      const [tone, text] = STATES[hold.state] ?? ['calm', hold.state];
      return <Badge tone={tone} text={text} />;
    },
  },
  {
    title: 'Ends',
    isExtra: true,
    cell: (hold) => <Time at={hold.closed_at ?? hold.expires_at} />,
  },
  { title: 'Charged', isAmount: true, cell: (hold) => <Money amount={hold.captured} /> },
  { title: 'Held', isAmount: true, cell: (hold) => <Money amount={hold.amount} /> },
];

interface HoldListProps {
  readonly walletSid: string;
  readonly isOpenOnly?: boolean;
}

export function HoldList({ walletSid, isOpenOnly = false }: HoldListProps): ReactElement {
  return (
    <List<Hold>
      what={isOpenOnly ? 'open holds' : 'holds'}
      path="/v1/holds"
      query={{ wallet_sid: walletSid, state: isOpenOnly ? 'open' : undefined }}
      columns={COLUMNS}
      keyOf={(hold) => hold.sid}
      empty={
        <EmptyState title={isOpenOnly ? 'Nothing is set aside' : 'No holds'}>
          Money set aside for something that still runs is listed here.
        </EmptyState>
      }
    />
  );
}

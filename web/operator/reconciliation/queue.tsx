import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Movement } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import type { Tone } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { providerName } from '../../payment/list.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { DecideDialog } from './decide-dialog.tsx';

const STATES = ['unmatched', 'new', 'suspended', 'assigned', 'refunding', 'refunded', 'matched', 'all'] as const;
type Filter = (typeof STATES)[number];

const TEXTS: Readonly<Record<Filter, readonly [title: string, tone: Tone, explanation: string]>> = {
  unmatched: ['Unmatched', 'bad', 'Our books have nothing of it, or another amount. A person decides.'],
  new: ['New', 'calm', 'Just seen. The webhook, the poller or the next reading may still explain it.'],
  suspended: ['Set aside', 'warn', 'On the suspense account, by an operator.'],
  assigned: ['Assigned', 'good', 'Credited to a user as a top-up, by an operator.'],
  refunding: ['On its way back', 'warn', 'The provider was asked to send it back and has not said that it did.'],
  refunded: ['Sent back', 'good', 'Gone back to whoever paid it.'],
  matched: ['Matched', 'good', 'Our books have it, to the cent.'],
  all: ['All', 'calm', 'Every line of the statements, newest first.'],
};

const isFilter = (text: string | null): text is Filter => STATES.some((state) => state === text);

/** The lines of the statements, those first that wait for a person. */
export function MovementQueue(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [open, setOpen] = useState<Movement | null>(null);
  const asked = params.get('state');
  const filter: Filter = isFilter(asked) ? asked : 'unmatched';
  return (
    <section aria-labelledby="lines" className="space-y-4">
      <h2 id="lines" className="text-lg font-semibold">
        Lines of the statements
      </h2>
      <Pills
        label="State"
        value={filter}
        options={STATES.map((state) => [state, TEXTS[state][0]] as const)}
        onChange={(state) => setParams({ state })}
      />
      <p className="text-soft">{TEXTS[filter][2]}</p>
      <div className="card overflow-hidden">
        <List<Movement>
          key={filter}
          what="lines of the statements"
          path="/v1/movements"
          query={{ state: filter === 'all' ? undefined : filter }}
          columns={columns(setOpen)}
          keyOf={(movement) => movement.sid}
          refreshMs={30_000}
          empty={<EmptyState title={filter === 'unmatched' ? 'Nothing is waiting for you' : 'None'} />}
        />
      </div>
      {open !== null && <DecideDialog movement={open} onClose={() => setOpen(null)} />}
    </section>
  );
}

const columns = (decide: (movement: Movement) => void): readonly Column<Movement>[] => [
  {
    title: 'Line',
    cell: (movement) => (
      <>
        <span className="font-medium">
          {movement.kind.replaceAll('_', ' ')} at {providerName(movement.provider)}
        </span>
        <p className="font-mono text-xs break-all text-soft">{movement.ref}</p>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={movement.at} />
        </p>
        <div className="mt-1.5 md:hidden">
          <State movement={movement} />
        </div>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (movement) => <State movement={movement} /> },
  {
    title: 'Amount',
    isAmount: true,
    cell: (movement) =>
      movement.currency === 'USD' ? (
        <Money amount={movement.amount} isChange />
      ) : (
        `${movement.amount} ${movement.currency}`
      ),
  },
  {
    title: 'Action',
    isAmount: true,
    cell: (movement) =>
      (movement.state === 'unmatched' || movement.state === 'new') && movement.currency === 'USD' ? (
        <Button look="quiet" size="small" label={`Decide about ${movement.ref}`} onPress={() => decide(movement)}>
          Decide
        </Button>
      ) : null,
  },
];

function State({ movement }: { readonly movement: Movement }): ReactElement {
  const [text, tone] = TEXTS[movement.state];
  return (
    <>
      <Badge tone={tone} text={text} />
      {movement.reason !== null && <p className="mt-1 text-xs text-soft">{movement.reason}</p>}
    </>
  );
}

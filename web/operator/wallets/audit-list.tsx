import type { ReactElement } from 'react';
import type { AuditEvent } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';

type Facts = Readonly<Record<string, unknown>>;

const factsOf = (value: unknown): Facts => (typeof value === 'object' && value !== null ? (value as Facts) : {});

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** What an action changed, field by field: "credit_balance: 50.00 → 12.34". */
function Changes({ event }: { readonly event: AuditEvent }): ReactElement {
  const before = factsOf(event.before);
  const after = factsOf(event.after);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return (
    <ul className="text-xs text-soft">
      {names.map((name) => (
        <li key={name}>
          <span className="font-mono">{name}</span>: {name in before && `${textOf(before[name])} → `}
          {textOf(after[name])}
        </li>
      ))}
    </ul>
  );
}

const COLUMNS: readonly Column<AuditEvent>[] = [
  {
    title: 'Action',
    cell: (event) => (
      <>
        <span className="font-medium">{event.action}</span>
        {event.reason !== null && <p>{event.reason}</p>}
        <p className="mt-0.5 text-xs text-soft">
          <Time at={event.at} /> by {event.actor}
        </p>
      </>
    ),
  },
  { title: 'Changed', cell: (event) => <Changes event={event} /> },
  {
    title: 'Outcome',
    isExtra: true,
    cell: (event) => <Badge tone={event.outcome === 'done' ? 'good' : 'bad'} text={event.outcome} />,
  },
];

export function AuditList({ subject }: { readonly subject: string }): ReactElement {
  return (
    <List<AuditEvent>
      what="audit entries"
      path="/v1/audit-events"
      query={{ subject }}
      columns={COLUMNS}
      keyOf={(event) => event.sid}
      empty={
        <EmptyState title="Nothing was done by hand">
          Every action of an operator on this wallet is kept here for ever.
        </EmptyState>
      }
    />
  );
}

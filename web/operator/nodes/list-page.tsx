import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { UsageNode } from '../../surface.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { NodeBadge } from './badge.tsx';
import { RegisterDialog } from './register-dialog.tsx';

const COLUMNS: readonly Column<UsageNode>[] = [
  {
    title: 'Node',
    cell: (node) => (
      <>
        <Link
          href={`/operator/nodes/${node.sid}`}
          className="font-medium break-all text-accent underline-offset-2 hover:underline"
        >
          {node.name}
        </Link>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={node.created_at} />
        </p>
      </>
    ),
  },
  { title: 'State', cell: (node) => <NodeBadge node={node} /> },
  { title: 'Reports for', isExtra: true, cell: (node) => scopeOf(node) },
  { title: 'Most a record', isAmount: true, isExtra: true, cell: (node) => <Money amount={node.record_max} /> },
  { title: 'Most an hour', isAmount: true, cell: (node) => <Money amount={node.hour_max} /> },
];

export function scopeOf({ user_sids: users }: UsageNode): string {
  if (users === null) return 'everybody';
  return users.length === 1 ? '1 user' : `${users.length} users`;
}

export function OperatorNodesPage(): ReactElement {
  const [isRegistering, setRegistering] = useState(false);
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Nodes" />
        <Button onPress={() => setRegistering(true)}>Register a node</Button>
      </div>
      <p className="max-w-2xl text-soft">
        Machines that report usage, each with a key of its own. The amounts are the most that one record, and all
        records of one hour, may cost.
      </p>
      <section aria-label="Nodes" className="card overflow-hidden">
        <List<UsageNode>
          what="nodes"
          path="/v1/nodes"
          columns={COLUMNS}
          keyOf={(node) => node.sid}
          empty={
            <EmptyState title="No nodes so far">
              Register one, put its key on the machine, and it can report what was used.
            </EmptyState>
          }
        />
      </section>
      {isRegistering && <RegisterDialog onClose={() => setRegistering(false)} />}
    </div>
  );
}

import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import type { UsageNode } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Copyable } from '../../ui/copyable.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Money } from '../../ui/money.tsx';
import { BackLink, Loading, PageTitle } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';
import { hasOldKey, NodeBadge } from './badge.tsx';
import { Charges } from './charges.tsx';
import { RevokeDialog, RotateDialog } from './key-dialogs.tsx';
import { scopeOf } from './list-page.tsx';

export function OperatorNodePage({ sid }: { readonly sid: string }): ReactElement {
  const node = useQuery<UsageNode, Problem>({
    queryKey: ['node', sid],
    queryFn: ({ signal }) => get<UsageNode>(`/v1/nodes/${seg(sid)}`, { signal }),
  });
  return (
    <div className="space-y-6">
      <BackLink to="/operator/nodes">All nodes</BackLink>
      {!node.data && node.error && (
        <>
          <PageTitle title="Node" />
          <ProblemBanner problem={node.error} retry={() => void node.refetch()} />
        </>
      )}
      {!node.data && !node.error && <Loading what="the node" />}
      {node.data && <Overview node={node.data} />}
      {node.data && <Charges node={node.data} />}
    </div>
  );
}

function Overview({ node }: { readonly node: UsageNode }): ReactElement {
  const [asked, setAsked] = useState<'rotate' | 'revoke' | null>(null);
  const close = (): void => setAsked(null);
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-3">
            <PageTitle title={node.name} />
            <NodeBadge node={node} />
          </div>
          <Copyable text={node.sid} what="Node number" />
        </div>
        {node.revoked_at === null && (
          <div className="flex flex-wrap gap-3">
            <Button look="quiet" onPress={() => setAsked('rotate')}>
              New key
            </Button>
            <Button look="danger" onPress={() => setAsked('revoke')}>
              Revoke
            </Button>
          </div>
        )}
      </div>
      <section aria-label="Facts" className="card p-5 sm:p-6">
        <Facts facts={factsOf(node)} />
        {node.user_sids !== null && (
          <details className="mt-4 text-sm">
            <summary className="cursor-pointer font-medium text-accent">The users it may report for</summary>
            <ul className="mt-2 max-h-48 overflow-y-auto font-mono text-xs break-all text-soft">
              {node.user_sids.map((sid) => (
                <li key={sid}>{sid}</li>
              ))}
            </ul>
          </details>
        )}
      </section>
      {asked === 'rotate' && <RotateDialog node={node} onClose={close} />}
      {asked === 'revoke' && <RevokeDialog node={node} onClose={close} />}
    </>
  );
}

const factsOf = (node: UsageNode): readonly (readonly [string, ReactElement | string])[] => [
  ['Reports for', scopeOf(node)],
  ['A record may cost', <Money key="record" amount={node.record_max} />],
  ['An hour may cost', <Money key="hour" amount={node.hour_max} />],
  ['Registered', <Time key="created" at={node.created_at} />],
  [
    'Key',
    <span key="key" className="font-mono text-xs break-all">
      nk_{node.key_id}_…
    </span>,
  ],
  ...(node.old_key_until !== null && hasOldKey(node)
    ? [['Key before it ends', <Time key="old" at={node.old_key_until} />] as const]
    : []),
  ...(node.revoked_at === null ? [] : [['Revoked', <Time key="revoked" at={node.revoked_at} />] as const]),
];

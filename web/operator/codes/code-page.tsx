import { useQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import type { Code, CodeUse } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Copyable } from '../../ui/copyable.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Facts } from '../../ui/facts.tsx';
import { List } from '../../ui/list.tsx';
import { formatMoney, isZero } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { BackLink, Card, Loading, PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { WalletLink } from '../wallet-link.tsx';
import { CloseDialog } from './close-dialog.tsx';
import { canClose, CodeBadge } from './state.tsx';

/** One code: what it promises, what came of it, and who had it. */
export function OperatorCodePage({ sid }: { readonly sid: string }): ReactElement {
  const code = useQuery<Code, Problem>({
    queryKey: ['/v1/codes', sid],
    queryFn: ({ signal }) => get<Code>(`/v1/codes/${seg(sid)}`, { signal }),
  });
  return (
    <div className="space-y-6">
      <BackLink to="/operator/codes">Codes</BackLink>
      {!code.data && (
        <>
          <PageTitle title="Code" isHidden />
          {code.error ? (
            <ProblemBanner problem={code.error} retry={() => void code.refetch()} />
          ) : (
            <Loading what="the code" />
          )}
        </>
      )}
      {code.data && <Shown code={code.data} />}
    </div>
  );
}

function Shown({ code }: { readonly code: Code }): ReactElement {
  const [isClosing, setClosing] = useState(false);
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-4">
        <div className="min-w-0 space-y-1">
          <PageTitle title={code.code} />
          <p className="text-soft">{code.description}</p>
          <p className="flex flex-wrap items-center gap-3">
            <CodeBadge state={code.state} />
            <Copyable text={code.code} what="Code" />
          </p>
        </div>
        {canClose(code) && (
          <Button look="danger" onPress={() => setClosing(true)}>
            Close the code…
          </Button>
        )}
      </div>
      <section aria-label="What it promises" className="card p-5 sm:p-6">
        <Facts facts={factsOf(code)} />
      </section>
      <Card title="Uses">
        <List<CodeUse>
          what="uses"
          path={`/v1/codes/${seg(code.sid)}/uses`}
          columns={COLUMNS}
          keyOf={({ number }) => String(number)}
          empty={<EmptyState title="Nobody has redeemed it so far">Who does is listed here.</EmptyState>}
        />
      </Card>
      {isClosing && <CloseDialog code={code} onClose={() => setClosing(false)} />}
    </>
  );
}

function factsOf(code: Code): readonly (readonly [string, ReactNode])[] {
  return [
    ['Gives', <Money key="gives" amount={code.amount} />],
    ['Uses', `${code.uses} of ${code.uses_max}`],
    ['Given so far', <Money key="given" amount={code.given} />],
    ['When used up', <Money key="most" amount={code.given_max} />],
    ['Credit lasts', code.credit_days === null ? 'no end' : `${code.credit_days} days`],
    ['By one person', code.uses_per_user_max === 1 ? 'once' : `${code.uses_per_user_max} times`],
    ['Valid from', <Time key="from" at={code.valid_from} />],
    ['Valid until', code.valid_until === null ? 'used up or closed' : <Time key="until" at={code.valid_until} />],
    ['For', forWhom(code)],
    ...(code.closed_at === null ? [] : ([['Closed', <Time key="closed" at={code.closed_at} />]] as const)),
  ];
}

function forWhom(code: Code): string {
  if (code.is_for_new_customers) return 'who has never paid';
  return isZero(code.lifetime_paid_min) ? 'everybody' : `who has paid ${formatMoney(code.lifetime_paid_min)}`;
}

const COLUMNS: readonly Column<CodeUse>[] = [
  { title: 'No.', cell: (use) => <span className="tabular-nums">{use.number}</span> },
  {
    title: 'Wallet',
    cell: (use) => (
      <>
        <WalletLink sid={use.wallet_sid} />
        <p className="mt-0.5 text-xs text-soft md:hidden">
          <Time at={use.redeemed_at} />
        </p>
      </>
    ),
  },
  { title: 'Redeemed', isExtra: true, cell: (use) => <Time at={use.redeemed_at} /> },
  { title: 'Credit', isAmount: true, cell: (use) => <Money amount={use.amount} /> },
];

import { useQuery } from '@tanstack/react-query';
import { Tabs } from 'radix-ui';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import { PaymentList } from '../../payment/list.tsx';
import type { Billing } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Copyable } from '../../ui/copyable.tsx';
import { Facts } from '../../ui/facts.tsx';
import { fromCents } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { BackLink, Loading, PageTitle } from '../../ui/page.tsx';
import { TabList } from '../../ui/tabs.tsx';
import { Time } from '../../ui/time.tsx';
import { UsageOverview } from '../../usage/overview.tsx';
import { RefundList } from '../../refund/list.tsx';
import { RefundPlanCard } from '../../refund/plan-card.tsx';
import { HoldList } from '../../wallet/hold-list.tsx';
import { Statement } from '../../wallet/statement.tsx';
import { AdjustDialog } from './adjust-dialog.tsx';
import { AuditList } from './audit-list.tsx';
import { ViewAsDialog } from './view-as-dialog.tsx';

export function OperatorWalletPage({ sid }: { readonly sid: string }): ReactElement {
  const wallet = useQuery<Billing, Problem>({
    queryKey: ['billing', sid],
    queryFn: ({ signal }) => get<Billing>(`/v1/billings/${seg(sid)}`, { signal }),
  });
  return (
    <div className="space-y-6">
      <BackLink to="/operator">All wallets</BackLink>
      {!wallet.data && wallet.error && (
        <>
          <PageTitle title="Wallet" />
          <ProblemBanner problem={wallet.error} retry={() => void wallet.refetch()} />
        </>
      )}
      {!wallet.data && !wallet.error && <Loading what="the wallet" />}
      {wallet.data && <Overview wallet={wallet.data} />}
      {wallet.data && <History sid={sid} />}
    </div>
  );
}

function Overview({ wallet }: { readonly wallet: Billing }): ReactElement {
  const [isAdjusting, setAdjusting] = useState(false);
  const [isViewing, setViewing] = useState(false);
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-3">
            <PageTitle title={wallet.display_name ?? 'Wallet without a name'} />
            {wallet.is_frozen && <Badge tone="bad" text="Frozen" />}
          </div>
          <Copyable text={wallet.sid} what="Wallet number" />
        </div>
        <div className="flex flex-wrap gap-2">
          <Button look="quiet" onPress={() => setViewing(true)}>
            See it as they do
          </Button>
          <Button onPress={() => setAdjusting(true)}>Adjust balance</Button>
        </div>
      </div>
      <section aria-label="Balances" className="card p-5 sm:p-6">
        <p className="text-sm text-soft">Balance</p>
        <p className="mt-0.5 mb-5 text-4xl font-semibold tracking-tight" data-testid="balance">
          <Money amount={wallet.credit_balance} currency={wallet.currency} />
        </p>
        <Facts
          facts={[
            ['Reserved', <Money key="reserved" amount={wallet.reserved} />],
            ['In dispute', <Money key="frozen" amount={wallet.frozen} />],
            [
              'Given',
              <Link
                key="given"
                href={`/operator/grants?wallet_sid=${wallet.sid}`}
                className="text-accent underline underline-offset-2"
              >
                <Money amount={wallet.given} />
              </Link>,
            ],
            ['Paid in so far', <Money key="paid" amount={fromCents(wallet.lifetime_paid_cents)} />],
            ['First paid', wallet.first_paid_at === null ? 'never' : <Time key="first" at={wallet.first_paid_at} />],
          ]}
        />
      </section>
      {isAdjusting && <AdjustDialog wallet={wallet} onClose={() => setAdjusting(false)} />}
      {isViewing && <ViewAsDialog wallet={wallet} onClose={() => setViewing(false)} />}
    </>
  );
}

const TABS = [
  ['statement', 'Statement'],
  ['usage', 'Usage'],
  ['payments', 'Payments'],
  ['refunds', 'Refunds'],
  ['holds', 'Holds'],
  ['audit', 'Audit'],
] as const;

function History({ sid }: { readonly sid: string }): ReactElement {
  return (
    <Tabs.Root defaultValue="statement" className="space-y-6">
      <div className="card overflow-hidden">
        <TabList label="History" tabs={TABS} />
        <Tabs.Content value="statement" className="-outline-offset-2">
          <Statement walletSid={sid} />
        </Tabs.Content>
        <Tabs.Content value="payments" className="-outline-offset-2">
          <PaymentList walletSid={sid} />
        </Tabs.Content>
        <Tabs.Content value="refunds" className="-outline-offset-2">
          <RefundPlanCard walletSid={sid} />
          <h2 className="border-t border-line px-4 pt-5 font-semibold sm:px-5">Refunds of this wallet</h2>
          <RefundList walletSid={sid} />
        </Tabs.Content>
        <Tabs.Content value="holds" className="-outline-offset-2">
          <HoldList walletSid={sid} />
        </Tabs.Content>
        <Tabs.Content value="audit" className="-outline-offset-2">
          <AuditList subject={sid} />
        </Tabs.Content>
      </div>
      <Tabs.Content value="usage" className="-outline-offset-2">
        <UsageOverview walletSid={sid} />
        <p className="mt-4 text-sm text-soft">
          What this wallet could not pay is{' '}
          <Link href={`/operator/unbilled?wallet_sid=${sid}`} className="text-accent underline underline-offset-2">
            listed as unbilled
          </Link>
          .
        </p>
      </Tabs.Content>
    </Tabs.Root>
  );
}

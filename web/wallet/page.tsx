import { useQuery } from '@tanstack/react-query';
import { Tabs } from 'radix-ui';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { AutoRechargeCard } from '../auto-recharge/card.tsx';
import { BonusNotice } from '../bonus/notice.tsx';
import { SavedCards } from '../card/saved-cards.tsx';
import { PaymentList } from '../payment/list.tsx';
import { RefundList } from '../refund/list.tsx';
import { ReceiptList } from '../receipt/list.tsx';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { useSession } from '../session.ts';
import { StandingNotice } from '../standing/notice.tsx';
import type { Billing } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { isZero } from '../ui/money.ts';
import { Loading, PageTitle } from '../ui/page.tsx';
import { TabList } from '../ui/tabs.tsx';
import { BalanceCard } from './balance-card.tsx';
import { DisputeNotice } from './dispute-notice.tsx';
import { GivenCredit } from './given-credit.tsx';
import { PendingPayments } from './pending-payments.tsx';
import { Redeem } from './redeem.tsx';
import { Statement } from './statement.tsx';
import { TopUp } from './top-up.tsx';

export function WalletPage(): ReactElement {
  const { card_providers } = useSession();
  const { wallet: chosen } = useChosenWallet();
  const sid = chosen.wallet_sid;
  const wallet = useQuery<Billing, Problem>({
    queryKey: ['billing', sid],
    queryFn: ({ signal }) => get<Billing>(`/v1/billings/${seg(sid)}`, { signal }),
    refetchInterval: 30_000,
  });
  return (
    <>
      <PageTitle title="Wallet" isHidden />
      {!wallet.data && wallet.error && <ProblemBanner problem={wallet.error} retry={() => void wallet.refetch()} />}
      {!wallet.data && !wallet.error && <Loading what="your wallet" />}
      <div className="mb-6 empty:hidden">
        <StandingNotice walletSid={sid} mayChange={chosen.role !== 'viewer'} isOnWallet />
      </div>
      {wallet.data && (
        <div className="grid gap-6 lg:grid-cols-[1fr_20rem] lg:grid-rows-[auto_1fr]">
          <BalanceCard wallet={wallet.data} />
          <div className="space-y-6 lg:row-span-2">
            {chosen.kind === 'person' && wallet.data.first_paid_at === null && <BonusNotice />}
            {chosen.role === 'viewer' ? <ViewerNotice name={chosen.name} /> : <TopUp />}
            {chosen.role === 'owner' && <Redeem walletSid={sid} />}
            {card_providers.length > 0 && chosen.role === 'owner' && (
              <>
                <AutoRechargeCard />
                <SavedCards />
              </>
            )}
          </div>
          <div className="min-w-0 space-y-6">
            <DisputeNotice wallet={wallet.data} />
            {!isZero(wallet.data.given) && <GivenCredit walletSid={sid} />}
            <PendingPayments walletSid={sid} />
            <Tabs.Root defaultValue="statement" className="card overflow-hidden">
              <TabList
                label="History"
                tabs={[
                  ['statement', 'Statement'],
                  ['payments', 'Payments'],
                  ['refunds', 'Refunds'],
                  ['receipts', 'Receipts'],
                ]}
              />
              <Tabs.Content value="statement" className="-outline-offset-2">
                <Statement walletSid={sid} />
              </Tabs.Content>
              <Tabs.Content value="payments" className="-outline-offset-2">
                <PaymentList walletSid={sid} />
              </Tabs.Content>
              <Tabs.Content value="refunds" className="-outline-offset-2">
                <RefundList walletSid={sid} />
              </Tabs.Content>
              <Tabs.Content value="receipts" className="-outline-offset-2">
                <ReceiptList walletSid={sid} />
              </Tabs.Content>
            </Tabs.Root>
          </div>
        </div>
      )}
    </>
  );
}

const ViewerNotice = ({ name }: { readonly name: string }): ReactElement => (
  <section aria-label="What you may do" className="card p-5 text-sm text-soft sm:p-6">
    You see the wallet of {name} as a viewer. Adding money and spending it is for members: an owner can make you one.
  </section>
);

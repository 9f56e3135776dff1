import { useQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import { providerName } from '../../payment/list.tsx';
import type { Dispute, DisputeWithAnswers } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Copyable } from '../../ui/copyable.tsx';
import { Facts } from '../../ui/facts.tsx';
import { isZero } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { BackLink, Card, Loading, PageTitle } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';
import { AuditList } from '../wallets/audit-list.tsx';
import { WalletLink } from '../wallet-link.tsx';
import { Answers } from './answer.tsx';
import { Deadline, DisputeBadge } from './badge.tsx';
import { DownloadEvidence } from './download.tsx';
import { STATE_TEXT } from './state.ts';

export function OperatorDisputePage({ sid }: { readonly sid: string }): ReactElement {
  const dispute = useQuery<DisputeWithAnswers, Problem>({
    queryKey: ['dispute', sid],
    queryFn: ({ signal }) => get<DisputeWithAnswers>(`/v1/disputes/${seg(sid)}`, { signal }),
    refetchInterval: 60_000,
  });
  return (
    <div className="space-y-6">
      <BackLink to="/operator/disputes">All disputes</BackLink>
      {!dispute.data && dispute.error && (
        <>
          <PageTitle title="Dispute" />
          <ProblemBanner problem={dispute.error} retry={() => void dispute.refetch()} />
        </>
      )}
      {!dispute.data && !dispute.error && <Loading what="the dispute" />}
      {dispute.data && <Overview dispute={dispute.data} />}
    </div>
  );
}

function Overview({ dispute }: { readonly dispute: DisputeWithAnswers }): ReactElement {
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-3">
            <PageTitle title={`Dispute at ${providerName(dispute.provider)}`} />
            <DisputeBadge state={dispute.state} />
          </div>
          <Copyable text={dispute.dispute_ref} what="Reference" />
        </div>
        <DownloadEvidence dispute={dispute} />
      </div>
      <p className="text-soft">{STATE_TEXT[dispute.state].sentence}</p>
      {!isZero(dispute.excess) && (
        <Banner tone="bad">
          The provider takes <Money amount={dispute.excess} /> more than was left of the payment. It is not taken from
          the wallet: look at the payment at the provider, which may have been refunded and disputed.
        </Banner>
      )}
      {dispute.freezes_wallet && (
        <Banner tone="warn">
          The wallet is frozen because of this dispute.{' '}
          {dispute.state === 'lost' ? 'It stays frozen until you thaw it.' : 'It is thawed when the dispute is won.'}
        </Banner>
      )}
      <section aria-label="Facts" className="card p-5 sm:p-6">
        <Facts facts={factsOf(dispute)} />
      </section>
      <Answers dispute={dispute} />
      <Card title="What happened">
        <AuditList subject={dispute.sid} />
      </Card>
    </>
  );
}

const factsOf = (dispute: Dispute): readonly (readonly [string, ReactNode])[] => [
  ['Disputed', <Money key="amount" amount={dispute.amount} />],
  ['Set aside', <Money key="frozen" amount={dispute.frozen} />],
  ['Lost', <Money key="lost" amount={dispute.lost} />],
  ['Fee of the provider', <Money key="fee" amount={dispute.fee} />],
  ['Reason', dispute.reason?.replaceAll('_', ' ') ?? 'not said'],
  ['Evidence until', <Deadline key="due" dispute={dispute} />],
  ['Heard of', <Time key="opened" at={dispute.opened_at} />],
  ['Over', dispute.closed_at === null ? 'not yet' : <Time key="closed" at={dispute.closed_at} />],
  ['Wallet', <WalletLink key="wallet" sid={dispute.wallet_sid} />],
  [
    'Payment',
    <Link
      key="payment"
      href={`/payments/${dispute.payment_sid}`}
      className="font-mono text-xs break-all text-accent underline-offset-2 hover:underline"
    >
      {dispute.payment_sid}
    </Link>,
  ],
];

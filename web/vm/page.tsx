import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { StandingNotice } from '../standing/notice.tsx';
import type { Page, Runway, Subscription } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Loading, PageTitle } from '../ui/page.tsx';
import { Vms } from './list.tsx';
import { Quota } from './quota.tsx';
import { RequestDialog } from './request-dialog.tsx';
import { StopOrder } from './stop-order.tsx';

/** A top-up may restore them, and a period may begin, while one looks. */
const REFRESH_MS = 15_000;

/** The VMs of the chosen wallet. */
export function VmsPage(): ReactElement {
  const { wallet } = useChosenWallet();
  const [isAsking, setAsking] = useState(false);
  const query = { wallet_sid: wallet.wallet_sid, limit: 1 };
  const latest = useQuery<Page<Subscription>, Problem>({
    queryKey: ['/v1/subscriptions', query],
    queryFn: ({ signal }) => get<Page<Subscription>>('/v1/subscriptions', { query, signal }),
    refetchInterval: REFRESH_MS,
  });
  const runway = useQuery<Runway, Problem>({
    queryKey: ['runway', wallet.wallet_sid],
    queryFn: ({ signal }) => get<Runway>(`/v1/billings/${seg(wallet.wallet_sid)}/runway`, { signal }),
    refetchInterval: REFRESH_MS,
  });
  const [newest] = latest.data?.items ?? [];
  const plan = newest === undefined || newest.state === 'ended' ? null : newest;
  const mayChange = wallet.role !== 'viewer';
  const hasRoom = plan?.state === 'active' && plan.vm_used < plan.vm_total;
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="VMs" />
        {mayChange && hasRoom && <Button onPress={() => setAsking(true)}>Ask for a VM…</Button>}
      </div>
      <StandingNotice walletSid={wallet.wallet_sid} mayChange={mayChange} />
      {latest.isPending && <Loading what="your plan" />}
      {!latest.data && latest.error && <ProblemBanner problem={latest.error} retry={() => void latest.refetch()} />}
      {latest.data && <Quota plan={plan} runway={runway.data ?? null} />}
      {!mayChange && (
        <p className="text-sm text-soft">
          You see this wallet as a viewer. Asking for VMs and giving them back is for members: an owner can make you
          one.
        </p>
      )}
      <Vms walletSid={wallet.wallet_sid} runway={runway.data ?? null} mayChange={mayChange} hasPlan={plan !== null} />
      {mayChange && runway.data && runway.data.vms.length > 1 && <StopOrder vms={runway.data.vms} />}
      {isAsking && plan !== null && <RequestDialog plan={plan} onClose={() => setAsking(false)} />}
    </div>
  );
}

import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import type { Standing } from '../surface.ts';
import { Banner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { isZero } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { isPast } from '../ui/time.ts';
import { Time } from '../ui/time.tsx';
import { RescueDialog } from './rescue-dialog.tsx';

const REFRESH_MS = 15_000;

interface NoticeProps {
  readonly walletSid: string;
  readonly mayChange: boolean;
  /** Whether the page around it is where money is added. */
  readonly isOnWallet?: boolean;
}

/**
 * How a wallet stands, what comes next if nothing is paid, and what to do. Silent when all is well, and when it cannot be read: the page
 * around it says what there is all the same.
 */
export function StandingNotice({ walletSid, mayChange, isOnWallet = false }: NoticeProps): ReactElement | null {
  const path = `/v1/billings/${seg(walletSid)}/standing`;
  const { data: standing } = useQuery<Standing, Problem>({
    queryKey: [path],
    queryFn: ({ signal }) => get<Standing>(path, { signal }),
    refetchInterval: REFRESH_MS,
  });
  if (!standing || !isWorthSaying(standing)) return null;
  return (
    <section aria-label="How the wallet stands" className="space-y-3">
      <Banner tone={standing.reason === null && standing.state === 'empty' ? 'warn' : TONES[standing.state]}>
        <p>
          <What standing={standing} /> <Next standing={standing} />
        </p>
        {!isOnWallet && isDue(standing) && (
          <p className="mt-1">
            <Link href="/wallet" className="font-medium underline underline-offset-2">
              Add money
            </Link>
          </p>
        )}
      </Banner>
      {standing.state === 'suspended' && <Rescue standing={standing} mayChange={mayChange} />}
    </section>
  );
}

const TONES = { active: 'warn', low: 'warn', empty: 'bad', suspended: 'bad', released: 'bad' } as const;

/** Nothing is said of a wallet that nothing depends on: a new one is empty too. */
function isWorthSaying({ state, reason, vms, renewal, restoring_since: restoring }: Standing): boolean {
  if (state === 'suspended' || state === 'released' || restoring !== null) return true;
  if (state === 'active') return false;
  return reason !== null || vms > 0 || renewal !== null;
}

const isDue = ({ state, due }: Standing): boolean => due !== null && (state !== 'active' || !isZero(due));

const vmsText = (count: number): string => (count === 1 ? 'Its VM' : `Its ${count} VMs`);

const standStill = (count: number): string =>
  count === 1
    ? 'Its VM stands still, and keeps what is on it.'
    : `Its ${count} VMs stand still, and keep what is on them.`;

const isRescued = ({ rescue: { until } }: Standing): boolean => until !== null && !isPast(until);

/** What is the matter, as a sentence. */
function What({ standing }: { readonly standing: Standing }): ReactElement {
  const { state, reason, due, available, vms } = standing;
  if (standing.restoring_since !== null) return <>Its VMs are being started again.</>;
  if (reason === 'operator') return <>This wallet is frozen by the service: write to us.</>;
  if (reason === 'dispute') return <>This wallet is frozen until your bank has decided about a payment of yours.</>;
  if (state === 'released') {
    return <>The VMs were given back, because the wallet was not paid. They cannot be had again.</>;
  }
  if (state === 'low') {
    return (
      <>
        The wallet runs low: <Money amount={available} /> are left.
      </>
    );
  }
  if (due === null || isZero(due)) return <>Nothing is left in the wallet.</>;
  return (
    <>
      {reason === 'plan' ? 'The next period of the plan could not be paid: ' : 'The wallet owes: '}
      <Money amount={due} /> {reason === 'plan' ? 'are missing.' : 'are to be paid.'}
      {state === 'suspended' && !isRescued(standing) && ` ${standStill(vms)}`}
    </>
  );
}

/** What comes if nothing is paid. */
function Next({ standing: { next, renewal, state, vms } }: { readonly standing: Standing }): ReactElement | null {
  if (next !== null) {
    return next.state === 'suspended' ? (
      <>
        {vms > 0 ? vmsText(vms) : 'The wallet'} {vms > 0 ? 'will be stopped' : 'is suspended'} on <Time at={next.at} />.
      </>
    ) : (
      <>
        If nothing is paid until <Time at={next.at} />, the VMs are given back, and what is on them is gone.
      </>
    );
  }
  if (renewal === null || state === 'suspended' || state === 'released') return null;
  return (
    <>
      The plan renews on <Time at={renewal.at} /> for <Money amount={renewal.price} />.
    </>
  );
}

/** Once in a suspension the VMs may run again for some hours, to fetch what is on them. */
function Rescue({
  standing,
  mayChange,
}: {
  readonly standing: Standing;
  readonly mayChange: boolean;
}): ReactElement | null {
  const [isAsking, setAsking] = useState(false);
  const { is_available: isAvailable, until } = standing.rescue;
  if (until !== null) {
    return isPast(until) ? null : (
      <Banner tone="warn">
        The VMs run once more until <Time at={until} />, without charge. Fetch what you need: then they stop by
        themselves.
      </Banner>
    );
  }
  if (!isAvailable || !mayChange) return null;
  return (
    <Banner tone="calm">
      <p>Do you need what is on the VMs? They can run once more for some hours, without charge.</p>
      <p className="mt-2">
        <Button look="quiet" size="small" onPress={() => setAsking(true)}>
          Start them once more…
        </Button>
      </p>
      {isAsking && <RescueDialog walletSid={standing.wallet_sid} onClose={() => setAsking(false)} />}
    </Banner>
  );
}

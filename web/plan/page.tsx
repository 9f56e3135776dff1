import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem, Rows } from '../api.ts';
import { get, getAll } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import type { Page, Plan, Subscription } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Money } from '../ui/money.tsx';
import { Card, Loading, PageTitle } from '../ui/page.tsx';
import { PlanPeriods } from './periods.tsx';
import { PresentPlan } from './present-plan.tsx';
import { QuoteDialog } from './quote-dialog.tsx';
import { everyPeriod, vmsOf } from './words.ts';

/** A renewal comes by itself, and a top-up may restore a plan while one looks. */
const REFRESH_MS = 15_000;

/** The plan of the chosen wallet, and those that it could have. */
export function PlanPage(): ReactElement {
  const { wallet } = useChosenWallet();
  const query = { wallet_sid: wallet.wallet_sid, limit: 1 };
  const latest = useQuery<Page<Subscription>, Problem>({
    queryKey: ['/v1/subscriptions', query],
    queryFn: ({ signal }) => get<Page<Subscription>>('/v1/subscriptions', { query, signal }),
    refetchInterval: REFRESH_MS,
  });
  const [newest] = latest.data?.items ?? [];
  const open = newest === undefined || newest.state === 'ended' ? null : newest;
  const mayBuy = wallet.role !== 'viewer';
  return (
    <div className="space-y-6">
      <PageTitle title="Plan" />
      {latest.isPending && <Loading what="your plan" />}
      {!latest.data && latest.error && <ProblemBanner problem={latest.error} retry={() => void latest.refetch()} />}
      {latest.data && (
        <>
          <PresentPlan open={open} last={newest ?? null} mayChange={mayBuy} />
          <Plans open={open} mayBuy={mayBuy} />
          {newest !== undefined && <PlanPeriods sid={newest.sid} />}
        </>
      )}
    </div>
  );
}

function Plans({ open, mayBuy }: { readonly open: Subscription | null; readonly mayBuy: boolean }): ReactElement {
  const [asked, setAsked] = useState<Plan | null>(null);
  const plans = useQuery<Rows<Plan>, Problem>({
    queryKey: ['/v1/plans', 'for sale'],
    queryFn: ({ signal }) => getAll<Plan>('/v1/plans', { signal }),
  });
  return (
    <Card title={open === null ? 'Choose a plan' : 'Change your plan'}>
      {plans.isPending && <Loading what="the plans" />}
      {!plans.data && plans.error && (
        <div className="p-4">
          <ProblemBanner problem={plans.error} retry={() => void plans.refetch()} />
        </div>
      )}
      {plans.data?.items.length === 0 && (
        <EmptyState title="No plan is for sale">Come back later, or ask whoever runs this service.</EmptyState>
      )}
      {!mayBuy && (
        <p className="px-5 pt-4 text-sm text-soft sm:px-6">
          You see this wallet as a viewer. Buying and changing a plan is for members: an owner can make you one.
        </p>
      )}
      <ul className="divide-y divide-line">
        {plans.data?.items.map((plan) => (
          <li key={plan.sid} className="flex flex-wrap items-center justify-between gap-4 px-5 py-4 sm:px-6">
            <Offer plan={plan} />
            <Choice plan={plan} open={open} mayBuy={mayBuy} onChoose={() => setAsked(plan)} />
          </li>
        ))}
      </ul>
      {asked !== null && <QuoteDialog plan={asked} open={open} onClose={() => setAsked(null)} />}
    </Card>
  );
}

function Offer({ plan }: { readonly plan: Plan }): ReactElement {
  return (
    <div className="min-w-0">
      <p className="font-medium">{plan.name}</p>
      <p className="mt-0.5 text-sm">
        <Money amount={plan.price} /> <span className="text-soft">{everyPeriod(plan)}</span>
      </p>
      <p className="mt-0.5 text-sm text-soft">{[vmsOf(plan.vm_count, plan.vm_size), ...plan.includes].join(' · ')}</p>
    </div>
  );
}

interface ChoiceProps {
  readonly plan: Plan;
  readonly open: Subscription | null;
  readonly mayBuy: boolean;
  readonly onChoose: () => void;
}

function Choice({ plan, open, mayBuy, onChoose }: ChoiceProps): ReactElement | null {
  const isPresent = open?.plan === plan.code;
  if (isPresent && open.next_plan === null) return <span className="text-sm text-soft">Your plan</span>;
  if (open?.next_plan === plan.code) return <span className="text-sm text-soft">From the next period</span>;
  if (!mayBuy || (isPresent && open.next_plan !== null)) return null;
  return (
    <Button look={open === null ? 'primary' : 'quiet'} onPress={onChoose}>
      {open === null ? `Buy ${plan.name}…` : `Change to ${plan.name}…`}
    </Button>
  );
}

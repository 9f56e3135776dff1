import type { ReactElement } from 'react';
import { Link } from 'wouter';
import type { Runway, Subscription } from '../surface.ts';
import { Banner } from '../ui/banner.tsx';
import { buttonClass } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Facts } from '../ui/facts.tsx';
import { Card } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';

interface QuotaProps {
  /** Null: the wallet has none. */
  readonly plan: Subscription | null;
  /** Null: it is not known yet. */
  readonly runway: Runway | null;
}

/** How many VMs the plan gives, how many of them are left, and until when they are paid. */
export function Quota({ plan, runway }: QuotaProps): ReactElement {
  if (plan === null) {
    return (
      <Card title="What the plan gives">
        <EmptyState title="No plan">A VM takes a plan: so many at a time, for 30 days.</EmptyState>
        <p className="-mt-6 pb-10 text-center">
          <Link href="/plan" className={buttonClass()}>
            See the plans
          </Link>
        </p>
      </Card>
    );
  }
  const left = Math.max(0, plan.vm_total - plan.vm_used);
  return (
    <Card
      title="What the plan gives"
      aside={
        <Link href="/plan" className="text-sm text-accent underline underline-offset-2">
          {plan.plan_name}
        </Link>
      }
    >
      <div className="space-y-4 p-5 sm:p-6">
        <Facts
          facts={[
            ['In use', `${plan.vm_used} of ${plan.vm_total}`],
            ['Left', String(left)],
            ['Size', plan.vm_size],
            [
              plan.is_renewing && plan.state === 'active' ? 'Renews' : 'Paid until',
              <Time key="end" at={plan.period_ends_at} />,
            ],
            ...(runway === null ? [] : [['The wallet lasts', runway.text] as const]),
          ]}
        />
        {plan.state === 'past_due' && (
          <Banner tone="bad">
            The next period is not paid, so no VM can be asked for.{' '}
            <Link href="/plan" className="font-medium underline underline-offset-2">
              What it costs
            </Link>
          </Banner>
        )}
        {plan.state === 'active' && left === 0 && (
          <Banner>
            All of them are in use. Give one back, or{' '}
            <Link href="/plan" className="font-medium underline underline-offset-2">
              change to a larger plan
            </Link>
            .
          </Banner>
        )}
      </div>
    </Card>
  );
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import { useIntent } from '../intent.ts';
import type { PlanChanged, Subscription } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Facts } from '../ui/facts.tsx';
import { Money } from '../ui/money.tsx';
import { Card } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { END_REASONS, stateOf } from './words.ts';

interface PresentPlanProps {
  /** The plan that the wallet has; null: none. */
  readonly open: Subscription | null;
  /** The newest one, open or ended; null: there was none. */
  readonly last: Subscription | null;
  readonly mayChange: boolean;
}

export function PresentPlan({ open, last, mayChange }: PresentPlanProps): ReactElement {
  if (open === null) {
    return (
      <Card title="Your plan">
        <EmptyState title="No plan">
          {last?.ended_at ? (
            <>
              {last.plan_name} ended <Time at={last.ended_at} />
              {last.end_reason !== null && `: ${END_REASONS[last.end_reason]}`}. Choose a plan below to have VMs again.
            </>
          ) : (
            'A plan lets you have VMs. Choose one below.'
          )}
        </EmptyState>
      </Card>
    );
  }
  const [tone, text] = stateOf(open);
  return (
    <Card title="Your plan" aside={<Badge tone={tone} text={text} />}>
      <div className="space-y-4 p-5 sm:p-6">
        <Facts
          facts={[
            ['Plan', open.plan_name],
            ['VMs', `${open.vm_used} of ${open.vm_total} in use`],
            ['Price', <Money key="price" amount={open.price} />],
            [open.is_renewing ? 'Renews' : 'Ends', <Time key="end" at={open.period_ends_at} />],
          ]}
        />
        <Notice open={open} mayChange={mayChange} />
        {mayChange && <Deeds open={open} />}
      </div>
    </Card>
  );
}

function Notice({
  open,
  mayChange,
}: {
  readonly open: Subscription;
  readonly mayChange: boolean;
}): ReactElement | null {
  if (open.state === 'past_due') {
    return (
      <Banner tone="bad">
        The next period costs <Money amount={open.due ?? open.price} />, and the wallet does not hold that. It renews by
        itself within seconds once it does.{' '}
        <Link href="/wallet" className="font-medium underline underline-offset-2">
          Add money
        </Link>
      </Banner>
    );
  }
  if (!open.is_renewing) {
    return (
      <Banner tone="warn">
        It ends <Time at={open.period_ends_at} />, and its VMs are given back with what is on them.
      </Banner>
    );
  }
  return open.next_plan === null ? null : <Waiting open={open} mayChange={mayChange} />;
}

/** Another plan begins with the next period; until then it can be taken back. */
function Waiting({ open, mayChange }: { readonly open: Subscription; readonly mayChange: boolean }): ReactElement {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const keep = useMutation<PlanChanged, Problem>({
    mutationFn: () =>
      intent.run(`keep ${open.sid} ${open.plan}`, (idempotencyKey) =>
        post<PlanChanged>(`/v1/subscriptions/${seg(open.sid)}/change`, { plan: open.plan }, { idempotencyKey }),
      ),
    onSuccess: async () => {
      say(`You keep ${open.plan_name}.`);
      await queries.invalidateQueries();
    },
  });
  return (
    <>
      <Banner>
        It becomes {open.next_plan} when this period ends. <Time at={open.period_ends_at} />
      </Banner>
      {mayChange && (
        <Button look="quiet" isBusy={keep.isPending} onPress={() => keep.mutate()}>
          Keep {open.plan_name}
        </Button>
      )}
      <ProblemBanner problem={keep.error} />
    </>
  );
}

function Deeds({ open }: { readonly open: Subscription }): ReactElement {
  const [isAsking, setAsking] = useState(false);
  const resume = useDeed(open, 'resume', `${open.plan_name} renews again.`);
  return (
    <div className="flex flex-wrap gap-3">
      {open.is_renewing ? (
        <Button look="quiet" onPress={() => setAsking(true)}>
          Cancel the plan…
        </Button>
      ) : (
        <Button isBusy={resume.isPending} onPress={() => resume.mutate()}>
          Let it renew
        </Button>
      )}
      <ProblemBanner problem={resume.error} />
      {isAsking && <CancelDialog open={open} onClose={() => setAsking(false)} />}
    </div>
  );
}

function CancelDialog({ open, onClose }: { readonly open: Subscription; readonly onClose: () => void }): ReactElement {
  const cancel = useDeed(open, 'cancel', 'The plan is cancelled.', onClose);
  return (
    <Dialog title={`Cancel ${open.plan_name}?`} onClose={onClose}>
      <div className="space-y-4">
        {open.state === 'past_due' ? (
          <p>The next period is not paid, so it ends at once. Its VMs are given back with what is on them.</p>
        ) : (
          <p>
            It stays as it is until <Time at={open.period_ends_at} />, which is paid. Then its VMs are given back with
            what is on them. Until then you can let it renew again.
          </p>
        )}
        <ProblemBanner problem={cancel.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" isBusy={cancel.isPending} onPress={() => cancel.mutate()}>
            Cancel the plan
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function useDeed(open: Subscription, deed: 'cancel' | 'resume', done: string, onDone?: () => void) {
  const queries = useQueryClient();
  const say = useToast();
  return useMutation<Subscription, Problem>({
    mutationFn: () => post<Subscription>(`/v1/subscriptions/${seg(open.sid)}/${deed}`),
    onSuccess: async () => {
      say(done);
      onDone?.();
      await queries.invalidateQueries();
    },
  });
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem, Rows } from '../../api.ts';
import { getAll, post, seg } from '../../api.ts';
import { everyPeriod, vmsOf } from '../../plan/words.ts';
import type { Plan } from '../../surface.ts';
import { AllRows } from '../../ui/all-rows.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Money } from '../../ui/money.tsx';
import { Card, Loading, PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { isPast } from '../../ui/time.ts';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';
import { PlanDialog } from './plan-dialog.tsx';

/** Every version of every plan, and what makes a new one. */
export function OperatorPlansPage(): ReactElement {
  const [asked, setAsked] = useState<Plan | 'new' | null>(null);
  const plans = useQuery<Rows<Plan>, Problem>({
    queryKey: ['/v1/plans', 'all'],
    queryFn: ({ signal }) => getAll<Plan>('/v1/plans', { query: { is_all: 'true' }, signal }),
  });
  const groups = [...Map.groupBy(plans.data?.items ?? [], ({ code }) => code)];
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Plans" />
        <Button onPress={() => setAsked('new')}>New plan</Button>
      </div>
      <p className="max-w-2xl text-soft">
        A plan is never edited: a new version counts for whoever buys or renews from an instant on. People are told of a
        renewal three days before it, with its price.
      </p>
      {plans.isPending && <Loading what="the plans" />}
      {!plans.data && plans.error && <ProblemBanner problem={plans.error} retry={() => void plans.refetch()} />}
      {plans.data?.isWhole === false && (
        <Banner tone="warn">Only the newest versions are shown: there are too many for a page.</Banner>
      )}
      {plans.data && groups.length === 0 && (
        <div className="card">
          <EmptyState title="No plans so far">Nobody can have VMs without one. Make one with “New plan”.</EmptyState>
        </div>
      )}
      {groups.map(([code, versions]) => (
        <Versions key={code} code={code} versions={versions} onNew={setAsked} />
      ))}
      {asked !== null && <PlanDialog like={asked === 'new' ? null : asked} onClose={() => setAsked(null)} />}
    </div>
  );
}

interface VersionsProps {
  readonly code: string;
  /** Newest first. */
  readonly versions: readonly Plan[];
  readonly onNew: (like: Plan) => void;
}

function Versions({ code, versions, onNew }: VersionsProps): ReactElement {
  const [isWithdrawing, setWithdrawing] = useState(false);
  const present = versions.find(({ active_from: from }) => isPast(from));
  const [newest] = versions;
  return (
    <Card
      title={code}
      aside={
        <div className="flex gap-2">
          {present?.is_for_sale === true && newest === present && (
            <Button look="plain" size="small" label={`Sell no more: ${code}`} onPress={() => setWithdrawing(true)}>
              Sell no more
            </Button>
          )}
          {newest && (
            <Button look="plain" size="small" label={`New version of ${code}`} onPress={() => onNew(newest)}>
              New version
            </Button>
          )}
        </div>
      }
    >
      <AllRows what={`versions of ${code}`} columns={columnsOf(present)} rows={versions} keyOf={({ sid }) => sid} />
      {isWithdrawing && <WithdrawDialog code={code} onClose={() => setWithdrawing(false)} />}
    </Card>
  );
}

function badgeOf(plan: Plan, present: Plan | undefined): ReactElement {
  if (!isPast(plan.active_from)) return <Badge tone="warn" text="Future" />;
  if (plan.sid !== present?.sid) return <Badge tone="calm" text="Past" />;
  return plan.is_for_sale ? <Badge tone="good" text="For sale" /> : <Badge tone="calm" text="Not for sale" />;
}

const columnsOf = (present: Plan | undefined): readonly Column<Plan>[] => [
  {
    title: 'Version',
    cell: (plan) => (
      <>
        <span className="font-medium">
          {plan.version} · {plan.name}
        </span>
        <p className="mt-0.5 text-xs text-soft">{[vmsOf(plan.vm_count, plan.vm_size), ...plan.includes].join(' · ')}</p>
        <p className="mt-1 md:hidden">{badgeOf(plan, present)}</p>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (plan) => badgeOf(plan, present) },
  { title: 'From', isExtra: true, cell: (plan) => <Time at={plan.active_from} /> },
  {
    title: 'Price',
    isAmount: true,
    cell: (plan) => (
      <>
        <Money amount={plan.price} />
        <p className="mt-0.5 text-xs text-soft">{everyPeriod(plan)}</p>
        <p className="mt-0.5 text-xs text-soft md:hidden">
          from <Time at={plan.active_from} />
        </p>
      </>
    ),
  },
];

function WithdrawDialog({ code, onClose }: { readonly code: string; readonly onClose: () => void }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const withdraw = useMutation<Plan, Problem>({
    mutationFn: () => post<Plan>(`/v1/plans/${seg(code)}/withdraw`),
    onSuccess: async () => {
      say(`${code} is not for sale any more.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/plans'] });
    },
  });
  return (
    <Dialog title={`Sell ${code} no more?`} onClose={onClose}>
      <div className="space-y-4">
        <p>From now on nobody buys it or changes to it. Who has it keeps it, and renews at its last price.</p>
        <ProblemBanner problem={withdraw.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Go on selling
          </Button>
          <Button look="danger" isBusy={withdraw.isPending} onPress={() => withdraw.mutate()}>
            Sell no more
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import { END_REASONS, stateOf } from '../../plan/words.ts';
import type { Subscription } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';
import { WalletLink } from '../wallet-link.tsx';

const STATES = [
  ['', 'All'],
  ['active', 'Active'],
  ['past_due', 'Past due'],
  ['ended', 'Ended'],
] as const;
type Chosen = (typeof STATES)[number][0];

/** Who has which plan, and how it stands. */
export function OperatorSubscriptionsPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [ending, setEnding] = useState<Subscription | null>(null);
  const asked = params.get('state');
  const state: Chosen = STATES.find(([value]) => value === asked)?.[0] ?? '';
  return (
    <div className="space-y-6">
      <PageTitle title="Subscriptions" />
      <p className="max-w-2xl text-soft">
        Which wallet has which plan. What is past due is paid by itself as soon as its wallet holds enough.
      </p>
      <Pills
        label="State"
        value={state}
        options={STATES}
        onChange={(value) => setParams(value === '' ? {} : { state: value }, { replace: true })}
      />
      <section aria-label="Subscriptions" className="card overflow-hidden">
        <List<Subscription>
          what="subscriptions"
          path="/v1/subscriptions"
          query={{ state: state === '' ? undefined : state }}
          columns={columnsOf(setEnding)}
          keyOf={({ sid }) => sid}
          empty={
            state === '' ? (
              <EmptyState title="Nobody has bought a plan so far">Whoever buys one is listed here.</EmptyState>
            ) : (
              <EmptyState title="None in this state">Choose another one to see more.</EmptyState>
            )
          }
        />
      </section>
      {ending !== null && <EndDialog of={ending} onClose={() => setEnding(null)} />}
    </div>
  );
}

const badgeOf = (row: Subscription): ReactElement => {
  const [tone, text] = stateOf(row);
  return <Badge tone={tone} text={text} />;
};

const columnsOf = (end: (row: Subscription) => void): readonly Column<Subscription>[] => [
  {
    title: 'Plan',
    cell: (row) => (
      <>
        <span className="font-medium">{row.plan_name}</span>
        <p className="mt-0.5 text-xs text-soft">
          {row.vm_used} of {row.vm_total} VMs{row.next_plan !== null && ` · then ${row.next_plan}`}
        </p>
        <p className="mt-1 md:hidden">{badgeOf(row)}</p>
        <p className="mt-1 md:hidden">
          <WalletLink sid={row.wallet_sid} />
        </p>
      </>
    ),
  },
  { title: 'Wallet', isExtra: true, cell: (row) => <WalletLink sid={row.wallet_sid} /> },
  { title: 'State', isExtra: true, cell: badgeOf },
  {
    title: 'Until',
    cell: (row) => (
      <>
        <Time at={row.ended_at ?? row.period_ends_at} />
        {row.end_reason !== null && <p className="mt-0.5 text-xs text-soft">{END_REASONS[row.end_reason]}</p>}
      </>
    ),
  },
  {
    title: 'Price',
    isAmount: true,
    cell: (row) => (
      <>
        <Money amount={row.due ?? row.price} />
        {row.state !== 'ended' && (
          <p className="mt-1">
            <Button
              look="plain"
              size="small"
              label={`End ${row.plan_name} of ${row.wallet_sid}`}
              onPress={() => end(row)}
            >
              End
            </Button>
          </p>
        )}
      </>
    ),
  },
];

function EndDialog({ of, onClose }: { readonly of: Subscription; readonly onClose: () => void }): ReactElement {
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState<{ readonly reason: string } | null>(null);
  const queries = useQueryClient();
  const say = useToast();
  const end = useMutation<Subscription, Problem>({
    mutationFn: () => post<Subscription>(`/v1/subscriptions/${seg(of.sid)}/end`, { reason: reason.trim() }),
    onSuccess: async () => {
      say(`${of.plan_name} has ended.`);
      onClose();
      await queries.invalidateQueries();
    },
  });
  const submit = (): void => {
    if (end.isPending) return;
    if (reason.trim() === '') setMissing({ reason: 'Say why. It is kept for ever.' });
    else end.mutate();
  };
  return (
    <Dialog title={`End ${of.plan_name} now?`} onClose={onClose}>
      <Form refusal={missing ?? end.error} onSubmit={submit}>
        <p className="text-sm">
          It is paid until <Time at={of.period_ends_at} />. Its VMs ({of.vm_used}) are given back at once, with what is
          on them, and nothing is paid back by itself.
        </p>
        <Field
          label="Reason"
          name="reason"
          isLong
          value={reason}
          error={missing?.reason ?? end.error?.fields.get('reason')}
          isRequired
          maxLength={500}
          onChange={(text) => {
            setReason(text);
            setMissing(null);
            end.reset();
          }}
        />
        <ProblemBanner problem={unplaced(end.error, (field) => field === 'reason')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Leave it
          </Button>
          <Button look="danger" type="submit" isBusy={end.isPending}>
            End the plan
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

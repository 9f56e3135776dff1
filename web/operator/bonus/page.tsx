import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem, Rows } from '../../api.ts';
import { getAll } from '../../api.ts';
import { givesNothing, presentRule, shareText } from '../../bonus/words.ts';
import type { BonusRule } from '../../surface.ts';
import { AllRows } from '../../ui/all-rows.tsx';
import { Badge } from '../../ui/badge.tsx';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { isZero } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { Card, Loading, PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { isPast } from '../../ui/time.ts';
import { Time } from '../../ui/time.tsx';
import { RuleDialog } from './rule-dialog.tsx';

/** What a first top-up is given: now, before, and from when on something else. */
export function OperatorBonusPage(): ReactElement {
  const [isSetting, setSetting] = useState(false);
  const rules = useQuery<Rows<BonusRule>, Problem>({
    queryKey: ['/v1/bonus-rules'],
    queryFn: ({ signal }) => getAll<BonusRule>('/v1/bonus-rules', { signal }),
  });
  const all = (rules.data?.items ?? []).toSorted(
    (one, other) => Date.parse(other.active_from) - Date.parse(one.active_from),
  );
  const present = presentRule(all);
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Bonus" />
        <Button onPress={() => setSetting(true)}>New rule</Button>
      </div>
      <p className="max-w-2xl text-soft">
        What the first top-up of a person is given besides, once. A rule is never edited: a new one counts for payments
        that are begun from an instant on. What is left of a bonus is taken back while money of its payment is refunded
        or disputed.
      </p>
      {rules.isPending && <Loading what="the rules" />}
      {!rules.data && rules.error && <ProblemBanner problem={rules.error} retry={() => void rules.refetch()} />}
      {rules.data && (
        <section aria-label="At present" className="card p-5 sm:p-6">
          <h2 className="text-sm text-soft">At present</h2>
          <p className="mt-1 text-lg font-semibold" data-testid="bonus-present">
            {present === null || givesNothing(present) ? 'A first top-up is given nothing' : shareText(present)}
          </p>
        </section>
      )}
      {rules.data && (
        <Card title="Rules">
          {all.length === 0 ? (
            <EmptyState title="No rules so far">Set one with “New rule”.</EmptyState>
          ) : (
            <AllRows what="bonus rules" columns={columnsOf(present)} rows={all} keyOf={({ sid }) => sid} />
          )}
        </Card>
      )}
      {isSetting && <RuleDialog onClose={() => setSetting(false)} />}
    </div>
  );
}

function badgeOf(rule: BonusRule, present: BonusRule | null): ReactElement {
  if (!isPast(rule.active_from)) return <Badge tone="warn" text="Future" />;
  return rule.sid === present?.sid ? <Badge tone="good" text="Active" /> : <Badge tone="calm" text="Past" />;
}

const columnsOf = (present: BonusRule | null): readonly Column<BonusRule>[] => [
  {
    title: 'Gives',
    cell: (rule) => (
      <>
        <span className="font-medium">{givesNothing(rule) ? 'nothing' : shareText(rule)}</span>
        {!givesNothing(rule) && (
          <p className="mt-0.5 text-xs text-soft">
            {rule.credit_days === null ? 'the credit does not end' : `the credit lasts ${rule.credit_days} days`}
          </p>
        )}
        <p className="mt-1 md:hidden">{badgeOf(rule, present)}</p>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (rule) => badgeOf(rule, present) },
  { title: 'From', cell: (rule) => <Time at={rule.active_from} /> },
  {
    title: 'Least top-up',
    isAmount: true,
    cell: (rule) => (isZero(rule.top_up_min) ? 'any' : <Money amount={rule.top_up_min} />),
  },
];

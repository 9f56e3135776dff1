import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { get } from '../../api.ts';
import type { Ladder, Page } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import type { Tone } from '../../ui/banner.tsx';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Card, Loading, PageTitle } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';
import { LadderDialog } from './ladder-dialog.tsx';
import { Rungs } from './rungs.tsx';
import type { LadderState } from './state.ts';
import { daysOf, stateOf, stretchesOf } from './state.ts';

/** The discount ladders of all categories, every version of them. */
export function OperatorLaddersPage(): ReactElement {
  const [asked, setAsked] = useState<string | null>(null);
  const ladders = useQuery<Page<Ladder>, Problem>({
    queryKey: ['/v1/ladders'],
    queryFn: ({ signal }) => get<Page<Ladder>>('/v1/ladders', { signal }),
  });
  const all = ladders.data?.items ?? [];
  const groups = [...Map.groupBy(all, (ladder) => ladder.category)].toSorted(([one], [other]) =>
    one.localeCompare(other),
  );
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Ladders" />
        <Button onPress={() => setAsked('')}>New ladder</Button>
      </div>
      <p className="max-w-2xl text-soft">
        Whoever uses something without a longer gap pays less from rung to rung. A version is never edited: a newer one
        counts for what happens after it.
      </p>
      {ladders.isPending && <Loading what="the ladders" />}
      {!ladders.data && ladders.error && <ProblemBanner problem={ladders.error} retry={() => void ladders.refetch()} />}
      {ladders.data && groups.length === 0 && (
        <div className="card">
          <EmptyState title="No discounts so far">
            Everybody pays the list price. A new ladder makes long use cheaper.
          </EmptyState>
        </div>
      )}
      {groups.map(([category, versions]) => (
        <Card
          key={category}
          title={category}
          aside={
            <Button look="plain" size="small" label={`New version for ${category}`} onPress={() => setAsked(category)}>
              New version
            </Button>
          }
        >
          <ul>
            {versions
              .toSorted((one, other) => other.version - one.version)
              .map((ladder) => (
                <Version key={ladder.version} ladder={ladder} state={stateOf(ladder, versions)} />
              ))}
          </ul>
        </Card>
      ))}
      {asked !== null && <LadderDialog category={asked} ladders={all} onClose={() => setAsked(null)} />}
    </div>
  );
}

const STATES: Readonly<Record<LadderState, readonly [Tone, string]>> = {
  active: ['good', 'Active'],
  future: ['warn', 'Future'],
  replaced: ['calm', 'Replaced'],
};

function Version({ ladder, state }: { readonly ladder: Ladder; readonly state: LadderState }): ReactElement {
  const [tone, text] = STATES[state];
  return (
    <li className="grid gap-x-8 gap-y-3 border-b border-line px-5 py-4 last:border-0 sm:grid-cols-2 sm:px-6">
      <div>
        <div className="flex flex-wrap items-center gap-3">
          <h3 className="font-medium">Version {ladder.version}</h3>
          <Badge tone={tone} text={text} />
        </div>
        <p className="mt-1 text-sm text-soft">
          From <Time at={ladder.active_from} />. A gap of up to {daysOf(ladder.grace_days)} is none.{' '}
          {ladder.floor_at_cost
            ? 'Never below what the provider charges us.'
            : 'May go below what the provider charges us.'}
        </p>
      </div>
      <Rungs stretches={stretchesOf(ladder.rungs)} />
    </li>
  );
}

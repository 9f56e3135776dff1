import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { Outage } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { RecordDialog } from './record-dialog.tsx';
import { STATES, subjectText } from './words.ts';

const SHOWN = [
  ['', 'All'],
  ['open', 'Going on'],
  ['settling', 'Giving back'],
  ['done', 'Done'],
  ['cancelled', 'Cancelled'],
] as const;
type Shown = (typeof SHOWN)[number][0];

/** When what was down, and what went back for it. */
export function OperatorOutagesPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [isRecording, setRecording] = useState(false);
  const asked = params.get('state');
  const state: Shown = SHOWN.find(([value]) => value === asked)?.[0] ?? '';
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Outages" />
        <Button onPress={() => setRecording(true)}>Record an outage…</Button>
      </div>
      <p className="max-w-2xl text-soft">
        Nobody pays for time in which something was down. For each VM its share of the plan goes back to its wallet,
        once; of a node the usage of the time is not billed.
      </p>
      <Pills
        label="State"
        value={state}
        options={SHOWN}
        onChange={(value) => setParams(value === '' ? {} : { state: value }, { replace: true })}
      />
      <section aria-label="Outages" className="card overflow-hidden">
        <List<Outage>
          what="outages"
          path="/v1/outages"
          query={{ state: state === '' ? undefined : state }}
          refreshMs={(rows) => (rows.some((row) => row.state === 'settling') ? 3_000 : false)}
          columns={COLUMNS}
          keyOf={({ sid }) => sid}
          empty={
            state === '' ? (
              <EmptyState title="Nothing was down">
                What you record, and what whoever gives VMs reports, is listed here.
              </EmptyState>
            ) : (
              <EmptyState title="None in this state">Choose another one to see more.</EmptyState>
            )
          }
        />
      </section>
      {isRecording && <RecordDialog onClose={() => setRecording(false)} />}
    </div>
  );
}

export function OutageBadge({ outage: { state } }: { readonly outage: Outage }): ReactElement {
  const [tone, text] = STATES[state];
  return <Badge tone={tone} text={text} />;
}

const COLUMNS: readonly Column<Outage>[] = [
  {
    title: 'What',
    cell: (outage) => (
      <>
        <Link
          href={`/operator/outages/${outage.sid}`}
          className="font-medium break-all text-accent underline-offset-2 hover:underline"
        >
          {subjectText(outage)}
        </Link>
        <p className="mt-0.5 text-xs text-soft">{outage.reason}</p>
        <p className="mt-1 md:hidden">
          <OutageBadge outage={outage} />
        </p>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (outage) => <OutageBadge outage={outage} /> },
  {
    title: 'When',
    cell: ({ from, until }) => (
      <>
        <Time at={from} />
        <p className="mt-0.5 text-xs text-soft">
          {until === null ? (
            'goes on'
          ) : (
            <>
              until <Time at={until} />
            </>
          )}
        </p>
      </>
    ),
  },
  {
    title: 'Given back',
    isAmount: true,
    cell: ({ returned, vms, subject }) => (
      <>
        <Money amount={returned} />
        {subject !== 'node' && <p className="mt-0.5 text-xs text-soft">{vms === 1 ? '1 VM' : `${vms} VMs`}</p>}
      </>
    ),
  },
];

import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import type { Correction, Outage } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Copyable } from '../../ui/copyable.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Money } from '../../ui/money.tsx';
import { BackLink, Loading, PageTitle } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';
import { CancelDialog, EndDialog } from './deed-dialogs.tsx';
import { OutageBadge } from './list-page.tsx';
import { subjectText } from './words.ts';

const MOVING_MS = 2_000;

/** One outage, and how far giving back for it is. */
export function OperatorOutagePage({ sid }: { readonly sid: string }): ReactElement {
  const path = `/v1/outages/${seg(sid)}`;
  const outage = useQuery<Outage, Problem>({
    queryKey: [path],
    queryFn: ({ signal }) => get<Outage>(path, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === 'settling' ? MOVING_MS : false),
  });
  return (
    <div className="space-y-6">
      <BackLink to="/operator/outages">All outages</BackLink>
      {!outage.data && outage.error && (
        <>
          <PageTitle title="Outage" />
          <ProblemBanner problem={outage.error} retry={() => void outage.refetch()} />
        </>
      )}
      {!outage.data && !outage.error && <Loading what="the outage" />}
      {outage.data && <Overview outage={outage.data} />}
      {outage.data?.correction_sid && <UsageTakenBack sid={outage.data.correction_sid} />}
    </div>
  );
}

function Overview({ outage }: { readonly outage: Outage }): ReactElement {
  const [asked, setAsked] = useState<'end' | 'cancel' | null>(null);
  const close = (): void => setAsked(null);
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-3">
            <PageTitle title={subjectText(outage)} />
            <OutageBadge outage={outage} />
          </div>
          <Copyable text={outage.sid} what="Outage number" />
        </div>
        {outage.state !== 'cancelled' && (
          <div className="flex flex-wrap gap-3">
            <Button look="quiet" onPress={() => setAsked('cancel')}>
              It was not down
            </Button>
            {outage.state === 'open' && <Button onPress={() => setAsked('end')}>It is up again</Button>}
          </div>
        )}
      </div>
      <section aria-label="Facts" className="card space-y-4 p-5 sm:p-6">
        <p>{outage.reason}</p>
        <Facts facts={factsOf(outage)} />
        <Progress outage={outage} />
        {outage.subject === 'node' && (
          <p className="text-sm">
            <Link href={`/operator/nodes/${outage.subject_ref}`} className="text-accent underline underline-offset-2">
              The page of the node
            </Link>
          </p>
        )}
      </section>
      {asked === 'end' && <EndDialog outage={outage} onClose={close} />}
      {asked === 'cancel' && <CancelDialog outage={outage} onClose={close} />}
    </>
  );
}

function Progress({ outage: { state, subject, vms } }: { readonly outage: Outage }): ReactElement | null {
  if (state === 'settling' && subject === 'node')
    return <Banner>Usage that was on its way when it ended is looked for once more, after five minutes.</Banner>;
  if (state === 'settling')
    return (
      <output className="block">
        <Banner tone="warn">Giving back: {vms.toLocaleString('en-US')} VMs so far. This page follows by itself.</Banner>
      </output>
    );
  if (state === 'open')
    return <Banner>While it goes on nothing is given back yet. Say when it is up again, and it is.</Banner>;
  if (state === 'cancelled') return <Banner>It was taken back. What had been given back until then stays so.</Banner>;
  return null;
}

const factsOf = (outage: Outage): readonly (readonly [string, ReactElement | string])[] => [
  ['Down from', <Time key="from" at={outage.from} />],
  ['Up again', outage.until === null ? 'goes on' : <Time key="until" at={outage.until} />],
  ...(outage.subject === 'node'
    ? []
    : [
        ['VMs', outage.vms.toLocaleString('en-US')] as const,
        ['Given back', <Money key="returned" amount={outage.returned} />] as const,
      ]),
  ['Said by', outage.source === 'operator' ? outage.created_by : 'whoever gives VMs'],
  ['Recorded', <Time key="created" at={outage.created_at} />],
  ...(outage.cancelled_at === null ? [] : [['Cancelled', <Time key="cancelled" at={outage.cancelled_at} />] as const]),
];

/** Of a node: how far the usage of the time is taken back. */
function UsageTakenBack({ sid }: { readonly sid: string }): ReactElement {
  const path = `/v1/corrections/${seg(sid)}`;
  const correction = useQuery<Correction, Problem>({
    queryKey: [path],
    queryFn: ({ signal }) => get<Correction>(path, { signal }),
    refetchInterval: ({ state }) => (state.data?.ended_at === null ? MOVING_MS : false),
  });
  return (
    <section aria-label="Usage that is taken back" className="card space-y-4 p-5 sm:p-6">
      <h2 className="font-semibold">Usage that is taken back</h2>
      {correction.isPending && <Loading what="the correction" />}
      {!correction.data && correction.error && (
        <ProblemBanner problem={correction.error} retry={() => void correction.refetch()} />
      )}
      {correction.data && (
        <Facts
          facts={[
            ['Progress', correction.data.progress],
            ['Taken back', correction.data.lines_changed.toLocaleString('en-US')],
            ['Not touched', correction.data.lines_skipped.toLocaleString('en-US')],
            ['Went back', <Money key="moved" amount={correction.data.moved} />],
          ]}
        />
      )}
    </section>
  );
}

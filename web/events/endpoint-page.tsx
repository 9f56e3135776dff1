import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Problem, Rows } from '../api.ts';
import { getAll, seg } from '../api.ts';
import { useRoleOf } from '../chosen-wallet.tsx';
import { useSession } from '../session.ts';
import type { Delivery, Endpoint } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Facts } from '../ui/facts.tsx';
import { List } from '../ui/list.tsx';
import { BackLink, Loading, PageTitle } from '../ui/page.tsx';
import { Pills } from '../ui/select.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { DeliveryDialog } from './delivery-dialog.tsx';
import { EndpointActions } from './endpoint-actions.tsx';
import { DELIVERY_TEXTS, endpointText, lastAnswer } from './words.ts';

export function EndpointPage({ sid }: { readonly sid: string }): ReactElement {
  const { role } = useSession();
  const endpoints = useQuery<Rows<Endpoint>, Problem>({
    queryKey: ['/v1/endpoints', 'all'],
    queryFn: ({ signal }) => getAll<Endpoint>('/v1/endpoints', { signal }),
  });
  const endpoint = endpoints.data?.items.find((one) => one.sid === sid);
  return (
    <div className="space-y-6">
      <BackLink to={role === 'operator' ? '/operator/events' : '/events'}>Endpoints</BackLink>
      {endpoint === undefined ? <PageTitle title="Endpoint" /> : <PageTitle title={endpoint.description} />}
      {endpoints.isPending && <Loading what="the endpoint" />}
      {endpoints.error && <ProblemBanner problem={endpoints.error} retry={() => void endpoints.refetch()} />}
      {endpoints.data && endpoint === undefined && (
        <div className="card">
          <EmptyState title="There is no such endpoint">It may have been removed.</EmptyState>
        </div>
      )}
      {endpoint && <About endpoint={endpoint} />}
      {endpoint && <Log sid={sid} />}
    </div>
  );
}

function About({ endpoint }: { readonly endpoint: Endpoint }): ReactElement {
  const mayChange = useRoleOf(endpoint.user_sid) === 'owner';
  const [text, tone] = endpointText(endpoint);
  return (
    <section aria-label="The endpoint" className="card space-y-5 p-5 sm:p-6">
      {endpoint.state === 'disabled' && (
        <Banner tone={endpoint.reason === 'asked' ? 'calm' : 'warn'}>
          {endpoint.reason === 'asked'
            ? 'It is switched off.'
            : 'It was switched off because it did not take what was sent.'}{' '}
          What is due waits, and is sent once it is on.
        </Banner>
      )}
      <Facts
        facts={[
          ['State', <Badge key="state" tone={tone} text={text} />],
          [
            'Address',
            <span key="url" className="font-mono text-xs break-all">
              {endpoint.url}
            </span>,
          ],
          ['Told of', endpoint.types.length === 0 ? 'everything' : endpoint.types.join(', ')],
          ['Added', <Time key="added" at={endpoint.created_at} />],
          ...(endpoint.failing_since === null
            ? []
            : [['Failing since', <Time key="failing" at={endpoint.failing_since} />] as const]),
          ...(endpoint.previous_secret_until === null
            ? []
            : [['Old secret signs until', <Time key="old" at={endpoint.previous_secret_until} />] as const]),
        ]}
      />
      {mayChange && <EndpointActions endpoint={endpoint} />}
    </section>
  );
}

const STATES = ['all', 'pending', 'failed', 'delivered'] as const;
type Filter = (typeof STATES)[number];

const isFilter = (text: string | null): text is Filter => STATES.some((state) => state === text);

function Log({ sid }: { readonly sid: string }): ReactElement {
  const [params, setParams] = useSearchParams();
  const [shown, setShown] = useState<Delivery | null>(null);
  const asked = params.get('state');
  const filter: Filter = isFilter(asked) ? asked : 'all';
  return (
    <section aria-labelledby="log" className="space-y-3">
      <h2 id="log" className="text-lg font-semibold">
        What was sent
      </h2>
      <Pills
        label="State"
        value={filter}
        options={STATES.map((state) => [state, state === 'all' ? 'All' : DELIVERY_TEXTS[state][0]] as const)}
        onChange={(state) => setParams({ state })}
      />
      <div className="card overflow-hidden">
        <List<Delivery>
          key={filter}
          what="deliveries"
          path={`/v1/endpoints/${seg(sid)}/deliveries`}
          query={{ state: filter === 'all' ? undefined : filter }}
          columns={columnsOf(setShown)}
          keyOf={(delivery) => delivery.sid}
          refreshMs={2_000}
          empty={<EmptyState title="Nothing">{filter === 'all' ? 'Send it a test.' : undefined}</EmptyState>}
        />
      </div>
      {shown && <DeliveryDialog delivery={shown} onClose={() => setShown(null)} />}
    </section>
  );
}

const columnsOf = (show: (delivery: Delivery) => void): readonly Column<Delivery>[] => [
  {
    title: 'Event',
    cell: (delivery) => (
      <>
        <span className="font-medium break-all">{delivery.event_type}</span>
        <p className="text-xs text-soft">
          <Time at={delivery.created_at} />
        </p>
        <div className="mt-1.5 md:hidden">
          <State delivery={delivery} />
        </div>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (delivery) => <State delivery={delivery} /> },
  { title: 'Attempts', isAmount: true, isExtra: true, cell: (delivery) => delivery.attempts },
  {
    title: 'Details',
    isAmount: true,
    cell: (delivery) => (
      <Button
        look="quiet"
        size="small"
        label={`Details of ${delivery.event_type}, ${delivery.sid}`}
        onPress={() => show(delivery)}
      >
        Details
      </Button>
    ),
  },
];

function State({ delivery }: { readonly delivery: Delivery }): ReactElement {
  const [text, tone] = DELIVERY_TEXTS[delivery.state];
  const last = lastAnswer(delivery);
  return (
    <>
      <Badge tone={tone} text={text} />
      {last !== null && <p className="mt-1 text-xs text-soft">{last}</p>}
    </>
  );
}

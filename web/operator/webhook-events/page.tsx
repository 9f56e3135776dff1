import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import type { WebhookEvent } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import type { Tone } from '../../ui/banner.tsx';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';

/** Quarantined first: those wait for a person. */
const STATES = ['quarantined', 'dead', 'pending', 'received', 'applied', 'ignored', 'all'] as const;
type Filter = (typeof STATES)[number];

const TEXTS: Readonly<Record<Filter, readonly [title: string, tone: Tone, explanation: string]>> = {
  quarantined: [
    'Quarantined',
    'bad',
    'Authentic, but not in agreement with our own records. Nothing was credited; a person decides.',
  ],
  dead: ['Given up', 'bad', 'Could not be applied after many tries. Replay them when the cause is gone.'],
  pending: [
    'Pending',
    'warn',
    'Waiting for something: the order they speak of, or the provider. They are tried again by themselves.',
  ],
  received: ['Received', 'calm', 'Just arrived, not yet applied.'],
  applied: ['Applied', 'good', 'Done: the payment they speak of is up to date.'],
  ignored: ['Ignored', 'calm', 'Of a kind that moves no money here.'],
  all: ['All', 'calm', 'Everything the providers sent, newest first.'],
};

const isFilter = (text: string | null): text is Filter => STATES.some((state) => state === text);

export function OperatorWebhookEventsPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const asked = params.get('state');
  const filter: Filter = isFilter(asked) ? asked : 'quarantined';
  return (
    <div className="space-y-6">
      <PageTitle title="Webhook events" />
      <div>
        <Pills
          label="State"
          value={filter}
          options={STATES.map((state) => [state, TEXTS[state][0]] as const)}
          onChange={(state) => setParams({ state })}
        />
        <p className="mt-3 text-soft">{TEXTS[filter][2]}</p>
      </div>
      <section aria-label="Webhook events" className="card overflow-hidden">
        <List<WebhookEvent>
          key={filter}
          what="webhook events"
          path="/v1/webhook-events"
          query={{ state: filter === 'all' ? undefined : filter }}
          columns={COLUMNS}
          keyOf={(event) => event.sid}
          refreshMs={30_000}
          empty={<EmptyState title={filter === 'quarantined' ? 'Nothing is waiting for you' : 'None'} />}
        />
      </section>
    </div>
  );
}

const COLUMNS: readonly Column<WebhookEvent>[] = [
  {
    title: 'Event',
    cell: (event) => (
      <>
        <span className="font-medium break-all">{event.event_type}</span>
        <p className="font-mono text-xs break-all text-soft">{event.event_id}</p>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={event.received_at} />
          {event.source === 'list' && ' · was not delivered, read from the provider'}
        </p>
        <div className="mt-1.5 md:hidden">
          <State event={event} />
        </div>
      </>
    ),
  },
  {
    title: 'State',
    isExtra: true,
    cell: (event) => <State event={event} />,
  },
  { title: 'Tries', isAmount: true, isExtra: true, cell: (event) => event.attempts },
  {
    title: 'Payment',
    isExtra: true,
    cell: (event) =>
      event.payment_sid === null ? (
        'none'
      ) : (
        <Link
          href={`/payments/${event.payment_sid}`}
          className="font-mono text-xs break-all text-accent underline-offset-2 hover:underline"
        >
          {event.payment_sid}
        </Link>
      ),
  },
  { title: 'Action', isAmount: true, cell: (event) => <Replay event={event} /> },
];

function State({ event }: { readonly event: WebhookEvent }): ReactElement {
  const [text, tone] = TEXTS[event.state];
  return (
    <>
      <Badge tone={tone} text={text} />
      {event.reason !== null && <p className="mt-1 text-xs text-soft">{event.reason.replaceAll('_', ' ')}</p>}
    </>
  );
}

/** Applies an event once more. Safe at any time: money that was credited is not credited again. */
function Replay({ event }: { readonly event: WebhookEvent }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const replay = useMutation<WebhookEvent, Problem>({
    mutationFn: () => post<WebhookEvent>(`/v1/webhook-events/${seg(event.sid)}/replay`),
    onSuccess: async (answer) => {
      say(
        `Replayed ${answer.event_type}: ${answer.state}${answer.reason === null ? '' : ` (${answer.reason.replaceAll('_', ' ')})`}.`,
      );
      await queries.invalidateQueries({ queryKey: ['/v1/webhook-events'] });
    },
  });
  return (
    <>
      <Button
        look="quiet"
        size="small"
        isBusy={replay.isPending}
        label={`Replay ${event.event_id}`}
        onPress={() => replay.mutate()}
      >
        Replay
      </Button>
      <ProblemBanner problem={replay.error} />
    </>
  );
}

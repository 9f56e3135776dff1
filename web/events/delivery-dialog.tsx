import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import type { Delivery, DeliveryWithLog } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Copyable } from '../ui/copyable.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { errorText } from './words.ts';

interface DeliveryDialogProps {
  readonly delivery: Delivery;
  readonly onClose: () => void;
}

/** Each attempt with what came of it, and sending it again. */
export function DeliveryDialog({ delivery, onClose }: DeliveryDialogProps): ReactElement {
  const path = `/v1/deliveries/${seg(delivery.sid)}`;
  const log = useQuery<DeliveryWithLog, Problem>({
    queryKey: ['delivery', delivery.sid],
    queryFn: ({ signal }) => get<DeliveryWithLog>(path, { signal }),
    refetchInterval: 3_000,
  });
  return (
    <Dialog title={delivery.event_type} isWide onClose={onClose}>
      <div className="space-y-5">
        <div className="text-sm">
          <p className="text-soft">Number of the event, its webhook-id</p>
          <Copyable text={delivery.event_sid} what="Number of the event" />
        </div>
        {log.isPending && <Loading what="the attempts" />}
        {log.error && <ProblemBanner problem={log.error} retry={() => void log.refetch()} />}
        {log.data && <Attempts delivery={log.data} />}
        <Again delivery={delivery} />
      </div>
    </Dialog>
  );
}

function Attempts({ delivery }: { readonly delivery: DeliveryWithLog }): ReactElement {
  const { log, next_attempt_at: next } = delivery;
  return (
    <div className="space-y-3">
      {next !== null && (
        <p className="text-sm">
          Next attempt: <Time at={next} />
        </p>
      )}
      {log.length === 0 && <p className="text-soft">It was not tried yet.</p>}
      <ol reversed className="space-y-3">
        {log.map((attempt) => (
          <li key={attempt.number} className="rounded-xl bg-sunken px-4 py-3 text-sm">
            <p className="flex flex-wrap justify-between gap-2">
              <span className="font-medium">
                {attempt.number}.{' '}
                {attempt.status === null ? errorText(attempt.error ?? 'no answer') : `Answered ${attempt.status}`}
              </span>
              <span className="text-soft">
                <Time at={attempt.at} /> · {attempt.duration_ms} ms
              </span>
            </p>
            {attempt.answer !== null && attempt.answer !== '' && (
              <pre className="mt-2 max-h-40 overflow-auto font-mono text-xs break-all whitespace-pre-wrap">
                {attempt.answer}
              </pre>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Again({ delivery }: { readonly delivery: Delivery }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const replay = useMutation<Delivery, Problem>({
    mutationFn: () => post<Delivery>(`/v1/deliveries/${seg(delivery.sid)}/replay`),
    onSuccess: async () => {
      say('It is sent again, under the same number.');
      await queries.invalidateQueries();
    },
  });
  return (
    <>
      <ProblemBanner problem={replay.error} />
      <div className="flex justify-end">
        <Button look="quiet" isBusy={replay.isPending} onPress={() => replay.mutate()}>
          Send again
        </Button>
      </div>
    </>
  );
}

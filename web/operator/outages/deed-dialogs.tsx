import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import type { Outage } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { instantOf } from '../../ui/time.ts';
import { useToast } from '../../ui/toast.tsx';

interface DeedProps {
  readonly outage: Outage;
  readonly onClose: () => void;
}

/** Says that something is up again; what was paid for the time goes back. */
export function EndDialog({ outage, onClose }: DeedProps): ReactElement {
  const [until, setUntil] = useState('');
  const [missing, setMissing] = useState<{ readonly until: string } | null>(null);
  const end = useDeed(outage, 'end', 'The outage has ended.', onClose);
  const submit = (): void => {
    if (end.isPending) return;
    const at = instantOf(until);
    if (until !== '' && at === null) setMissing({ until: 'Choose a time.' });
    else end.mutate(at === null ? {} : { until: at });
  };
  return (
    <Dialog title="Is it up again?" onClose={onClose}>
      <Form refusal={missing ?? end.error} onSubmit={submit}>
        <p className="text-sm">What was paid for the time goes back, as far as it has not gone back already.</p>
        <Field
          label="Up again at"
          name="until"
          type="datetime-local"
          hint="In your own time zone. Left empty: now."
          value={until}
          error={missing?.until ?? end.error?.fields.get('until')}
          onChange={(text) => {
            setUntil(text);
            setMissing(null);
            end.reset();
          }}
        />
        <ProblemBanner problem={unplaced(end.error, (field) => field === 'until')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            It goes on
          </Button>
          <Button type="submit" isBusy={end.isPending}>
            It is up: give back
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** Says that something was not down after all. */
export function CancelDialog({ outage, onClose }: DeedProps): ReactElement {
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState<{ readonly reason: string } | null>(null);
  const cancel = useDeed(outage, 'cancel', 'The outage is cancelled.', onClose);
  const submit = (): void => {
    if (cancel.isPending) return;
    if (reason.trim() === '') setMissing({ reason: 'Say why. It is kept for ever.' });
    else cancel.mutate({ reason: reason.trim() });
  };
  return (
    <Dialog title="Was it not down after all?" onClose={onClose}>
      <Form refusal={missing ?? cancel.error} onSubmit={submit}>
        <p className="text-sm">
          {outage.subject === 'node' && 'Records of the time are taken again from now on. '}What was given back stays
          given back: nobody pays twice for a mistake of ours.
        </p>
        <Field
          label="Reason"
          name="reason"
          isLong
          value={reason}
          error={missing?.reason ?? cancel.error?.fields.get('reason')}
          isRequired
          maxLength={255}
          onChange={(text) => {
            setReason(text);
            setMissing(null);
            cancel.reset();
          }}
        />
        <ProblemBanner problem={unplaced(cancel.error, (field) => field === 'reason')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Leave it
          </Button>
          <Button look="danger" type="submit" isBusy={cancel.isPending}>
            It was not down
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function useDeed(outage: Outage, deed: 'end' | 'cancel', done: string, onDone: () => void) {
  const queries = useQueryClient();
  const say = useToast();
  return useMutation<Outage, Problem, Readonly<Record<string, string>>>({
    mutationFn: (body) => post<Outage>(`/v1/outages/${seg(outage.sid)}/${deed}`, body),
    onSuccess: async () => {
      say(done);
      onDone();
      await queries.invalidateQueries();
    },
  });
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import type { Mail } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import type { Tone } from '../../ui/banner.tsx';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';

const STATES = ['all', 'kept', 'pending', 'sent', 'failed'] as const;
type Filter = (typeof STATES)[number];

const TEXTS: Readonly<Record<Filter, readonly [title: string, tone: Tone, explanation: string]>> = {
  all: ['All', 'calm', 'What users are written about their money, newest first.'],
  kept: ['Not sent', 'calm', 'There is no mail server: they were written and kept, and can be read here.'],
  pending: ['On their way', 'warn', 'Will be sent in a moment, or again after a mail server that was away.'],
  sent: ['Sent', 'good', 'The mail server has taken them.'],
  failed: ['Given up', 'bad', 'The mail server does not take them. Send them again when the cause is gone.'],
};

const isFilter = (text: string | null): text is Filter => STATES.some((state) => state === text);

export function OperatorMailPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [shown, setShown] = useState<Mail | null>(null);
  const asked = params.get('state');
  const filter: Filter = isFilter(asked) ? asked : 'all';
  return (
    <div className="space-y-6">
      <PageTitle title="Mail" />
      <div>
        <Pills
          label="State"
          value={filter}
          options={STATES.map((state) => [state, TEXTS[state][0]] as const)}
          onChange={(state) => setParams({ state })}
        />
        <p className="mt-3 text-soft">{TEXTS[filter][2]}</p>
      </div>
      <section aria-label="Mail" className="card overflow-hidden">
        <List<Mail>
          key={filter}
          what="mail"
          path="/v1/mails"
          query={{ state: filter === 'all' ? undefined : filter }}
          columns={columnsOf(setShown)}
          keyOf={(mail) => mail.sid}
          refreshMs={15_000}
          empty={<EmptyState title="No mail">Users who give an address are written to about their money.</EmptyState>}
        />
      </section>
      {shown && <MailDialog mail={shown} onClose={() => setShown(null)} />}
    </div>
  );
}

const columnsOf = (show: (mail: Mail) => void): readonly Column<Mail>[] => [
  {
    title: 'Mail',
    cell: (mail) => (
      <>
        <span className="font-medium">{mail.subject ?? mail.event_type}</span>
        <p className="text-xs break-all text-soft">
          to {mail.recipient} · <Time at={mail.created_at} />
        </p>
      </>
    ),
  },
  {
    title: 'State',
    cell: (mail) => (
      <>
        <Badge tone={TEXTS[mail.state][1]} text={TEXTS[mail.state][0]} />
        {mail.reason !== null && <p className="mt-1 text-xs text-soft">{mail.reason}</p>}
      </>
    ),
  },
  {
    title: 'Action',
    isAmount: true,
    cell: (mail) => (
      <Button look="quiet" size="small" label={`Read the mail ${mail.sid}`} onPress={() => show(mail)}>
        Read
      </Button>
    ),
  },
];

interface MailDialogProps {
  readonly mail: Mail;
  readonly onClose: () => void;
}

/** As plain text: the other form says the same, and nothing in a mail is run here. */
function MailDialog({ mail, onClose }: MailDialogProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const resend = useMutation<Mail, Problem>({
    mutationFn: () => post<Mail>(`/v1/mails/${seg(mail.sid)}/resend`),
    onSuccess: async () => {
      say('It is sent in a moment.');
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/mails'] });
    },
  });
  return (
    <Dialog title={mail.subject ?? 'Not written yet'} isWide onClose={onClose}>
      <div className="space-y-4">
        <p className="text-sm text-soft">
          To <span className="break-all">{mail.recipient}</span>, an address that nobody proved
        </p>
        <p lang={mail.language} className="rounded-xl bg-sunken px-4 py-3 text-sm break-words whitespace-pre-line">
          {mail.text ?? 'It is written in a moment.'}
        </p>
        <ProblemBanner problem={resend.error} />
        {(mail.state === 'failed' || mail.state === 'kept') && (
          <div className="flex justify-end">
            <Button look="quiet" isBusy={resend.isPending} onPress={() => resend.mutate()}>
              Send it
            </Button>
          </div>
        )}
      </div>
    </Dialog>
  );
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import type { Refund } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { formatMoney } from '../../ui/money.ts';
import { useToast } from '../../ui/toast.tsx';

/** What an operator can do with a refund that is not over: approve or reject it, or have the provider asked now. */
export function RefundAction({ refund }: { readonly refund: Refund }): ReactElement {
  const [open, setOpen] = useState<Verb | null>(null);
  const close = (): void => setOpen(null);
  if (refund.state === 'awaiting_approval') {
    return (
      <div className="flex flex-wrap gap-2 md:justify-end">
        <Button size="small" label={`Approve ${nameOf(refund)}`} onPress={() => setOpen('approve')}>
          Approve
        </Button>
        <Button size="small" look="quiet" label={`Reject ${nameOf(refund)}`} onPress={() => setOpen('reject')}>
          Reject
        </Button>
        {open !== null && <Decision verb={open} refund={refund} onClose={close} />}
      </div>
    );
  }
  if (refund.state === 'rejected' || refund.state === 'failed' || refund.state === 'returned')
    return <span className="text-xs text-soft">over</span>;
  return <Check refund={refund} />;
}

const nameOf = ({ amount, reason }: Refund): string => `the refund of ${formatMoney(amount)}: ${reason}`;

function Check({ refund }: { readonly refund: Refund }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const check = useMutation<Refund, Problem>({
    mutationFn: () => post<Refund>(`/v1/refunds/${seg(refund.sid)}/check`),
    onSuccess: async (answer) => {
      say(`The provider was asked: ${answer.state.replaceAll('_', ' ')}.`);
      await queries.invalidateQueries();
    },
  });
  return (
    <>
      <Button
        size="small"
        look="quiet"
        label={`Check ${nameOf(refund)}`}
        isBusy={check.isPending}
        onPress={() => check.mutate()}
      >
        Check
      </Button>
      <ProblemBanner problem={check.error} />
    </>
  );
}

type Verb = 'approve' | 'reject';

const WORDS = {
  approve: { title: 'Approve the refund', button: 'Approve', said: 'Approved; the provider is asked now.' },
  reject: { title: 'Reject the refund', button: 'Reject', said: 'Rejected; the wallet has the money back.' },
} as const;

interface DecisionProps {
  readonly verb: Verb;
  readonly refund: Refund;
  readonly onClose: () => void;
}

function Decision({ verb, refund, onClose }: DecisionProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [reason, setReason] = useState('');
  const [refusal, setRefusal] = useState<{ readonly reason: string } | null>(null);
  const decide = useMutation<Refund, Problem, string>({
    mutationFn: (text) => post<Refund>(`/v1/refunds/${seg(refund.sid)}/${verb}`, text === '' ? {} : { reason: text }),
    onSuccess: async () => {
      say(WORDS[verb].said);
      onClose();
      await queries.invalidateQueries();
    },
  });
  const submit = (): void => {
    if (decide.isPending) return;
    const text = reason.trim();
    if (verb === 'reject' && text === '') setRefusal({ reason: 'Say why. It is kept for ever.' });
    else decide.mutate(text);
  };
  return (
    <Dialog title={WORDS[verb].title} onClose={onClose}>
      <Form refusal={refusal ?? decide.error} onSubmit={submit}>
        <p className="text-sm text-soft">
          {formatMoney(refund.amount)}, asked for by {refund.created_by ?? 'somebody'}: {refund.reason}
        </p>
        <Field
          label={verb === 'reject' ? 'Reason' : 'Note (optional)'}
          name="reason"
          isLong
          value={reason}
          error={refusal?.reason ?? decide.error?.fields.get('reason')}
          isRequired={verb === 'reject'}
          maxLength={255}
          onChange={(text) => {
            setReason(text);
            setRefusal(null);
            decide.reset();
          }}
        />
        <ProblemBanner problem={unplaced(decide.error, (field) => field === 'reason')} />
        <div className="flex justify-end">
          <Button type="submit" look={verb === 'reject' ? 'danger' : 'primary'} isBusy={decide.isPending}>
            {WORDS[verb].button} {formatMoney(refund.amount)}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

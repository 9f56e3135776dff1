import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, seg, unplaced } from '../api.ts';
import type { TakenBack } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { formatMoney } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Step } from '../ui/step.tsx';
import { useToast } from '../ui/toast.tsx';
import type { LineName } from './explain-dialog.tsx';

interface Shown {
  readonly reason: string;
  readonly preview: TakenBack;
}

interface TakeBackProps extends LineName {
  readonly onDone: () => void;
}

/** Gives a charge back in two steps: a reason and a preview by the server, then the confirmation of what it showed. */
export function TakeBack(props: TakeBackProps): ReactElement {
  const [step, setStep] = useState<'closed' | 'reason' | Shown>('closed');
  const [reason, setReason] = useState('');
  if (step === 'closed') {
    return (
      <div className="border-t border-line pt-4">
        <Button look="quiet" onPress={() => setStep('reason')}>
          Take back…
        </Button>
      </div>
    );
  }
  return (
    <div className="border-t border-line pt-4">
      {step === 'reason' ? (
        <ReasonForm {...props} reason={reason} setReason={setReason} onPreview={setStep} />
      ) : (
        <Confirmation {...props} shown={step} onBack={() => setStep('reason')} />
      )}
    </div>
  );
}

const pathOf = ({ walletSid, seq }: LineName): string => `/v1/billings/${seg(walletSid)}/statement/${seq}/void`;

interface ReasonFormProps extends LineName {
  readonly reason: string;
  readonly setReason: (reason: string) => void;
  readonly onPreview: (shown: Shown) => void;
}

function ReasonForm({ reason, setReason, onPreview, ...line }: ReasonFormProps): ReactElement {
  const [refusal, setRefusal] = useState<{ readonly reason: string } | null>(null);
  const preview = useMutation<TakenBack, Problem, string>({
    mutationFn: (text) => post<TakenBack>(pathOf(line), { reason: text, dry_run: true }),
    onSuccess: (answer, text) => onPreview({ reason: text, preview: answer }),
  });
  const submit = (): void => {
    if (preview.isPending) return;
    if (reason.trim() === '')
      setRefusal({ reason: 'Say why. The customer reads the reason, and it is kept for ever.' });
    else preview.mutate(reason.trim());
  };
  return (
    <Form refusal={refusal ?? preview.error} onSubmit={submit}>
      <Field
        label="Why is it taken back?"
        name="reason"
        isLong
        value={reason}
        error={refusal?.reason ?? preview.error?.fields.get('reason')}
        isRequired
        maxLength={255}
        onChange={(text) => {
          setReason(text);
          setRefusal(null);
          preview.reset();
        }}
      />
      <ProblemBanner problem={unplaced(preview.error, (field) => field === 'reason')} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={preview.isPending}>
          Preview
        </Button>
      </div>
    </Form>
  );
}

interface ConfirmationProps extends TakeBackProps {
  readonly shown: Shown;
  readonly onBack: () => void;
}

function Confirmation({ shown, onBack, onDone, ...line }: ConfirmationProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const { preview, reason } = shown;
  const takeBack = useMutation<TakenBack, Problem, string>({
    mutationFn: (text) => post<TakenBack>(pathOf(line), { reason: text }),
    onSuccess: async (answer) => {
      say(`${formatMoney(answer.returned)} went back to the wallet with line ${answer.entry}.`);
      onDone();
      await queries.invalidateQueries();
    },
  });
  return (
    <Step label="Preview">
      <dl className="rounded-xl bg-sunken px-4 py-3 text-sm" aria-live="polite">
        <div className="flex justify-between gap-4 py-0.5">
          <dt className="text-soft">Goes back to the wallet</dt>
          <dd className="font-semibold">
            <Money amount={preview.returned} isChange />
          </dd>
        </div>
        <div className="flex justify-between gap-4 py-0.5">
          <dt className="text-soft">Balance after it</dt>
          <dd>
            <Money amount={preview.credit_balance} />
          </dd>
        </div>
      </dl>
      <p className="text-sm">
        <span className="text-soft">Reason:</span> {reason}
      </p>
      <Banner>
        The line stays; a new one takes it back. It cannot be taken back twice, and the same usage can be reported
        again.
      </Banner>
      <ProblemBanner problem={takeBack.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
        <Button isBusy={takeBack.isPending} onPress={() => takeBack.mutate(reason)}>
          Give back {formatMoney(preview.returned)}
        </Button>
      </div>
    </Step>
  );
}

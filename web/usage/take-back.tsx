import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import type { TakenBack } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { formatMoney } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Step } from '../ui/step.tsx';
import { useToast } from '../ui/toast.tsx';
import type { LineName } from './explain-dialog.tsx';
import { ReasonForm, type Shown } from './reason-form.tsx';

interface TakeBackProps extends LineName {
  readonly onDone: () => void;
}

/** Gives a charge back in two steps: a reason and a preview by the server, then the confirmation of what it showed. */
export function TakeBack(props: TakeBackProps): ReactElement {
  const [step, setStep] = useState<'closed' | 'reason' | Shown<TakenBack>>('closed');
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
        <ReasonForm
          label="Why is it taken back?"
          whyWanted="Say why. The customer reads the reason, and it is kept for ever."
          reason={reason}
          setReason={setReason}
          ask={(text) => post<TakenBack>(pathOf(props), { reason: text, dry_run: true })}
          onPreview={setStep}
        />
      ) : (
        <Confirmation {...props} shown={step} onBack={() => setStep('reason')} />
      )}
    </div>
  );
}

const pathOf = ({ walletSid, seq }: LineName): string => `/v1/billings/${seg(walletSid)}/statement/${seq}/void`;

interface ConfirmationProps extends TakeBackProps {
  readonly shown: Shown<TakenBack>;
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

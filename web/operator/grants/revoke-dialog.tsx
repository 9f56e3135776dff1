import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import type { Grant } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Facts } from '../../ui/facts.tsx';
import { formatMoney } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { Step } from '../../ui/step.tsx';
import { useToast } from '../../ui/toast.tsx';
import { ReasonForm, type Shown } from '../../usage/reason-form.tsx';

interface RevokeProps {
  readonly of: Grant;
  readonly onClose: () => void;
}

/** Takes back what is left of given credit: why and a preview, then a confirmation. */
export function RevokeDialog({ of: grant, onClose }: RevokeProps): ReactElement {
  const [reason, setReason] = useState('');
  const [shown, setShown] = useState<Shown<Grant> | null>(null);
  const path = `/v1/grants/${seg(grant.sid)}/revoke`;
  return (
    <Dialog title="Revoke given credit?" onClose={onClose}>
      <p className="mb-4 text-sm text-soft">
        {grant.reason}: <Money amount={grant.left} /> of <Money amount={grant.amount} /> are left. What was paid with it
        stays paid, and what a hold has set aside of it stays good for that hold.
      </p>
      {shown === null ? (
        <ReasonForm
          label="Reason"
          whyWanted="Say why. The reason is kept in the audit for ever."
          reason={reason}
          setReason={setReason}
          ask={(text) => post<Grant>(path, { reason: text, dry_run: true }, { idempotencyKey: crypto.randomUUID() })}
          onPreview={setShown}
        />
      ) : (
        <Confirmation path={path} shown={shown} onBack={() => setShown(null)} onDone={onClose} />
      )}
    </Dialog>
  );
}

interface ConfirmationProps {
  readonly path: string;
  readonly shown: Shown<Grant>;
  readonly onBack: () => void;
  readonly onDone: () => void;
}

function Confirmation({ path, shown: { reason, preview }, onBack, onDone }: ConfirmationProps): ReactElement {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const revoke = useMutation<Grant, Problem>({
    mutationFn: () =>
      intent.run(`${path} ${reason}`, (idempotencyKey) => post<Grant>(path, { reason }, { idempotencyKey })),
    onSuccess: async (revoked) => {
      say(`${formatMoney(revoked.taken_back)} were taken back.`);
      onDone();
      await queries.invalidateQueries();
    },
  });
  return (
    <Step label="Preview">
      <div className="rounded-xl bg-sunken px-4 py-3" aria-live="polite">
        <Facts
          facts={[
            ['Taken back', <Money key="back" amount={preview.taken_back} />],
            ['Used', <Money key="used" amount={preview.used} />],
            ['Held', <Money key="held" amount={preview.held} />],
          ]}
        />
      </div>
      <p className="text-sm">
        <span className="text-soft">Reason:</span> {reason}
      </p>
      <ProblemBanner problem={revoke.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
        <Button look="danger" isBusy={revoke.isPending} onPress={() => revoke.mutate()}>
          Take back {formatMoney(preview.taken_back)}
        </Button>
      </div>
    </Step>
  );
}

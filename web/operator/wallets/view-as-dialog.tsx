import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import type { Billing } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';

/** To see the pages as the owner of a wallet does. Why is kept with who did. */
export function ViewAsDialog({
  wallet,
  onClose,
}: {
  readonly wallet: Billing;
  readonly onClose: () => void;
}): ReactElement {
  const [reason, setReason] = useState('');
  const [error, setError] = useState<{ readonly text: string } | null>(null);
  const view = useMutation<void, Problem>({
    mutationFn: async () => {
      await post(`/v1/users/${seg(wallet.user_sid)}/view-as`, { reason: reason.trim() });
      // Loaded anew: nothing that was read as an operator stays.
      window.location.assign('/wallet');
    },
  });
  const submit = (): void => {
    if (reason.trim() === '') setError({ text: 'Say why. The reason is kept in the audit for ever.' });
    else if (!view.isPending) view.mutate();
  };
  return (
    <Dialog title={`See the pages of ${wallet.display_name ?? 'this user'}`} onClose={onClose}>
      <Form refusal={error} onSubmit={submit}>
        <p className="text-sm text-soft">You see what they see and can change nothing, in all tabs, until you stop.</p>
        <Field
          label="Reason"
          name="reason"
          isLong
          value={reason}
          error={error?.text ?? view.error?.fields.get('reason')}
          isRequired
          maxLength={500}
          onChange={(value) => {
            setReason(value);
            setError(null);
          }}
        />
        <ProblemBanner problem={view.error} />
        <Button type="submit" isWide isBusy={view.isPending}>
          See them
        </Button>
      </Form>
    </Dialog>
  );
}

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import type { Code } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { useToast } from '../../ui/toast.tsx';

interface CloseDialogProps {
  readonly code: Code;
  readonly onClose: () => void;
}

export function CloseDialog({ code, onClose }: CloseDialogProps): ReactElement {
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState<{ readonly reason: string } | null>(null);
  const queries = useQueryClient();
  const say = useToast();
  const close = useMutation<Code, Problem>({
    mutationFn: () => post<Code>(`/v1/codes/${seg(code.sid)}/close`, { reason: reason.trim() }),
    onSuccess: async () => {
      say(`${code.code} is closed.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/codes'] });
    },
  });
  const submit = (): void => {
    if (close.isPending) return;
    if (reason.trim() === '') setMissing({ reason: 'Say why.' });
    else close.mutate();
  };
  return (
    <Dialog title={`Close ${code.code}?`} onClose={onClose}>
      <Form refusal={missing ?? close.error} onSubmit={submit}>
        <p>Nobody redeems it from now on, and it is never opened again. What it has given stays.</p>
        <Field
          label="Reason"
          name="reason"
          value={reason}
          error={missing?.reason ?? close.error?.fields.get('reason')}
          isRequired
          maxLength={255}
          onChange={(text) => {
            setReason(text);
            setMissing(null);
            close.reset();
          }}
        />
        <ProblemBanner problem={unplaced(close.error, (field) => field === 'reason')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it open
          </Button>
          <Button look="danger" type="submit" isBusy={close.isPending}>
            Close the code
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

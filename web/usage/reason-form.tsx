import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { unplaced } from '../api.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';

/** A reason, and what the server says would happen. */
export interface Shown<T> {
  readonly reason: string;
  readonly preview: T;
}

interface ReasonFormProps<T> {
  readonly label: string;
  readonly hint?: string;
  /** What is said of an empty one. */
  readonly whyWanted: string;
  readonly whileBusy?: string;
  /** Kept by the caller, so that it is still there when somebody comes back from the preview. */
  readonly reason: string;
  readonly setReason: (reason: string) => void;
  readonly ask: (reason: string) => Promise<T>;
  readonly onPreview: (shown: Shown<T>) => void;
}

/** The first of two steps in which an operator takes something back: why, and a preview by the server. */
export function ReasonForm<T>({ label, hint, whyWanted, whileBusy, ...props }: ReasonFormProps<T>): ReactElement {
  const { reason, setReason, ask, onPreview } = props;
  const [refusal, setRefusal] = useState<{ readonly reason: string } | null>(null);
  const preview = useMutation<T, Problem, string>({
    mutationFn: ask,
    onSuccess: (answer, text) => onPreview({ reason: text, preview: answer }),
  });
  const submit = (): void => {
    if (preview.isPending) return;
    if (reason.trim() === '') setRefusal({ reason: whyWanted });
    else preview.mutate(reason.trim());
  };
  return (
    <Form refusal={refusal ?? preview.error} onSubmit={submit}>
      <Field
        label={label}
        name="reason"
        isLong
        {...(hint === undefined ? {} : { hint })}
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
          {preview.isPending && whileBusy !== undefined ? whileBusy : 'Preview'}
        </Button>
      </div>
    </Form>
  );
}

import type { FormEvent, ReactElement, ReactNode } from 'react';
import { useEffect, useRef } from 'react';

interface FormProps {
  /** What was wrong at the last try, by this form or by the server: a new object for each try; null while nothing is. */
  readonly refusal: object | null;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

/** A form that checks itself; after a refusal the first field to change has the focus. */
export function Form({ refusal, onSubmit, children }: FormProps): ReactElement {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (refusal !== null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusal]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form ref={form} noValidate className="space-y-4" onSubmit={submit}>
      {children}
    </form>
  );
}

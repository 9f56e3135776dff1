import type { ReactElement, ReactNode } from 'react';
import { useEffect, useRef } from 'react';

/** The next step of a dialog. It takes the focus, which the pressed button of the step before takes along when it goes. */
export function Step({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactElement {
  const step = useRef<HTMLElement>(null);
  useEffect(() => step.current?.focus(), []);
  return (
    <section ref={step} tabIndex={-1} aria-label={label} className="space-y-4 outline-none">
      {children}
    </section>
  );
}

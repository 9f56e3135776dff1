import type { ReactElement } from 'react';
import type { Payment } from '../surface.ts';
import { isFinal } from './state.ts';
import { cx } from '../ui/class-names.ts';
import { Icon } from '../ui/icon.tsx';
import { Time } from '../ui/time.tsx';

const NAMES = { created: 'Created', paid: 'Paid at the provider', credited: 'Credited to the wallet' } as const;

/** What was tried and then failed was never paid. */
const nameOf = (step: keyof typeof NAMES, payment: Payment): string =>
  step === 'paid' && payment.state === 'failed' ? 'Tried at the provider' : NAMES[step];

/** Where the money is: created → paid at the provider → credited, each with its time once it happened. */
export function Progress({ payment }: { readonly payment: Payment }): ReactElement {
  const current = payment.steps.findIndex((step) => step.at === null);
  const absent = isFinal(payment) ? 'did not happen' : 'not yet';
  return (
    <ol aria-label="Progress of the payment" className="grid gap-0 sm:grid-cols-3">
      {payment.steps.map((step, index) => {
        const isDone = step.at !== null;
        const isLast = index === payment.steps.length - 1;
        return (
          <li
            key={step.name}
            aria-current={index === current ? 'step' : undefined}
            className="relative flex gap-3 pb-6 last:pb-0 sm:block sm:pb-0"
          >
            {!isLast && (
              <span
                aria-hidden="true"
                className={cx(
                  'absolute top-7 bottom-0 left-3.5 w-0.5 -translate-x-1/2 sm:top-3.5 sm:right-0 sm:bottom-auto sm:left-7 sm:h-0.5 sm:w-auto sm:translate-x-0 sm:-translate-y-1/2',
                  payment.steps[index + 1]?.at ? 'bg-accent' : 'bg-line',
                )}
              />
            )}
            <span
              aria-hidden="true"
              className={cx(
                'relative flex size-7 shrink-0 items-center justify-center rounded-full border-2',
                isDone ? 'border-accent bg-accent text-on-accent' : 'border-edge bg-surface text-soft',
              )}
            >
              {isDone ? <Icon name="check" /> : <span className="text-xs font-medium">{index + 1}</span>}
            </span>
            <div className="sm:mt-2 sm:pr-4">
              <p className={cx('text-sm font-medium', !isDone && 'text-soft')}>{nameOf(step.name, payment)}</p>
              <p className="text-xs text-soft">{step.at === null ? absent : <Time at={step.at} isClock />}</p>
            </div>
          </li>
        );
      })}
    </ol>
  );
}

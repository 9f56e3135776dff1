import type { ReactElement } from 'react';
import type { Session } from '../surface.ts';
import { providerName } from '../payment/list.tsx';
import { cx } from '../ui/class-names.ts';

export type PaymentMethod = Session['payment_methods'][number];

interface ChoiceProps {
  readonly methods: readonly PaymentMethod[];
  readonly chosen: PaymentMethod;
  readonly choose: (method: PaymentMethod) => void;
}

/** How to pay, where there is a choice. */
export function PaymentMethodChoice({ methods, chosen, choose }: ChoiceProps): ReactElement | null {
  if (methods.length < 2) return null;
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">How to pay</legend>
      <div className="grid gap-2 sm:grid-cols-[repeat(auto-fit,minmax(9rem,1fr))]">
        {methods.map((method) => {
          const isChosen = method.provider === chosen.provider;
          return (
            <label
              key={method.provider}
              htmlFor={`provider-${method.provider}`}
              className={cx(
                'flex min-h-11 cursor-pointer items-start gap-3 rounded-lg border px-3 py-2 text-sm focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent',
                isChosen ? 'border-accent bg-wash inset-ring inset-ring-accent' : 'border-edge hover:bg-sunken',
              )}
            >
              <input
                id={`provider-${method.provider}`}
                type="radio"
                aria-label={`${method.title} by ${providerName(method.provider)}`}
                name="provider"
                value={method.provider}
                checked={isChosen}
                className="mt-1 accent-accent outline-none"
                onChange={() => choose(method)}
              />
              <span>
                <span className="block font-medium">{method.title}</span>
                <span className="block text-xs text-soft">by {providerName(method.provider)}</span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

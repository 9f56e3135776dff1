import type { ReactElement } from 'react';
import { Field } from '../../ui/field.tsx';
import { Select } from '../../ui/select.tsx';
import type { Wish } from './wish.ts';

interface PartProps {
  readonly wish: Wish;
  readonly change: (part: Partial<Wish>) => void;
  readonly errorOf: (field: string) => string | undefined;
}

export function What({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Field
        label="Code"
        name="code"
        hint="At least six letters and digits: WELCOME-2026. Leave it empty for one that nobody guesses."
        value={wish.code}
        error={errorOf('code')}
        maxLength={100}
        onChange={(code) => change({ code })}
      />
      <Field
        label="Description"
        name="description"
        hint="Whoever redeems it reads it: Welcome to the fair."
        value={wish.description}
        error={errorOf('description')}
        isRequired
        maxLength={100}
        onChange={(description) => change({ description })}
      />
      <Field
        label="Credit of one use, in US dollars"
        name="amount"
        prefix="$"
        inputMode="decimal"
        value={wish.amount}
        error={errorOf('amount')}
        isRequired
        maxLength={20}
        onChange={(amount) => change({ amount })}
      />
      <Field
        label="The credit lasts so many days"
        name="credit_days"
        inputMode="numeric"
        hint="From its use on. Empty: it does not end."
        value={wish.creditDays}
        error={errorOf('credit_days')}
        maxLength={4}
        onChange={(creditDays) => change({ creditDays })}
      />
    </>
  );
}

export function WhenAndHowOften({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Field
        label="How often in all"
        name="uses_max"
        inputMode="numeric"
        value={wish.usesMax}
        error={errorOf('uses_max')}
        isRequired
        maxLength={7}
        onChange={(usesMax) => change({ usesMax })}
      />
      <Field
        label="How often by one person"
        name="uses_per_user_max"
        inputMode="numeric"
        hint="And for one wallet."
        value={wish.usesPerUserMax}
        error={errorOf('uses_per_user_max')}
        isRequired
        maxLength={3}
        onChange={(usesPerUserMax) => change({ usesPerUserMax })}
      />
      <Field
        label="Valid from, if not from now on"
        name="valid_from"
        type="datetime-local"
        hint="In your own time zone."
        value={wish.validFrom}
        error={errorOf('valid_from')}
        onChange={(validFrom) => change({ validFrom })}
      />
      <Field
        label="Valid until"
        name="valid_until"
        type="datetime-local"
        hint="Empty: until it is used up or closed."
        value={wish.validUntil}
        error={errorOf('valid_until')}
        onChange={(validUntil) => change({ validUntil })}
      />
    </>
  );
}

const WHOM = [
  ['all', 'everybody'],
  ['new', 'who has never paid'],
  ['paid', 'who has paid enough'],
] as const;

export function ForWhom({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Select label="For" name="whom" value={wish.whom} options={WHOM} onChange={(whom) => change({ whom })} />
      {wish.whom === 'paid' && (
        <Field
          label="Paid into the wallet before, at least"
          name="lifetime_paid_min"
          prefix="$"
          inputMode="decimal"
          value={wish.lifetimePaidMin}
          error={errorOf('lifetime_paid_min')}
          isRequired
          maxLength={20}
          onChange={(lifetimePaidMin) => change({ lifetimePaidMin })}
        />
      )}
    </>
  );
}

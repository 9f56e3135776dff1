import { decimalOf, formatMoney, microsOf, readAmount } from '../../ui/money.ts';
import { instantOf } from '../../ui/time.ts';

/** What stands in the form of a new code, as it was typed. */
export interface Wish {
  readonly code: string;
  readonly description: string;
  readonly amount: string;
  readonly creditDays: string;
  readonly usesMax: string;
  readonly usesPerUserMax: string;
  readonly validFrom: string;
  readonly validUntil: string;
  readonly whom: 'all' | 'new' | 'paid';
  readonly lifetimePaidMin: string;
}

export const EMPTY: Wish = {
  code: '',
  description: '',
  amount: '',
  creditDays: '90',
  usesMax: '',
  usesPerUserMax: '1',
  validFrom: '',
  validUntil: '',
  whom: 'all',
  lifetimePaidMin: '',
};

/** The fields that have room for a sentence of the server. */
export const PLACES: readonly string[] = [
  'code',
  'description',
  'amount',
  'credit_days',
  'uses_max',
  'uses_per_user_max',
  'valid_from',
  'valid_until',
  'lifetime_paid_min',
];

const WHOLE = /^[1-9][0-9]*$/;
const COUNT = 'Enter a whole number from 1 on.';

/** What the server would refuse anyway, said in the words of this form. */
export function missingIn(wish: Wish): Readonly<Record<string, string>> {
  const amount = readAmount(wish.amount);
  const paid = readAmount(wish.lifetimePaidMin);
  return {
    ...(wish.description.trim() === '' && { description: 'Say what it is for: whoever redeems it reads it.' }),
    ...('error' in amount && { amount: amount.error }),
    ...(wish.creditDays.trim() !== '' &&
      !WHOLE.test(wish.creditDays.trim()) && { credit_days: `${COUNT} Leave it empty for no end.` }),
    ...(!WHOLE.test(wish.usesMax.trim()) && { uses_max: COUNT }),
    ...(!WHOLE.test(wish.usesPerUserMax.trim()) && { uses_per_user_max: COUNT }),
    ...(wish.validFrom !== '' && instantOf(wish.validFrom) === null && { valid_from: 'Choose a time.' }),
    ...(wish.validUntil !== '' && instantOf(wish.validUntil) === null && { valid_until: 'Choose a time.' }),
    ...(wish.whom === 'paid' && 'error' in paid && { lifetime_paid_min: paid.error }),
  };
}

export function bodyOf(wish: Wish): object {
  const [validFrom, validUntil] = [instantOf(wish.validFrom), instantOf(wish.validUntil)];
  const days = wish.creditDays.trim();
  return {
    ...(wish.code.trim() !== '' && { code: wish.code.trim() }),
    description: wish.description.trim(),
    amount: typed(wish.amount),
    ...(days !== '' && { credit_days: Number(days) }),
    uses_max: Number(wish.usesMax.trim()),
    uses_per_user_max: Number(wish.usesPerUserMax.trim()),
    ...(validFrom !== null && { valid_from: validFrom }),
    ...(validUntil !== null && { valid_until: validUntil }),
    ...(wish.whom === 'new' && { is_for_new_customers: true }),
    ...(wish.whom === 'paid' && { lifetime_paid_min: typed(wish.lifetimePaidMin) }),
  };
}

function typed(text: string): string {
  const read = readAmount(text);
  return 'amount' in read ? read.amount : text.trim();
}

/** What all of its uses come to: what the house owes from now on. Null while there is nothing to say. */
export function promiseOf(wish: Wish): string | null {
  const amount = readAmount(wish.amount);
  if ('error' in amount || !WHOLE.test(wish.usesMax.trim())) return null;
  const most = decimalOf(microsOf(amount.amount) * BigInt(wish.usesMax.trim()));
  return /^\d{1,13}\./.test(most) ? `It gives ${formatMoney(most)} when it is used up.` : null;
}

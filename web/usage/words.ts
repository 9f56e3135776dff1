import { formatQuantity } from '../ui/decimal.ts';

type Kept = Readonly<Record<string, unknown>>;

const textIn = (record: Kept, name: string): string => {
  const value = record[name];
  return typeof value === 'string' ? value : '';
};

/** Units that are English words; others ("gib") are shown as they are called. */
const COUNTED = new Set(['second', 'minute', 'hour', 'day', 'call', 'token', 'request', 'record']);

/** A unit after its quantity: "hours" of 1.5, "hour" of 1, "gib month" of anything. */
export const unitOf = (quantity: string, unit: string): string =>
  COUNTED.has(unit) && formatQuantity(quantity) !== '1' ? `${unit}s` : unit.replaceAll('_', ' ');

/** What a record says was used: "small · 1.5 hours". Empty where it says nothing. */
export function usedIn(record: Kept): string {
  const quantity = textIn(record, 'quantity');
  const amount = quantity === '' ? '' : `${formatQuantity(quantity)} ${unitOf(quantity, textIn(record, 'unit'))}`;
  return [textIn(record, 'resource'), amount.trim()].filter((part) => part !== '').join(' · ');
}

/** The same with its category in front. */
export const usedWithCategory = (record: Kept): string =>
  [textIn(record, 'category'), usedIn(record)].filter((part) => part !== '').join(' · ');

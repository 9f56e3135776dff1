import { formatQuantity } from '../ui/decimal.ts';

type Kept = Readonly<Record<string, unknown>>;

const textIn = (record: Kept, name: string): string => {
  const value = record[name];
  return typeof value === 'string' ? value : '';
};

/** What a record says was used: "small · 1.5 hour". Empty where it says nothing. */
export function usedIn(record: Kept): string {
  const quantity = textIn(record, 'quantity');
  const amount = quantity === '' ? '' : `${formatQuantity(quantity)} ${textIn(record, 'unit').replaceAll('_', ' ')}`;
  return [textIn(record, 'resource'), amount.trim()].filter((part) => part !== '').join(' · ');
}

/** The same with its category in front. */
export const usedWithCategory = (record: Kept): string =>
  [textIn(record, 'category'), usedIn(record)].filter((part) => part !== '').join(' · ');

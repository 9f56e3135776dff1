import type { SavedCard } from '../surface.ts';
import { isPast } from '../ui/time.ts';

/** What a person is told who saves a card; card.list has the whole text. */
export const SAVING_TEXT =
  'The payment provider keeps the card; we keep a reference to it and no number. It is charged only when you ask for it, or by auto-recharge if you switch that on.';

const BRANDS: Readonly<Record<string, string>> = {
  amex: 'American Express',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
  visa: 'Visa',
  mastercard: 'Mastercard',
  discover: 'Discover',
};

/** "Visa ending in 4242". */
export const nameOf = (card: SavedCard): string => `${BRANDS[card.brand] ?? 'Card'} ending in ${card.last4}`;

/** "08/2030". */
export const expiryOf = (card: SavedCard): string =>
  `${String(card.expires_month).padStart(2, '0')}/${card.expires_year}`;

/** Whether the month after the one on the card has begun. */
export const isExpired = (card: SavedCard): boolean =>
  isPast(new Date(Date.UTC(card.expires_year, card.expires_month, 1)).toISOString());

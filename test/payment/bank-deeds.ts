import { assertNever } from '../../src/domain/assert.ts';
import { micros } from '../../src/domain/money.ts';
import type { ProviderRefund } from '../../src/providers/provider.ts';
import type { PaperBank } from '../support/paper-bank.ts';
import { dispute } from '../support/paper-dispute.ts';

/**
 * What a bank can do with one payment of 100.00, and what must stand with us when it has. The table is written by hand and knows
 * nothing of our code: neither how shares are computed nor in which steps anything is posted.
 */
export const DEEDS = [
  'async',
  'pay',
  'refund 30',
  'refund 70',
  'reversal',
  'inquiry',
  'dispute 60',
  'won',
  'lost',
] as const;
export type Deed = (typeof DEEDS)[number];

export type DisputeWord = 'none' | 'inquiry' | 'open' | 'won' | 'lost';

/** The bank's own books of the payment. */
export interface Books {
  readonly state: 'open' | 'processing' | 'paid';
  /** In dollars, by the refund's reference, in the order in which they were made. */
  readonly refunds: ReadonlyMap<string, bigint>;
  readonly dispute: DisputeWord;
}

export const UNTOUCHED: Books = { state: 'open', refunds: new Map(), dispute: 'none' };

const given = (books: Books): bigint => [...books.refunds.values()].reduce((sum, amount) => sum + amount, 0n);

/** The deed is done, or refused by the bank itself: nobody refunds or disputes what was not paid, nor refunds more than was paid. */
export function after(books: Books, deed: Deed): Books {
  if (deed === 'async') return books.state === 'open' ? { ...books, state: 'processing' } : books;
  if (deed === 'pay') return { ...books, state: 'paid' };
  if (books.state !== 'paid') return books;
  const left = 100n - given(books);
  switch (deed) {
    case 'refund 30':
      return left < 30n ? books : { ...books, refunds: new Map([...books.refunds, ['re_30', 30n]]) };
    case 'refund 70':
      return left < 70n ? books : { ...books, refunds: new Map([...books.refunds, ['re_70', 70n]]) };
    case 'reversal':
      return left === 0n ? books : { ...books, refunds: new Map([...books.refunds, ['rev', left]]) };
    case 'inquiry':
      return books.dispute === 'none' ? { ...books, dispute: 'inquiry' } : books;
    case 'dispute 60':
      return { ...books, dispute: 'open' };
    case 'won':
      return { ...books, dispute: 'won' };
    case 'lost':
      return { ...books, dispute: 'lost' };
    default:
      return assertNever(deed);
  }
}

export interface Expected {
  readonly balance: bigint;
  readonly frozen: bigint;
  readonly lifetime: bigint;
  /** What the bank takes beyond the payment. */
  readonly excess: bigint;
}

const row = (balance: bigint, frozen: bigint, lifetime: bigint, excess: bigint): Expected => ({
  balance,
  frozen,
  lifetime,
  excess,
});

/** By what is left after refunds, then by where a dispute of 60 stands: balance, set aside, paid for good, in excess. */
const TABLE: Readonly<Record<string, Readonly<Record<DisputeWord, Expected>>>> = {
  '100': {
    none: row(100n, 0n, 100n, 0n),
    inquiry: row(100n, 0n, 100n, 0n),
    open: row(40n, 60n, 100n, 0n),
    won: row(100n, 0n, 100n, 0n),
    lost: row(40n, 0n, 40n, 0n),
  },
  '70': {
    none: row(70n, 0n, 70n, 0n),
    inquiry: row(70n, 0n, 70n, 0n),
    open: row(10n, 60n, 70n, 0n),
    won: row(70n, 0n, 70n, 0n),
    lost: row(10n, 0n, 10n, 0n),
  },
  '30': {
    none: row(30n, 0n, 30n, 0n),
    inquiry: row(30n, 0n, 30n, 0n),
    open: row(0n, 30n, 30n, 30n),
    won: row(30n, 0n, 30n, 0n),
    lost: row(0n, 0n, 0n, 30n),
  },
  '0': {
    none: row(0n, 0n, 0n, 0n),
    inquiry: row(0n, 0n, 0n, 0n),
    open: row(0n, 0n, 0n, 60n),
    won: row(0n, 0n, 0n, 0n),
    lost: row(0n, 0n, 0n, 60n),
  },
};

export function expectedOf(books: Books): Expected {
  if (books.state !== 'paid') return row(0n, 0n, 0n, 0n);
  const expected = TABLE[(100n - given(books)).toString()]?.[books.dispute];
  if (!expected) throw new Error(`the table has no row for ${keyOf(books)}`);
  return expected;
}

export const keyOf = ({ state, refunds, dispute: word }: Books): string =>
  `${state} [${[...refunds.keys()].join(' ')}] ${word}`;

const USD = 1_000_000n;

/** The books as the bank tells them: the truth that a provider's order is. */
export function tell(bank: PaperBank, paymentSid: string, books: Books): void {
  const order = bank.orderOf(paymentSid);
  if (books.state === 'processing') order.state = 'processing';
  if (books.state !== 'paid') return;
  bank.pay(paymentSid, { amount: 100n * USD });
  order.refunds = toldRefunds(books, order.orderRef);
  if (books.dispute !== 'none') dispute(bank, paymentSid, { state: books.dispute, amount: 60n * USD });
}

export const toldRefunds = ({ refunds }: Books, orderRef: string): ProviderRefund[] =>
  [...refunds].map(([ref, amount]) => ({
    refundRef: `${ref}_${orderRef}`,
    refundSid: null,
    amount: micros(amount * USD),
    state: 'succeeded',
    fee: null,
    claimUrl: null,
    detail: null,
  }));

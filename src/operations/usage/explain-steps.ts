import { FRACTIONS_PER_MICRO } from '../../domain/ledger/posting.ts';
import { formatScaled } from '../../domain/usage/decimal.ts';

/** One line of an explanation. */
export interface Step {
  readonly what: string;
  /** US dollars after it. */
  readonly amount: string | null;
}

/** To 24 decimals: a part of a micro-dollar has a factor of nine that no decimal can write. */
export const dollarsOf = (parts: bigint): string => formatScaled((parts * 10n ** 18n) / FRACTIONS_PER_MICRO, 24);

import type { AccountId, PostingRecord } from '../../domain/ledger/posting.ts';
import type { Volume } from '../../domain/ledger/volume.ts';
import { ZERO } from '../../domain/money.ts';
import type { Price } from '../../domain/usage/price.ts';
import { monthOf, rateOf } from '../../domain/usage/volume-price.ts';

/** What a record adds to the volume of a wallet's month. One counter for each price: all that the price covers counts together. */
export function volumeBy(
  price: Price,
  counted: {
    readonly wallet: bigint;
    readonly occurredAt: Date;
    readonly quantity: bigint;
    readonly chargeMax: Volume['chargeMax'];
  },
): Volume {
  const { wallet, occurredAt, quantity, chargeMax } = counted;
  return { wallet, counter: price.sid, periodStart: monthOf(occurredAt), quantity, rate: rateOf(price), chargeMax };
}

/** The part of a posting that the engine makes the amounts of, when it knows where the counter stands. */
export function countedPostingOf(
  volume: Volume,
  { wallet, revenue }: { readonly wallet: AccountId; readonly revenue: AccountId },
): Pick<PostingRecord, 'legs' | 'fraction' | 'volume'> {
  return {
    legs: [
      { account: wallet, amount: ZERO },
      { account: revenue, amount: ZERO },
    ],
    fraction: { parts: 0n, payer: wallet, payee: revenue },
    volume,
  };
}

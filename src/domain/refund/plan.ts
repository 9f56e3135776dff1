import { micros, MICROS_PER_CENT, type Micros } from '../money.ts';

/** A payment at the provider that was credited, and what became of its money. */
export interface PaidBefore {
  readonly paymentSid: string;
  readonly paymentRef: string;
  readonly received: Micros;
  /** By refunds that have left, are under way, or are set aside for it. */
  readonly refunded: Micros;
  /** In disputes that are open or lost. */
  readonly disputed: Micros;
  readonly creditedAt: Date;
}

/** What a wallet holds. */
export interface WalletMoney {
  readonly balance: bigint;
  readonly reserved: bigint;
  readonly frozen: bigint;
  /** What was paid in and has not gone back. */
  readonly lifetimePaid: bigint;
}

export interface WalletShare {
  /** What was given, not paid, and is still there. It is not refunded. */
  readonly granted: Micros;
  /** What the user has paid for and not spent: the most that may go back without a debt. In whole cents. */
  readonly refundable: Micros;
}

/**
 * How much of what a wallet holds may go back.
 *
 * What was given is spent first. So whatever the wallet holds above all that was paid is given, and cannot be asked back as money;
 * the rest of the balance was paid.
 */
export function shareOf({ balance, reserved, frozen, lifetimePaid }: WalletMoney): WalletShare {
  const held = balance + reserved + frozen;
  const granted = atLeastZero(held - lifetimePaid);
  return { granted: micros(granted), refundable: wholeCents(atLeastZero(balance - granted)) };
}

/** What may still go back of one payment, whatever the wallet holds. In whole cents. */
export const leftOf = ({ received, refunded, disputed }: PaidBefore): Micros =>
  wholeCents(atLeastZero(received - refunded - disputed));

/** Divides an amount over payments in their order, each as far as it goes. What no payment has room for is left over. */
export function divide(
  amount: Micros,
  payments: readonly { readonly left: Micros }[],
): { readonly parts: readonly Micros[]; readonly rest: Micros } {
  let rest: bigint = amount;
  const parts = payments.map(({ left }) => {
    const part = left < rest ? left : rest;
    rest -= part;
    return micros(part);
  });
  return { parts, rest: micros(rest) };
}

const atLeastZero = (amount: bigint): bigint => (amount > 0n ? amount : 0n);
/** Providers of card money send nothing finer; rounded down, so that nobody gets more than is there. */
const wholeCents = (amount: bigint): Micros => micros(amount - (amount % MICROS_PER_CENT));

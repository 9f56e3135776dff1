import type { Ports } from '../../src/ports/ports.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import type { Dice } from './dice.ts';

/** A webhook as it left its provider. */
export interface Letter {
  readonly provider: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One provider with its simulator: what customers, banks and time do there, and its own books. */
export interface Till {
  readonly name: string;
  /** Where requests to it go: the first part of their addresses. */
  readonly origin: string;
  readonly api: typeof fetch;
  /** One process's connection to it. */
  readonly open: (ports: Ports) => PaymentProvider;
  /** A customer at the page of an order: pays, mostly, or does not. */
  readonly visit: (orderRef: string, dice: Dice) => void;
  /** Something that happens to an order long after: a refund in the dashboard, a dispute, a reversal, another payment. */
  readonly trouble: (orderRef: string, dice: Dice) => void;
  /** Everything that was begun there ends: disputes, payouts, transfers under way. */
  readonly end: (dice: Dice) => void;
  /** Signed anew, for a letter that comes late and carries a time. */
  readonly stamp: (letter: Letter, now: Date) => Letter;
  /** Orders that belong to one payment of ours have one key. */
  readonly keyOf: (orderRef: string) => string;
  /** The provider's own books, computed from its rows by nothing of ours. */
  readonly books: () => Books;
  readonly close: () => Promise<void>;
}

export interface Books {
  /** What it holds for us. */
  readonly balanceMicros: bigint;
  /** What is left, by order, of the money that customers paid: what was given or taken back is off. */
  readonly leftMicros: ReadonlyMap<string, bigint>;
  /** What left by payouts, where a refund is one and no order tells of it. */
  readonly paidOutMicros: bigint;
}

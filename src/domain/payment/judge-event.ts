import type { QuarantineReason } from './judge.ts';

/** A verified event, as far as it can be compared before the provider is asked. */
export interface EventFacts {
  readonly provider: string;
  /** The account it is for; the caller has put our key's account where the event names none. */
  readonly accountId: string;
  readonly isLive: boolean;
  readonly orderRef: string | null;
  readonly paymentRef: string | null;
}

/** Where our key works: the account and the mode that events must come from. */
export interface Home {
  readonly accountId: string;
  readonly isLive: boolean;
}

/** Our row's side of the comparison. */
export interface EventTarget {
  readonly provider: string;
  readonly providerAccount: string;
  readonly isLive: boolean;
  readonly orderRef: string | null;
  readonly paymentRef: string | null;
  /** The order whose money an operator has assigned; null: the order is our own. */
  readonly assignedOrderRef: string | null;
}

/** An event of another account or mode than our key's: authentic, and not for us. */
export function strangerOf(event: EventFacts, home: Home): QuarantineReason | null {
  if (event.accountId !== home.accountId) return 'account_mismatch';
  return event.isLive === home.isLive ? null : 'mode_mismatch';
}

/**
 * The first thing in which an event does not fit the payment it points at; null when it does.
 *
 * An event that points at another order is set aside alone: it must not be able to quarantine a payment that is in order.
 */
export function misfitOf(event: EventFacts, payment: EventTarget): QuarantineReason | null {
  if (event.provider !== payment.provider) return 'provider_mismatch';
  if (event.accountId !== payment.providerAccount) return 'account_mismatch';
  if (event.isLive !== payment.isLive) return 'mode_mismatch';
  // What was assigned is known by its payment: the provider may name its order in more than one way.
  const orderRef = payment.assignedOrderRef === null ? payment.orderRef : null;
  if (differ(event.orderRef, orderRef)) return 'order_mismatch';
  // An order may have several payments: one that we do not know yet is no sign of another order where the order is named.
  const isNamed = event.orderRef !== null && orderRef !== null;
  return !isNamed && differ(event.paymentRef, payment.paymentRef) ? 'order_mismatch' : null;
}

/** Two references that are both known and not the same. */
const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;

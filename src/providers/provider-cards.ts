import type { Micros } from '../domain/money.ts';
import type { DeclineCode } from '../domain/payment/decline.ts';
import type { ProviderOrder, VerifiedWebhook } from './provider.ts';

/**
 * What a provider that can save cards does for us. We keep its references and no data of a card.
 *
 * Every method throws `ProviderFailure`, as those of the provider do.
 */
export interface ProviderCards {
  /** Makes the provider's record of a user, or finds the one made before with the same `userSid`; answers its reference. */
  createCustomer(userSid: string): Promise<string>;
  /** A page on which the customer saves a card and pays nothing. */
  startSaving(saving: NewSaving): Promise<{ readonly url: string }>;
  /** The customer's saved cards, newest first; empty where the customer is gone. */
  list(customerRef: string): Promise<readonly ProviderCard[]>;
  /** Makes the provider forget a card. A card that is gone already is no failure; one of another customer is not touched. */
  remove(customerRef: string, cardRef: string): Promise<void>;
  /**
   * Charges a saved card while its owner is away, or finds what the same `paymentSid` did before. The answer is the order as any
   * other, under the reference by which `readOrder` finds it.
   *
   * A refusal by the card's bank is an order in the state `failed` with its `decline`: nothing was taken, and nothing can be any more.
   */
  charge(charge: NewCharge): Promise<ProviderOrder>;
  /**
   * Makes sure that a charge never happens, unless it has: uses the charge's key up, so that whoever still is about to charge with it
   * is refused. The answer is the order: `failed`, or what the charge came to when it was first.
   */
  withdraw(charge: NewCharge): Promise<ProviderOrder>;
}

export interface ProviderCard {
  readonly cardRef: string;
  /** As the provider spells it: "visa". */
  readonly brand: string;
  readonly last4: string;
  readonly expiresMonth: number;
  readonly expiresYear: number;
}

export interface NewSaving {
  /** The provider's idempotency key of the page. */
  readonly key: string;
  readonly customerRef: string;
  readonly userSid: string;
  readonly successUrl: string;
  readonly cancelUrl: string;
}

export interface NewCharge {
  readonly paymentSid: string;
  readonly userSid: string;
  readonly customerRef: string;
  readonly cardRef: string;
  readonly amount: Micros;
  readonly currency: 'USD';
  readonly description: string;
  readonly createdAt: Date;
}

/** Why the bank of a saved card said no. */
export interface ProviderDecline {
  /** authentication_required: the owner must confirm, on a page · declined: everything else */
  readonly code: DeclineCode;
  /** The bank's word for it ("insufficient_funds"); null: none. */
  readonly reason: string | null;
}

/** An event as the provider's own list has it, for those that never reached our webhook. */
export type ListedEvent = Omit<VerifiedWebhook, 'verifiedWith'> & { readonly body: Uint8Array };

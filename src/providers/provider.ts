import type { Micros } from '../domain/money.ts';
import type { Refusal } from '../domain/refusal.ts';

/**
 * The contract of a payment provider. An implementation knows neither the store nor another provider. Every method has a
 * total deadline and throws {@link ProviderFailure} when the outside breaks; an expected "no" is a value.
 */
export interface PaymentProvider {
  readonly name: string;
  /** The provider's own id of the account our key belongs to (Stripe: `acct_…`). Asked once and cached; throws ProviderFailure. */
  account(): Promise<ProviderAccount>;
  /** Creates the order, or finds the one made before with the same `paymentSid` (the provider's idempotency key, for ever). */
  createOrder(order: NewOrder): Promise<ProviderOrder>;
  /** The provider's present truth about one order; null when the provider does not know it. */
  readOrder(orderRef: string): Promise<ProviderOrder | null>;
  /** Checks headers and raw bytes; parses only what it has verified. Pure apart from the secrets it was built with. */
  verifyWebhook(delivery: WebhookDelivery): VerifiedWebhook | Refusal;
  /** Orders created at or after the instant, oldest first, for what webhooks lost. `cursor` from the page before. */
  listOrders(since: Date, cursor: string | null): Promise<{ orders: ProviderOrder[]; nextCursor: string | null }>;
}

export interface ProviderAccount {
  readonly id: string;
  readonly isLive: boolean;
}

export interface NewOrder {
  readonly paymentSid: string;
  readonly userSid: string;
  readonly amount: Micros;
  readonly currency: 'USD';
  readonly description: string;
  readonly successUrl: string;
  readonly cancelUrl: string;
  readonly expiresAt: Date;
}

/** What the provider says of an order, in our words. Nothing here comes from our own rows. */
export interface ProviderOrder {
  readonly orderRef: string;
  /** Our payment's sid as the provider holds it; null when the order does not carry one (then it is not ours). */
  readonly paymentSid: string | null;
  readonly userSid: string | null;
  readonly accountId: string;
  readonly isLive: boolean;
  readonly currency: string;
  /** open: may still be paid · processing: the customer is done, the money is under way · paid · failed · expired */
  readonly state: 'open' | 'processing' | 'paid' | 'failed' | 'expired';
  /** The payment itself (Stripe: PaymentIntent); set when paid. */
  readonly paymentRef: string | null;
  /** What was really received, before tax; null until paid. */
  readonly amountReceived: Micros | null;
  /** Where the customer pays; null when it cannot be paid any more. */
  readonly checkoutUrl: string | null;
  readonly expiresAt: Date | null;
}

export interface WebhookDelivery {
  readonly body: Uint8Array;
  /** Lower-case names; a header sent twice arrives as two elements. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly now: Date;
}

export interface VerifiedWebhook {
  readonly eventId: string;
  readonly eventType: string;
  /** The account the event is for if the event names one, else null: the account of our key. */
  readonly accountId: string | null;
  readonly isLive: boolean;
  /** The order the event speaks of; null when the type is of no interest (then it is stored and ignored). */
  readonly orderRef: string | null;
  /** The payment the event speaks of when it does not name the order (Stripe: `payment_intent.*`, `charge.*`). */
  readonly paymentRef: string | null;
  readonly paymentSid: string | null;
  readonly verifiedWith: 'current' | 'previous';
}

/** The outside broke. `outcome` says whether the call may have had an effect. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly kind: 'timeout' | 'refused' | 'broken' | 'rate_limited';
  readonly outcome: 'none' | 'unknown';
  constructor(
    kind: ProviderFailure['kind'],
    outcome: ProviderFailure['outcome'],
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = kind;
    this.outcome = outcome;
  }
}

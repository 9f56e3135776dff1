import type { Micros } from '../domain/money.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { ProviderDisputes } from './provider-disputes.ts';
import type { ListedEvent, ProviderCards, ProviderDecline } from './provider-cards.ts';

/**
 * The contract of a payment provider. An implementation knows neither the store nor another provider. Every method has a
 * total deadline and throws {@link ProviderFailure} when the outside breaks; an expected "no" is a value.
 */
export interface PaymentProvider {
  readonly name: string;
  /** What it is called, what it needs, and what it cannot do: for pages, the console and the documents. Constant. */
  readonly description: ProviderDescription;
  /** The provider's own id of the account our key belongs to (Stripe: `acct_…`). Asked once and cached; throws ProviderFailure. */
  account(): Promise<ProviderAccount>;
  /** Creates the order, or finds the one made before with the same `paymentSid` (the provider's idempotency key, for ever). */
  createOrder(order: NewOrder): Promise<ProviderOrder>;
  /**
   * The provider's present truth about one order and all money of it, also about one that is none of ours ({@link ProviderMovement.orderRef});
   * null when the provider does not know it.
   */
  readOrder(orderRef: string): Promise<ProviderOrder | null>;
  /** Checks headers and raw bytes; parses only what it has verified. Pure apart from the secrets it was built with. */
  verifyWebhook(delivery: WebhookDelivery): VerifiedWebhook | Refusal;
  /**
   * Orders created at or after the instant, oldest first, for what webhooks lost. `cursor` from the page before.
   * A listed order may leave `payments` without refunds and disputes; what is posted is always read by `readOrder`.
   */
  listOrders(since: Date, cursor: string | null): Promise<{ orders: ProviderOrder[]; nextCursor: string | null }>;
  /**
   * Gives money back, or finds the refund made before with the same `refundSid` (the provider's idempotency key, for ever).
   * Throws ProviderFailure: `refused` with outcome `none` is a definite no; outcome `unknown` must be asked about again.
   */
  refund(refund: NewRefund): Promise<ProviderRefund>;
  /** The provider's present truth about a refund of ours, looked for by its reference or by our sid; null: it knows none. */
  readRefund(refund: NewRefund & { readonly refundRef: string | null }): Promise<ProviderRefund | null>;
  /** Every movement of the account's balance at or after the instant, in any order: what reconciliation is made of. */
  listMovements(
    since: Date,
    cursor: string | null,
  ): Promise<{ movements: ProviderMovement[]; nextCursor: string | null }>;
  /** Saved cards; absent where the provider has none. */
  readonly cards?: ProviderCards;
  /** Answers to disputes; absent where the provider takes none from us. */
  readonly disputes?: ProviderDisputes;
  /**
   * Events created in the period that no webhook endpoint has taken, in any order; absent where the provider keeps no such list.
   * `cursor` from the page before.
   */
  listUndelivered?(
    period: { readonly since: Date; readonly until: Date },
    cursor: string | null,
  ): Promise<{ events: ListedEvent[]; nextCursor: string | null }>;
}

export interface ProviderDescription {
  /** On buttons and in sentences: "Card or bank account", "Mobile money", "Crypto". */
  readonly title: string;
  /** The environment settings that configure it, required ones first. */
  readonly settings: readonly string[];
  readonly can: {
    /** How money goes back: `direct` to where it came from · `payout` to an account that is asked for · `claim` by the customer. */
    readonly refund: 'direct' | 'payout' | 'claim';
    /** Whether one order can be paid more than once. */
    readonly severalPayments: boolean;
    readonly disputes: boolean;
    readonly savedCards: boolean;
  };
  /** Whole sentences on what it cannot do, for an operator who chooses. */
  readonly cannot: readonly string[];
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
  /** The provider's own record of the user, where there is one ({@link ProviderCards}). */
  readonly customerRef?: string | null;
  /** Whether the card that pays is saved for that customer: the user's own choice. */
  readonly savesCard?: boolean;
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
  /** open: may still be paid · processing: the customer is done, the money is under way · paid: money came · failed · expired */
  readonly state: 'open' | 'processing' | 'paid' | 'failed' | 'expired';
  /** What the provider says of a payment under way, in a short sentence for its user ("sent to your phone"); null: nothing. */
  readonly progress: string | null;
  /** Every payment received for the order, oldest first; empty until one is. What was received stays here when it goes back. */
  readonly payments: readonly ProviderPayment[];
  /** Where the customer pays; null when it cannot be paid any more. */
  readonly checkoutUrl: string | null;
  readonly expiresAt: Date | null;
  /** Why a saved card was refused; absent or null where none was. */
  readonly decline?: ProviderDecline | null;
}

/** Money that came in (Stripe: a PaymentIntent), and everything of it that went back or is disputed: cumulative truth. */
export interface ProviderPayment {
  readonly paymentRef: string;
  /** What was really received, before tax and in the order's currency; null when the provider does not say (a failure of its own). */
  readonly amount: Micros | null;
  /** Every refund and reversal, whoever made it, also pending and failed ones. A reversal by the rail itself has a reference made of the payment's. */
  readonly refunds: readonly ProviderRefund[];
  readonly disputes: readonly ProviderDispute[];
}

export interface NewRefund {
  readonly refundSid: string;
  readonly paymentSid: string;
  readonly orderRef: string;
  readonly paymentRef: string;
  readonly amount: Micros;
  readonly currency: 'USD';
  /** Where to, for providers whose refund is a `payout` (a phone number in international digits); else null. */
  readonly destination: string | null;
}

export interface ProviderRefund {
  readonly refundRef: string;
  /** Our refund's sid as the provider holds it; null when it was not made by us (a dashboard, the rail). */
  readonly refundSid: string | null;
  readonly amount: Micros;
  /** pending: under way · succeeded: the money has left · failed: it came back, or never left */
  readonly state: 'pending' | 'succeeded' | 'failed';
  /** What the provider kept for it, beside the amount; null: nothing, or not said. */
  readonly fee: Micros | null;
  /** Where the customer claims it, for providers with `claim`; else null. */
  readonly claimUrl: string | null;
  /** Why it failed or waits, in the provider's words; null: nothing was said. */
  readonly detail: string | null;
}

export interface ProviderDispute {
  readonly disputeRef: string;
  readonly amount: Micros;
  /** inquiry: a question, no money has moved · open: the money is withheld · won: it is ours again · lost: it is gone */
  readonly state: 'inquiry' | 'open' | 'won' | 'lost';
  /** What the provider charges us for the dispute, as far as it has not given it back; null: it has not withheld anything for it so far. */
  readonly fee: Micros | null;
  readonly reason: string | null;
  /** Until when evidence is taken; null: no more, or not said. */
  readonly evidenceDueBy: Date | null;
}

/** One line of the provider's own account statement. */
export interface ProviderMovement {
  /** The provider's id of the movement: unique within the account, for ever. */
  readonly movementRef: string;
  readonly kind: 'payment' | 'refund' | 'refund_returned' | 'dispute' | 'dispute_returned' | 'fee' | 'payout' | 'other';
  /** Signed, as it changes what the provider owes us, before `fee`. */
  readonly amount: Micros;
  /** Taken beside the amount; minus where it is given back; zero where a fee is a movement of its own. */
  readonly fee: Micros;
  readonly currency: string;
  readonly at: Date;
  /** What it belongs to, as far as the provider says. */
  /** The order by which `readOrder` tells of that payment; null: not known. */
  readonly orderRef: string | null;
  readonly paymentRef: string | null;
  readonly refundRef: string | null;
  readonly disputeRef: string | null;
  readonly detail: string | null;
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
  /** The payment the event speaks of when it does not name the order (Stripe: `payment_intent.*`, `charge.*`, `refund.*`). */
  readonly paymentRef: string | null;
  readonly paymentSid: string | null;
  /** Our refund's sid, when the event speaks of a refund that is no part of an order (ClickPesa: a payout); else null. */
  readonly refundSid: string | null;
  /** The provider's reference of the refund, when the event speaks of one and of no order (BTCPay Server: the pull payment of a payout); else null. */
  readonly refundRef: string | null;
  readonly verifiedWith: 'current' | 'previous';
}

/** The outside broke. `outcome` says whether the call may have had an effect. `unavailable`: it works, and cannot do this just now. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly kind: 'timeout' | 'refused' | 'broken' | 'rate_limited' | 'unavailable';
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

export type Metadata = Readonly<Record<string, string>>;

export interface Session {
  readonly id: string;
  readonly created: number;
  readonly expiresAt: number;
  /** Of the checkout page; the port may be another one after a restart. */
  url: string;
  readonly productName: string;
  readonly successUrl: string;
  readonly cancelUrl: string | null;
  readonly clientReferenceId: string | null;
  readonly metadata: Metadata;
  readonly intentMetadata: Metadata;
  readonly intentDescription: string | null;
  /** `setup`: a card is saved and nothing is paid. */
  readonly mode: 'payment' | 'setup';
  readonly customerId: string | null;
  /** Whether the card that pays is saved for payments without its owner. */
  readonly savesCard: boolean;
  setupIntentId: string | null;
  status: 'open' | 'complete' | 'expired';
  paymentStatus: 'unpaid' | 'paid' | 'no_payment_required';
  currency: string;
  livemode: boolean;
  subtotal: number;
  discount: number;
  tax: number;
  intentId: string | null;
  /** A delayed payment that ends by itself: how. */
  settlesAs: 'paid' | 'failed' | null;
}

export interface Intent {
  readonly id: string;
  readonly created: number;
  /** Null: made without a checkout page, of a saved card. */
  readonly sessionId: string | null;
  readonly customerId: string | null;
  readonly savesCard: boolean;
  paymentMethodId: string | null;
  readonly metadata: Metadata;
  readonly description: string | null;
  status: 'requires_payment_method' | 'requires_confirmation' | 'processing' | 'succeeded' | 'canceled';
  amount: number;
  amountReceived: number;
  currency: string;
  livemode: boolean;
  chargeId: string | null;
  /** Why the last attempt to pay it failed. */
  decline: Decline | null;
}

export interface Decline {
  readonly code: 'card_declined' | 'authentication_required';
  readonly declineCode: string;
  readonly message: string;
}

export const DECLINED: Decline = {
  code: 'card_declined',
  declineCode: 'generic_decline',
  message: 'Your card was declined.',
};

export interface Charge {
  readonly id: string;
  readonly created: number;
  readonly intentId: string;
  readonly paymentMethodId: string | null;
  readonly metadata: Metadata;
  readonly description: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly livemode: boolean;
  /** Absent: nothing was. */
  amountRefunded?: number;
  /** Absent: never. */
  isDisputed?: boolean;
}

export interface SandboxEvent {
  readonly id: string;
  readonly type: string;
  readonly created: number;
  /** The exact text that is signed and delivered. */
  readonly payload: string;
  isDelivered: boolean;
}

export interface NewSession {
  readonly currency: string;
  readonly subtotal: number;
  readonly productName: string;
  readonly successUrl: string;
  readonly cancelUrl: string | null;
  readonly clientReferenceId: string | null;
  readonly metadata: Metadata;
  readonly intentMetadata: Metadata;
  readonly intentDescription: string | null;
  readonly mode: 'payment' | 'setup';
  readonly customerId: string | null;
  readonly savesCard: boolean;
  /** Unix seconds; null: 24 hours from now. */
  readonly expiresAt: number | null;
}

/** How a customer leaves the checkout page. The two `later` ones are a bank transfer that arrives, or does not. */
export type Outcome = 'paid' | 'declined' | 'later' | 'later-succeeds' | 'later-fails';

export interface EventOverrides {
  readonly id?: string | undefined;
  readonly created?: number | undefined;
  readonly livemode?: boolean | undefined;
  readonly account?: string | undefined;
}

/** The records of the API as the pages read them: JSON of the operations named beside each. */

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** session.get */
export interface Session {
  readonly mode: 'sandbox' | 'test' | 'production';
  readonly role: 'anonymous' | 'user' | 'operator';
  readonly user: { readonly sid: string; readonly display_name: string | null; readonly wallet_sid: string } | null;
  readonly top_up: { readonly min: string; readonly max: string; readonly presets: readonly string[] };
  readonly providers: readonly string[];
}

/** billing.get, billing.list */
export interface Billing {
  readonly sid: string;
  readonly user_sid: string;
  readonly display_name: string | null;
  readonly credit_balance_cents: number;
  readonly credit_balance: string;
  readonly reserved: string;
  readonly frozen: string;
  readonly is_frozen: boolean;
  readonly lifetime_paid_cents: number;
  readonly currency: string;
  readonly first_paid_at: string | null;
  readonly last_active_at: string | null;
  readonly created_at: string;
}

/** billing.statement */
export interface StatementLine {
  readonly seq: number;
  readonly kind: string;
  readonly amount: string;
  readonly balance_after: string;
  readonly description: string | null;
  readonly about: Readonly<Record<string, unknown>> | null;
  readonly occurred_at: string;
  readonly recorded_at: string;
}

/** billing.adjust */
export interface Adjustment {
  readonly sid: string;
  readonly prev_balance: number;
  readonly new_balance: number;
  readonly change_cents: number;
  readonly dry_run: boolean;
  readonly billing: Billing;
}

export type PaymentState = 'created' | 'open' | 'processing' | 'credited' | 'failed' | 'expired' | 'quarantined';

/** payment.create, payment.get, payment.list, payment.check */
export interface Payment {
  readonly sid: string;
  readonly wallet_sid: string;
  readonly user_sid: string;
  readonly provider: string;
  readonly state: PaymentState;
  readonly amount: string;
  readonly amount_cents: number;
  readonly currency: string;
  readonly credited: string | null;
  readonly checkout_url: string | null;
  readonly problem: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly expires_at: string;
  readonly steps: readonly { readonly name: 'created' | 'paid' | 'credited'; readonly at: string | null }[];
}

/** payment-event.list */
export interface PaymentEvent {
  readonly sid: string;
  readonly user_sid: string;
  readonly wallet_sid: string;
  readonly payment_sid: string;
  readonly provider: string;
  readonly kind: string;
  readonly external_ref: string;
  readonly amount_cents: number;
  readonly amount: string;
  readonly currency: string;
  readonly created_at: string;
}

/** webhook-event.list, webhook-event.replay */
export interface WebhookEvent {
  readonly sid: string;
  readonly provider: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly payment_sid: string | null;
  readonly attempts: number;
  readonly received_at: string;
  readonly updated_at: string;
}

/** hold.list */
export interface Hold {
  readonly sid: string;
  readonly wallet_sid: string;
  readonly amount: string;
  readonly captured: string;
  readonly state: string;
  readonly description: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly closed_at: string | null;
}

/** audit.list */
export interface AuditEvent {
  readonly sid: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly request_id: string;
}

/** The records of the API as the pages read them. The types come from the operations themselves, by way of the client. */
import type { Output } from '../client/client.ts';

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export type Session = Output<'session.get'>;
export type Billing = Output<'billing.get'>;
export type StatementLine = Output<'billing.statement'>['items'][number];
export type Adjustment = Output<'billing.adjust'>;
export type Payment = Output<'payment.get'>;
export type PaymentState = Payment['state'];
export type PaymentEvent = Output<'payment-event.list'>['items'][number];
export type WebhookEvent = Output<'webhook-event.list'>['items'][number];
export type Hold = Output<'hold.list'>['items'][number];
export type AuditEvent = Output<'audit.list'>['items'][number];

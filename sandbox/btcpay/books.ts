import type { SandboxClock, SandboxRandom } from '../ports.ts';
import { idFrom, unixSeconds } from './ids.ts';
import type { Switches } from './switches.ts';

export type InvoiceStatus = 'New' | 'Processing' | 'Expired' | 'Invalid' | 'Settled';
export type AdditionalStatus = 'None' | 'PaidLate' | 'PaidPartial' | 'Marked' | 'Invalid' | 'PaidOver';
export type Method = 'BTC-CHAIN' | 'BTC-LN';

export interface Invoice {
  readonly id: string;
  readonly created: number;
  readonly expiresAt: number;
  /** Until then the chain is watched for it. */
  readonly monitoredUntil: number;
  readonly amountCents: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** How many a payment on the chain needs. */
  readonly confirmations: number;
  readonly redirectUrl: string | null;
  readonly redirectsByItself: boolean;
  /** Fixed when it was made: cents for one coin. */
  readonly rateCents: number;
  readonly destinations: Readonly<Record<Method, string>>;
  /** Added to what is due for each payment. */
  readonly networkFeeSats: number;
  status: InvoiceStatus;
  additional: AdditionalStatus;
  archived: boolean;
}

export interface Payment {
  /** `<transaction>-<output>` on the chain, the payment hash on Lightning. */
  readonly id: string;
  readonly invoiceId: string;
  readonly method: Method;
  readonly sats: number;
  readonly feeSats: number;
  readonly receivedAt: number;
  readonly isLate: boolean;
  confirmations: number;
  /** Invalid: replaced, spent elsewhere, or in a block that is no longer part of the chain. */
  status: 'Processing' | 'Settled' | 'Invalid';
}

export interface PullPayment {
  readonly id: string;
  readonly created: number;
  readonly name: string;
  readonly description: string;
  readonly currency: 'USD' | 'BTC';
  /** In cents or sats. */
  readonly amount: number;
  readonly approvesClaims: boolean;
  readonly startsAt: number;
  readonly expiresAt: number | null;
  readonly invoiceId: string | null;
  archived: boolean;
}

export type PayoutState = 'AwaitingApproval' | 'AwaitingPayment' | 'InProgress' | 'Completed' | 'Cancelled';

export interface Payout {
  readonly id: string;
  readonly created: number;
  readonly pullPaymentId: string;
  readonly method: Method;
  readonly destination: string;
  /** In the currency of its pull payment. */
  readonly amount: number;
  /** What leaves; null until it is approved. */
  sats: number | null;
  state: PayoutState;
}

export interface SandboxEvent {
  /** The id of its first delivery. */
  readonly id: string;
  readonly type: string;
  readonly created: number;
  readonly facts: Readonly<Record<string, unknown>>;
  isDelivered: boolean;
}

/** What one move changed: whole records, as they are after it. */
export interface Change {
  readonly invoices?: readonly Invoice[];
  readonly payments?: readonly Payment[];
  readonly pullPayments?: readonly PullPayment[];
  readonly payouts?: readonly Payout[];
  readonly events?: readonly SandboxEvent[];
}

export interface BooksOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly switches: Switches;
  readonly storeId: string;
  /** Where its pages are; asked each time, because the port is known late. */
  readonly publicUrl: () => string;
  /** Told of each event once, in the order in which the events happened. */
  readonly onEvent: (event: SandboxEvent) => void;
  /** Told of what each move changed, once the move is complete. */
  readonly onChange: (change: Change) => void;
}

/** Everything the simulated server knows, and how a change of it becomes known. Only ever added to and moved on. */
export class Books {
  readonly invoices = new Map<string, Invoice>();
  readonly payments = new Map<string, Payment>();
  readonly pullPayments = new Map<string, PullPayment>();
  readonly payouts = new Map<string, Payout>();
  readonly events = new Map<string, SandboxEvent>();
  readonly options: BooksOptions;
  #happened: SandboxEvent[] = [];

  constructor(options: BooksOptions) {
    this.options = options;
  }

  get storeId(): string {
    return this.options.switches.wrong.storeId ?? this.options.storeId;
  }

  id(length = 22): string {
    return idFrom(this.options.random, length);
  }

  now(): number {
    return unixSeconds(this.options.clock.now());
  }

  paymentsOf(invoice: Invoice): Payment[] {
    return [...this.payments.values()].filter((payment) => payment.invoiceId === invoice.id);
  }

  payoutsOf(pullPayment: PullPayment): Payout[] {
    return [...this.payouts.values()].filter((payout) => payout.pullPaymentId === pullPayment.id);
  }

  /** Says that something happened. It is kept with the next {@link commit}. */
  emit(type: string, facts: Readonly<Record<string, unknown>>, onEvent = this.options.onEvent): SandboxEvent {
    const event: SandboxEvent = { id: this.id(), type, created: this.now(), facts, isDelivered: false };
    this.events.set(event.id, event);
    this.#happened.push(event);
    onEvent(event);
    return event;
  }

  emitOf(invoice: Invoice, type: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.emit(type, { storeId: this.storeId, invoiceId: invoice.id, metadata: invoice.metadata, ...facts });
  }

  commit(change: Omit<Change, 'events'>): void {
    this.options.onChange({ ...change, ...(this.#happened.length === 0 ? {} : { events: this.#happened }) });
    this.#happened = [];
  }

  /** The endpoint has taken the event. */
  delivered(event: SandboxEvent): void {
    event.isDelivered = true;
    this.#happened.push(event);
    this.commit({});
  }

  /** Takes back what an earlier process kept. Nothing is told to anybody. */
  restore(change: Change): void {
    for (const invoice of change.invoices ?? []) this.invoices.set(invoice.id, invoice);
    for (const payment of change.payments ?? []) this.payments.set(payment.id, payment);
    for (const pullPayment of change.pullPayments ?? []) this.pullPayments.set(pullPayment.id, pullPayment);
    for (const payout of change.payouts ?? []) this.payouts.set(payout.id, payout);
    for (const event of change.events ?? []) this.events.set(event.id, event);
  }
}

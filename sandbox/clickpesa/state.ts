import { createHash } from 'node:crypto';
import type { SandboxClock, SandboxRandom } from '../ports.ts';
import { exchanged } from './money.ts';
import { paymentEvent, payoutEvent } from './objects.ts';
import type { Switches } from './switches.ts';

export interface Link {
  readonly token: string;
  readonly reference: string;
  readonly currency: 'USD' | 'TZS';
  readonly hundredths: number;
  readonly description: string;
  readonly createdAt: string;
}

export type PaymentStatus =
  | 'PENDING'
  | 'PROCESSING'
  | 'ON-HOLD'
  | 'SUCCESS'
  | 'SETTLED'
  | 'FAILED'
  | 'REFUNDED'
  | 'REVERSED';

export interface Payment {
  readonly id: string;
  readonly reference: string;
  readonly phone: string;
  readonly hundredths: number;
  readonly currency: string;
  readonly exchange: { readonly rate: string; readonly sourceHundredths: number } | null;
  readonly createdAt: string;
  status: PaymentStatus;
  message: string;
  updatedAt: string;
}

export type PayoutStatus = 'AUTHORIZED' | 'PROCESSING' | 'SUCCESS' | 'REFUNDED' | 'REVERSED' | 'FAILED';

export interface Payout {
  readonly id: string;
  readonly reference: string;
  readonly phone: string;
  readonly hundredths: number;
  readonly currency: string;
  readonly feeHundredths: number;
  readonly createdAt: string;
  status: PayoutStatus;
  updatedAt: string;
}

export interface SandboxEvent {
  readonly id: string;
  readonly type: string;
  /** Without its checksum: that is made when it leaves. */
  readonly payload: object;
  isDelivered: boolean;
}

/** What one move changed: whole records, as they are after it. */
export interface Change {
  readonly links?: readonly Link[];
  readonly payments?: readonly Payment[];
  readonly payouts?: readonly Payout[];
  readonly events?: readonly SandboxEvent[];
}

export interface StateOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly switches: Switches;
  readonly clientId: string;
  readonly onEvent: (event: SandboxEvent) => void;
  readonly onChange: (change: Change) => void;
}

/**
 * What the simulated ClickPesa knows and the moves it can make. Nothing here waits, listens or sends.
 *
 * Invariants: a reference names one link or one payout, for ever; a link can be paid any number of times; rows are never removed.
 */
export class ClickPesaState {
  readonly links = new Map<string, Link>();
  readonly payments = new Map<string, Payment>();
  readonly payouts = new Map<string, Payout>();
  readonly events = new Map<string, SandboxEvent>();
  readonly #options: StateOptions;

  constructor(options: StateOptions) {
    this.#options = options;
  }

  now(): string {
    return this.#options.clock.now().toISOString();
  }

  id(prefix: string, bytes: number): string {
    return `${prefix}${Buffer.from(this.#options.random.bytes(bytes)).toString('hex').toUpperCase()}`;
  }

  isTaken(reference: string): boolean {
    return this.linkOf(reference) !== null || this.payouts.has(reference) || this.paymentsOf(reference).length > 0;
  }

  linkOf(reference: string): Link | null {
    return [...this.links.values()].find((link) => link.reference === reference) ?? null;
  }

  paymentsOf(reference: string): Payment[] {
    return [...this.payments.values()].filter((payment) => payment.reference === reference);
  }

  addLink(facts: Omit<Link, 'token' | 'createdAt'>): Link {
    const token = createHash('sha256').update(facts.reference).update(this.id('', 16)).digest('hex').slice(0, 32);
    const link = { ...facts, token, createdAt: this.now() };
    this.links.set(token, link);
    this.#options.onChange({ links: [link] });
    return link;
  }

  /** A customer gives a phone number: a new try to pay, whatever became of the ones before. */
  addPayment(
    reference: string,
    phone: string,
    asked: { readonly hundredths: number; readonly currency: string },
  ): Payment {
    const { switches } = this.#options;
    const isExchanged = asked.currency === 'USD' && switches.collects !== 'USD';
    const full = isExchanged ? exchanged(asked.hundredths, switches.rate) : asked.hundredths;
    const at = this.now();
    const payment: Payment = {
      id: this.id(`${reference}LCP`, 4),
      reference,
      phone,
      hundredths: switches.collectsHundredths ?? full,
      currency: isExchanged ? 'TZS' : asked.currency,
      exchange:
        isExchanged && switches.collects === 'TZS' ? { rate: switches.rate, sourceHundredths: asked.hundredths } : null,
      createdAt: at,
      updatedAt: at,
      status: 'PENDING',
      message: 'Your transaction is being processed',
    };
    this.payments.set(payment.id, payment);
    this.#options.onChange({ payments: [payment] });
    return payment;
  }

  /** Any status may follow any other: what must not happen in the world can be tried here. */
  become(payment: Payment, status: PaymentStatus, message = MESSAGES[status]): void {
    Object.assign(payment, { status, message, updatedAt: this.now() });
    const type = status === 'SUCCESS' ? 'PAYMENT RECEIVED' : status === 'FAILED' ? 'PAYMENT FAILED' : null;
    const { switches, clientId } = this.#options;
    const event =
      type === null ? null : this.#event(type, paymentEvent(type, payment, switches.webhookShape, clientId));
    this.#options.onChange({ payments: [payment], ...(event === null ? {} : { events: [event] }) });
    if (event !== null) this.#options.onEvent(event);
  }

  addPayout(facts: Omit<Payout, 'id' | 'createdAt' | 'updatedAt' | 'status'>): Payout {
    const at = this.now();
    const payout: Payout = { ...facts, id: this.id('PAY', 8), createdAt: at, updatedAt: at, status: 'AUTHORIZED' };
    this.payouts.set(payout.reference, payout);
    this.#options.onChange({ payouts: [payout] });
    return payout;
  }

  payoutBecomes(payout: Payout, status: PayoutStatus): void {
    Object.assign(payout, { status, updatedAt: this.now() });
    const type = PAYOUT_EVENTS[status] ?? null;
    const event = type === null ? null : this.#event(type, payoutEvent(type, payout));
    this.#options.onChange({ payouts: [payout], ...(event === null ? {} : { events: [event] }) });
    if (event !== null) this.#options.onEvent(event);
  }

  /** An event that nothing led to. */
  forge(payload: object): SandboxEvent {
    const event = this.#event('forged', payload);
    this.#options.onChange({ events: [event] });
    return event;
  }

  delivered(event: SandboxEvent): void {
    event.isDelivered = true;
    this.#options.onChange({ events: [event] });
  }

  /** Takes back what an earlier process kept. Nothing is told to anybody. */
  restore(change: Change): void {
    for (const link of change.links ?? []) this.links.set(link.token, link);
    for (const payment of change.payments ?? []) this.payments.set(payment.id, payment);
    for (const payout of change.payouts ?? []) this.payouts.set(payout.reference, payout);
    for (const event of change.events ?? []) this.events.set(event.id, event);
  }

  #event(type: string, payload: object): SandboxEvent {
    const event: SandboxEvent = { id: this.id('evt_', 8), type, payload, isDelivered: false };
    this.events.set(event.id, event);
    return event;
  }
}

const MESSAGES: Readonly<Record<PaymentStatus, string>> = {
  PENDING: 'Your transaction is being processed',
  PROCESSING: 'Your transaction is being processed',
  'ON-HOLD': 'The transaction is on hold',
  SUCCESS: 'success',
  SETTLED: 'success',
  FAILED: 'The customer did not confirm the payment',
  REFUNDED: 'The payment was returned to the customer',
  REVERSED: 'The payment was reversed',
};

const PAYOUT_EVENTS: Partial<Record<PayoutStatus, string>> = {
  SUCCESS: 'PAYOUT INITIATED',
  REFUNDED: 'PAYOUT REFUNDED',
  REVERSED: 'PAYOUT REVERSED',
};

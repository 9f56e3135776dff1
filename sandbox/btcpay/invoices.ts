import type { Books, Invoice, Method, Payment } from './books.ts';
import { satsFor } from './coin.ts';
import { paymentObject } from './objects.ts';
import { hexFrom } from './ids.ts';

export interface NewInvoice {
  readonly amountCents: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly confirmations: number;
  readonly expirationMinutes: number;
  readonly monitoringMinutes: number;
  readonly redirectUrl: string | null;
  readonly redirectsByItself: boolean;
}

export interface NewPayment {
  readonly sats: number;
  readonly method: Method;
  /** A watcher tells of the same output twice when it is given the id of a payment that is known. */
  readonly id?: string | undefined;
}

const ADDRESS: Readonly<Record<string, string>> = { regtest: 'bcrt1q', testnet: 'tb1q', mainnet: 'bc1q' };
const LIGHTNING: Readonly<Record<string, string>> = { regtest: 'lnbcrt', testnet: 'lntb', mainnet: 'lnbc' };

/**
 * Invoices and what happens to them. Nothing here waits, listens or sends: whoever drives it decides when a move happens.
 *
 * As BTCPay Server does: the rate is fixed when the invoice is made; a full payment after the end stays `Expired`, as
 * `PaidLate`; what is replaced while `Processing` goes back; `Settled` is not left by itself, whatever becomes of the payments.
 */
export class Invoices {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  create(asked: NewInvoice): Invoice {
    const books = this.#books;
    const { switches, random } = books.options;
    const created = books.now();
    const expiresAt = created + asked.expirationMinutes * 60;
    const invoice: Invoice = {
      id: books.id(),
      created,
      expiresAt,
      monitoredUntil: expiresAt + asked.monitoringMinutes * 60,
      amountCents: switches.wrong.amountCents ?? asked.amountCents,
      currency: switches.wrong.currency ?? asked.currency,
      metadata: asked.metadata,
      confirmations: asked.confirmations,
      redirectUrl: asked.redirectUrl,
      redirectsByItself: asked.redirectsByItself,
      rateCents: switches.rateCents,
      destinations: {
        'BTC-CHAIN': `${ADDRESS[switches.chain]}${hexFrom(random, 16)}`,
        'BTC-LN': `${LIGHTNING[switches.chain]}${hexFrom(random, 24)}`,
      },
      networkFeeSats: switches.networkFeeSats,
      status: 'New',
      additional: 'None',
      archived: false,
    };
    books.invoices.set(invoice.id, invoice);
    books.emitOf(invoice, 'InvoiceCreated');
    books.commit({ invoices: [invoice] });
    return invoice;
  }

  /** What has to be paid, the network fee of the next payment included. */
  dueOf(invoice: Invoice): number {
    const counted = this.#counted(invoice);
    return this.totalOf(invoice) + (counted.length + 1) * invoice.networkFeeSats - sum(counted.map((it) => it.sats));
  }

  /** The invoice's own amount in coins, without fees. */
  totalOf(invoice: Invoice): number {
    return satsFor(invoice.amountCents, invoice.rateCents);
  }

  /** Somebody sends coins to the invoice, at any time: whoever has the address can. Null: nobody watches it any more. */
  pay(invoice: Invoice, asked: NewPayment): Payment | null {
    const books = this.#books;
    this.tick();
    if (books.now() > invoice.monitoredUntil) return null;
    const known = asked.id === undefined ? undefined : books.payments.get(asked.id);
    if (known !== undefined) return known;
    const transaction = hexFrom(books.options.random, 32);
    const isOnChain = asked.method === 'BTC-CHAIN';
    const payment: Payment = {
      id: asked.id ?? (isOnChain ? `${transaction}-0` : transaction),
      invoiceId: invoice.id,
      method: asked.method,
      sats: asked.sats,
      feeSats: isOnChain ? invoice.networkFeeSats : 0,
      receivedAt: books.now(),
      isLate: books.now() > invoice.expiresAt,
      confirmations: 0,
      status: isOnChain && invoice.confirmations > 0 ? 'Processing' : 'Settled',
    };
    books.payments.set(payment.id, payment);
    this.#tell('InvoiceReceivedPayment', invoice, payment);
    if (payment.status === 'Settled') this.#tell('InvoicePaymentSettled', invoice, payment);
    this.#follow(invoice);
    this.#commit(invoice);
    return payment;
  }

  /** Blocks are found upon the one that holds the payment. */
  confirm(payment: Payment, blocks = 6): void {
    const invoice = this.#invoiceOf(payment);
    if (payment.status === 'Invalid') return;
    payment.confirmations += blocks;
    if (payment.status === 'Processing' && payment.confirmations >= invoice.confirmations) {
      payment.status = 'Settled';
      this.#tell('InvoicePaymentSettled', invoice, payment);
    }
    this.#follow(invoice);
    this.#commit(invoice);
  }

  /** The coins were spent elsewhere, or the block that held them is gone: this payment never was. No event tells of it. */
  revert(payment: Payment): void {
    const invoice = this.#invoiceOf(payment);
    payment.status = 'Invalid';
    payment.confirmations = 0;
    this.#follow(invoice);
    this.#commit(invoice);
  }

  /** Blocks are lost, and the transaction waits to be taken into another one. */
  reorganise(payment: Payment): void {
    payment.status = 'Processing';
    payment.confirmations = 0;
    this.#commit(this.#invoiceOf(payment));
  }

  /** The merchant decides by hand. */
  mark(invoice: Invoice, status: 'Settled' | 'Invalid'): boolean {
    if (!this.markable(invoice).includes(status)) return false;
    invoice.status = status;
    invoice.additional = 'Marked';
    const facts = { manuallyMarked: true };
    this.#books.emitOf(
      invoice,
      status === 'Settled' ? 'InvoiceSettled' : 'InvoiceInvalid',
      status === 'Settled' ? { ...facts, overPaid: false } : facts,
    );
    this.#commit(invoice);
    return true;
  }

  markable(invoice: Invoice): ('Settled' | 'Invalid')[] {
    const { status, additional } = invoice;
    const canSettle = status !== 'Settled' && (status !== 'Expired' || additional !== 'None');
    const canInvalidate = status !== 'Invalid';
    return [...(canSettle ? (['Settled'] as const) : []), ...(canInvalidate ? (['Invalid'] as const) : [])];
  }

  archive(invoice: Invoice, archived: boolean): void {
    invoice.archived = archived;
    this.#commit(invoice);
  }

  /** Closes what has run out. Called before every move and every reading. */
  tick(): void {
    const now = this.#books.now();
    for (const invoice of this.#books.invoices.values()) {
      if (invoice.status === 'New' && invoice.expiresAt <= now) this.expire(invoice);
      if (invoice.status === 'Processing' && invoice.monitoredUntil <= now) this.invalidate(invoice);
    }
  }

  expire(invoice: Invoice): boolean {
    if (invoice.status !== 'New') return false;
    invoice.status = 'Expired';
    const isPartial = invoice.additional === 'PaidPartial';
    this.#books.emitOf(invoice, 'InvoiceExpired', { partiallyPaid: isPartial });
    if (isPartial) this.#books.emitOf(invoice, 'InvoiceExpiredPaidPartial');
    this.#commit(invoice);
    return true;
  }

  /** It was never confirmed while somebody looked. */
  invalidate(invoice: Invoice): boolean {
    if (invoice.status !== 'Processing') return false;
    invoice.status = 'Invalid';
    this.#books.emitOf(invoice, 'InvoiceInvalid', { manuallyMarked: false });
    this.#commit(invoice);
    return true;
  }

  #follow(invoice: Invoice): void {
    if (invoice.additional === 'Marked' || invoice.status === 'Invalid') return;
    const counted = this.#counted(invoice);
    const paid = sum(counted.map((payment) => payment.sats - payment.feeSats));
    const isFull = counted.length > 0 && paid >= this.totalOf(invoice);
    const overPaid = paid > this.totalOf(invoice);
    if (invoice.status === 'Processing' && !isFull) {
      invoice.status = this.#books.now() > invoice.expiresAt ? 'Expired' : 'New';
      invoice.additional = paid > 0 ? 'PaidPartial' : 'None';
    } else if (invoice.status === 'Expired') {
      this.#followLate(invoice, isFull, paid > 0);
    } else if (invoice.status === 'Settled') {
      if (overPaid) invoice.additional = 'PaidOver';
    } else if (isFull) {
      if (invoice.status === 'New') this.#books.emitOf(invoice, 'InvoiceProcessing', { overPaid });
      invoice.status = 'Processing';
      invoice.additional = overPaid ? 'PaidOver' : 'None';
      if (counted.every((payment) => payment.status === 'Settled')) {
        invoice.status = 'Settled';
        this.#books.emitOf(invoice, 'InvoiceSettled', { manuallyMarked: false, overPaid });
      }
    } else {
      invoice.additional = paid > 0 ? 'PaidPartial' : 'None';
    }
  }

  #followLate(invoice: Invoice, isFull: boolean, isPartial: boolean): void {
    if (isFull && invoice.additional !== 'PaidLate') {
      invoice.additional = 'PaidLate';
      this.#books.emitOf(invoice, 'InvoicePaidAfterExpiration');
    } else if (!isFull) {
      invoice.additional = isPartial ? 'PaidPartial' : 'None';
    }
  }

  #tell(type: string, invoice: Invoice, payment: Payment): void {
    this.#books.emitOf(invoice, type, {
      afterExpiration: payment.isLate,
      paymentMethodId: payment.method,
      payment: paymentObject(invoice, payment),
      overPaid: false,
    });
  }

  #counted(invoice: Invoice): Payment[] {
    return this.#books.paymentsOf(invoice).filter((payment) => payment.status !== 'Invalid');
  }

  #invoiceOf(payment: Payment): Invoice {
    const invoice = this.#books.invoices.get(payment.invoiceId);
    if (invoice === undefined) throw new Error('a payment belongs to an invoice');
    return invoice;
  }

  #commit(invoice: Invoice): void {
    this.#books.commit({ invoices: [invoice], payments: this.#books.paymentsOf(invoice) });
  }
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

import { forgetful, type Keeper } from '../keeper.ts';
import type { SandboxClock, SandboxRandom } from '../ports.ts';
import { GreenfieldApi } from './api.ts';
import { Books, type Change, type Invoice, type Method, type Payment, type Payout, type PullPayment } from './books.ts';
import { Deliveries, RETRY_DELAYS_MS, type Delivery, type Signing } from './deliveries.ts';
import { Invoices } from './invoices.ts';
import { Refunds, type ClaimRefusal } from './refunds.ts';
import { CALM, switchesSchema, type SwitchChanges, type Switches } from './switches.ts';

export interface SandboxOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  /** The only key the API accepts. */
  readonly apiKey: string;
  readonly storeId: string;
  /** Where events go; absent: nowhere until the switches say so. */
  readonly webhookUrl?: string | null;
  readonly webhookSecret?: string;
  readonly retryDelaysMs?: readonly number[];
  readonly fetch?: typeof fetch;
  /** Absent: what it holds is gone with the process. */
  readonly keeper?: Keeper<Change>;
}

export interface ForgedEvent extends Signing {
  readonly type: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly copies?: number | undefined;
}

export interface Journal {
  readonly invoices: readonly Invoice[];
  readonly payments: readonly Payment[];
  readonly pullPayments: readonly PullPayment[];
  readonly payouts: readonly Payout[];
  readonly events: readonly object[];
  readonly deliveries: readonly Delivery[];
  readonly requests: readonly JournalRequest[];
}

export interface JournalRequest {
  readonly method: string;
  readonly path: string;
  status: number | null;
  fault: string | null;
}

/** A whole simulated BTCPay Server without a network of its own: books, API, deliveries and the switches between them. */
export class BtcpaySandbox {
  readonly switches: Switches;
  readonly books: Books;
  readonly invoices: Invoices;
  readonly refunds: Refunds;
  readonly api: GreenfieldApi;
  readonly deliveries: Deliveries;
  readonly requests: JournalRequest[] = [];
  /** Set by whoever listens; the checkout and claim pages live there. */
  publicUrl = 'http://btcpay-sandbox.invalid';
  readonly #options: SandboxOptions;
  readonly #closing = new AbortController();

  constructor(options: SandboxOptions) {
    this.#options = options;
    const { clock, random, storeId, apiKey, keeper = forgetful } = options;
    this.switches = this.#calm();
    this.deliveries = new Deliveries({
      clock,
      random,
      switches: this.switches,
      fetch: options.fetch ?? fetch,
      retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
      onDelivered: (event) => this.books.delivered(event),
    });
    this.books = new Books({
      clock,
      random,
      switches: this.switches,
      storeId,
      publicUrl: () => this.publicUrl,
      onEvent: (event) => this.deliveries.send(event),
      onChange: (change) => keeper.append(change),
    });
    this.invoices = new Invoices(this.books);
    this.refunds = new Refunds(this.books);
    const { books, invoices, refunds, deliveries } = this;
    this.api = new GreenfieldApi({ books, invoices, refunds, deliveries, apiKey });
    for (const change of keeper.read()) this.books.restore(change);
  }

  /** Goes on where an earlier process ended: what no endpoint took is sent, what waits for blocks or a payout gets them. */
  resume(): void {
    for (const event of this.books.events.values()) if (!event.isDelivered) this.deliveries.send(event, {}, 1);
    for (const payment of this.books.payments.values())
      if (payment.status === 'Processing') this.#confirmLater(payment);
    for (const payout of this.books.payouts.values()) if (payout.state === 'AwaitingPayment') this.#payOutLater(payout);
  }

  /** Changes some switches and leaves the others. Throws ZodError for what is not a switch. */
  turn(changes: SwitchChanges): Switches {
    return Object.assign(this.switches, switchesSchema.partial().parse(changes));
  }

  /** All switches as they were at the start. */
  calm(): Switches {
    return Object.assign(this.switches, this.#calm());
  }

  /** Somebody pays; the blocks come by themselves after `confirmAfterMs`, unless `confirms` is false. */
  pay(invoice: Invoice, { sats, method = 'BTC-CHAIN', confirms = true, id }: PayOptions = {}): Payment | null {
    const due = this.invoices.dueOf(invoice);
    const asked = due > 0 ? due : this.invoices.totalOf(invoice);
    const payment = this.invoices.pay(invoice, { sats: sats ?? asked, method, id });
    if (payment !== null && confirms) this.#confirmLater(payment);
    return payment;
  }

  /** The customer claims; the payout follows by itself after `payOutAfterMs`. */
  claim(
    pullPayment: PullPayment,
    claim: { readonly destination: string; readonly amount?: number },
  ): Payout | ClaimRefusal {
    const { destination, amount = null } = claim;
    const payout = this.refunds.claim(pullPayment, { destination, amount, method: 'BTC-CHAIN' });
    if (typeof payout !== 'string') this.#payOutLater(payout);
    return payout;
  }

  /** Signs and sends any event: an authentic delivery of something that may never have happened. Returns its id. */
  forge(event: ForgedEvent): string {
    const facts = { storeId: this.books.storeId, ...event.facts };
    const made = this.books.emit(event.type, facts, (it) => this.deliveries.send(it, event, event.copies));
    this.books.commit({});
    return made.id;
  }

  /** Sends an event again, as the merchant can. */
  resend(eventId: string, signing: Signing & { readonly copies?: number | undefined } = {}): boolean {
    const event = this.books.events.get(eventId);
    if (event === undefined) return false;
    this.deliveries.send(event, signing, signing.copies ?? 1);
    return true;
  }

  journal(): Journal {
    const { invoices, payments, pullPayments, payouts, events } = this.books;
    return {
      invoices: [...invoices.values()],
      payments: [...payments.values()],
      pullPayments: [...pullPayments.values()],
      payouts: [...payouts.values()],
      events: [...events.values()].map(({ id, type, created, facts }) => ({ id, type, created, ...facts })),
      deliveries: this.deliveries.all,
      requests: this.requests,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.deliveries.close();
  }

  #confirmLater(payment: Payment): void {
    this.#later(this.switches.confirmAfterMs, () => this.invoices.confirm(payment));
  }

  #payOutLater(payout: Payout): void {
    this.#later(this.switches.payOutAfterMs, () => this.refunds.move(payout, 'Completed'));
  }

  #later(afterMs: number | null, move: () => void): void {
    if (afterMs === null) return;
    const { signal } = this.#closing;
    void this.#options.clock.sleep(afterMs, signal).then(() => {
      if (!signal.aborted) move();
      return null;
    });
  }

  #calm(): Switches {
    const { webhookUrl = null, webhookSecret = '' } = this.#options;
    return { ...CALM, wrong: {}, faults: [], webhookUrl, webhookSecret };
  }
}

export interface PayOptions {
  /** Absent: all that is due; where nothing is, the whole amount once more. */
  readonly sats?: number | undefined;
  readonly method?: Method | undefined;
  readonly confirms?: boolean | undefined;
  readonly id?: string | undefined;
}

import { Deliveries, RETRY_DELAYS_MS, type Delivery } from '../deliveries.ts';
import { forgetful, type Keeper } from '../keeper.ts';
import type { SandboxClock, SandboxRandom } from '../ports.ts';
import { ClickPesaApi } from './api.ts';
import { canonicalChecksum, legacyChecksum } from './checksum.ts';
import {
  ClickPesaState,
  type Change,
  type Payment,
  type PaymentStatus,
  type Payout,
  type PayoutStatus,
  type SandboxEvent,
} from './state.ts';
import { CALM, switchesSchema, type SwitchChanges, type Switches } from './switches.ts';

export interface SandboxOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly clientId: string;
  readonly apiKey: string;
  readonly checksumKey: string;
  /** Where events go; absent: nowhere until the switches say so. */
  readonly webhookUrl?: string | null;
  /** Where the result page leads: one address for all, as in the real dashboard. */
  readonly returnUrl?: string | null;
  readonly retryDelaysMs?: readonly number[];
  readonly fetch?: typeof fetch;
  /** Absent: what it holds is gone with the process. */
  readonly keeper?: Keeper<Change>;
}

/** A delivery that is not made as ClickPesa makes it. */
export interface Signing {
  readonly key?: string | undefined;
  readonly checksum?: Switches['webhookChecksum'] | undefined;
}

export interface JournalRequest {
  readonly method: string;
  readonly path: string;
  status: number | null;
  fault: string | null;
}

export interface Journal {
  readonly links: readonly object[];
  readonly payments: readonly object[];
  readonly payouts: readonly object[];
  readonly events: readonly object[];
  readonly deliveries: readonly Delivery[];
  readonly requests: readonly JournalRequest[];
}

/** The way of a payment from the phone to the money, as far as the world lets it go. */
const WAY: readonly PaymentStatus[] = ['PENDING', 'PROCESSING', 'SUCCESS', 'SETTLED'];

/** A whole simulated ClickPesa without a network of its own. */
export class ClickPesaSandbox {
  readonly switches: Switches;
  readonly state: ClickPesaState;
  readonly api: ClickPesaApi;
  readonly deliveries: Deliveries<SandboxEvent, Signing>;
  readonly requests: JournalRequest[] = [];
  /** Set by whoever listens; the checkout page lives there. */
  publicUrl = 'http://clickpesa-sandbox.invalid';
  readonly #options: SandboxOptions;
  readonly #closing = new AbortController();

  constructor(options: SandboxOptions) {
    this.#options = options;
    const { clock, random, clientId, apiKey, checksumKey, keeper = forgetful } = options;
    this.switches = this.#calm();
    this.deliveries = new Deliveries<SandboxEvent, Signing>({
      clock,
      random,
      switches: this.switches,
      fetch: options.fetch ?? fetch,
      retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
      toRequest: (event, signing) => this.#toRequest(event, signing),
      onDelivered: (event) => this.state.delivered(event),
    });
    this.state = new ClickPesaState({
      clock,
      random,
      switches: this.switches,
      clientId,
      onEvent: (event) => this.deliveries.send(event),
      onChange: (change) => keeper.append(change),
    });
    this.api = new ClickPesaApi({
      state: this.state,
      switches: this.switches,
      clock,
      random,
      clientId,
      apiKey,
      checksumKey,
      publicUrl: () => this.publicUrl,
      onPayout: (payout) => this.#endLater(payout),
    });
    for (const change of keeper.read()) this.state.restore(change);
  }

  /** Goes on where an earlier process ended: what no endpoint took is sent, what was under way ends. */
  resume(): void {
    for (const event of this.state.events.values()) if (!event.isDelivered) this.deliveries.send(event, undefined, 1);
    for (const payment of this.state.payments.values()) if (payment.status === 'PROCESSING') this.#settleLater(payment);
    for (const payout of this.state.payouts.values()) if (payout.status === 'AUTHORIZED') this.#endLater(payout);
  }

  /** Changes some switches and leaves the others. Throws ZodError for what is not a switch. */
  turn(changes: SwitchChanges): Switches {
    return Object.assign(this.switches, switchesSchema.partial().parse(changes));
  }

  /** All switches as they were at the start. */
  calm(): Switches {
    return Object.assign(this.switches, this.#calm());
  }

  /** A customer gives a number on the page of a link. Null: there is no such link. */
  start(reference: string, phone = '255712000001'): Payment | null {
    const link = this.state.linkOf(reference);
    return link === null ? null : this.state.addPayment(reference, phone, link);
  }

  /** The customer confirms on the phone; the money comes by itself after `settleAfterMs`. */
  approve(payment: Payment): void {
    if (payment.status !== 'PENDING') return;
    this.state.become(payment, 'PROCESSING');
    this.#settleLater(payment);
  }

  /** Pays a link at once and goes all the way to a status. Null: there is no such link. */
  pay(reference: string, status: PaymentStatus = 'SUCCESS', phone?: string): Payment | null {
    const payment = this.start(reference, phone);
    if (payment === null) return null;
    const way = WAY.includes(status) ? WAY.slice(1, WAY.indexOf(status) + 1) : [status];
    for (const step of way) this.state.become(payment, step);
    return payment;
  }

  become(paymentId: string, status: PaymentStatus): boolean {
    const payment = this.state.payments.get(paymentId);
    if (payment === undefined) return false;
    this.state.become(payment, status);
    return true;
  }

  payoutBecomes(reference: string, status: PayoutStatus): boolean {
    const payout = this.state.payouts.get(reference);
    if (payout === undefined) return false;
    this.state.payoutBecomes(payout, status);
    return true;
  }

  /** Sends anything at all, with a checksum that fits it. */
  forge(payload: object, signing?: Signing, copies?: number): string {
    const event = this.state.forge(payload);
    this.deliveries.send(event, signing, copies);
    return event.id;
  }

  resend(eventId: string, signing?: Signing, copies = 1): boolean {
    const event = this.state.events.get(eventId);
    if (event === undefined) return false;
    this.deliveries.send(event, signing, copies);
    return true;
  }

  journal(): Journal {
    const { links, payments, payouts, events } = this.state;
    return {
      links: [...links.values()],
      payments: [...payments.values()],
      payouts: [...payouts.values()],
      events: [...events.values()],
      deliveries: this.deliveries.all,
      requests: this.requests,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.deliveries.close();
  }

  /** The text is written once: the checksum must fit exactly these bytes' content. */
  #toRequest({ payload }: SandboxEvent, signing: Signing | undefined) {
    const key = signing?.key ?? this.#options.checksumKey;
    const method = signing?.checksum ?? this.switches.webhookChecksum;
    const sealed =
      method === 'none'
        ? payload
        : method === 'canonical'
          ? { ...payload, checksum: canonicalChecksum(key, payload), checksumMethod: 'canonical' }
          : { ...payload, checksum: legacyChecksum(key, payload), checksumMethod: 'legacy' };
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(sealed) };
  }

  #settleLater(payment: Payment): void {
    this.#later(() => {
      if (payment.status === 'PROCESSING') this.state.become(payment, 'SUCCESS');
    });
  }

  #endLater(payout: Payout): void {
    this.#later(() => {
      if (payout.status === 'AUTHORIZED') this.state.payoutBecomes(payout, 'SUCCESS');
    });
  }

  #later(move: () => void): void {
    const { signal } = this.#closing;
    void this.#options.clock.sleep(this.switches.settleAfterMs, signal).then(() => {
      if (!signal.aborted) move();
      return null;
    });
  }

  #calm(): Switches {
    return { ...CALM, faults: [], webhookUrl: this.#options.webhookUrl ?? null };
  }
}

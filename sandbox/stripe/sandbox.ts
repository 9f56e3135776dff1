import type { z } from 'zod';
import { StripeApi } from './api.ts';
import { CardVault, type Behaviour, type TestCardName } from './cards.ts';
import { RETRY_DELAYS_MS, type Delivery } from '../deliveries.ts';
import { forgetful } from '../keeper.ts';
import { stripeDeliveries, type Signing, type StripeDeliveries } from './deliveries.ts';
import type { Keeper } from './keeper.ts';
import { chargeObject, customerObject, intentObject, methodObject, sessionObject } from './objects.ts';
import type { SandboxClock, SandboxRandom } from './ports.ts';
import type { EventOverrides, Intent, Outcome, Session } from './records.ts';
import { disputeObject } from './disputes.ts';
import { endRefund, openRefund, refundObject, type openRefundSchema, type Refund } from './refunds.ts';
import { StripeState } from './state.ts';
import { CALM, switchesSchema, type SwitchChanges, type Switches } from './switches.ts';

export interface SandboxOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  /** The only key the API accepts. */
  readonly secretKey: string;
  /** Where events go; absent: nowhere until the switches say so. */
  readonly webhookUrl?: string | null;
  readonly webhookSecret?: string;
  readonly accountId?: string;
  readonly retryDelaysMs?: readonly number[];
  readonly fetch?: typeof fetch;
  /** Absent: what it holds is gone with the process. */
  readonly keeper?: Keeper;
}

export interface ForgedEvent extends EventOverrides, Signing {
  readonly type: string;
  /** What the event is about: one we hold, by its id … */
  readonly about?: string | undefined;
  /** … or any object at all. */
  readonly object?: object | undefined;
  readonly copies?: number | undefined;
}

export interface Journal {
  readonly sessions: readonly object[];
  readonly payment_intents: readonly object[];
  readonly charges: readonly object[];
  readonly customers: readonly object[];
  readonly payment_methods: readonly object[];
  readonly refunds: readonly object[];
  readonly disputes: readonly object[];
  readonly events: readonly object[];
  readonly deliveries: readonly Delivery[];
  readonly requests: readonly JournalRequest[];
}

export interface JournalRequest {
  readonly method: string;
  readonly path: string;
  readonly idempotencyKey: string | null;
  status: number | null;
  fault: string | null;
}

/** A whole simulated Stripe without a network of its own: state, API, deliveries and the switches between them. */
export class StripeSandbox {
  readonly switches: Switches;
  readonly state: StripeState;
  readonly vault: CardVault;
  readonly api: StripeApi;
  readonly deliveries: StripeDeliveries;
  readonly requests: JournalRequest[] = [];
  /** Set by whoever listens; the checkout page lives there. */
  publicUrl = 'http://stripe-sandbox.invalid';
  readonly #options: SandboxOptions;
  readonly #closing = new AbortController();

  constructor(options: SandboxOptions) {
    this.#options = options;
    const { clock, random, secretKey, keeper = forgetful } = options;
    this.switches = this.#calm();
    this.deliveries = stripeDeliveries({
      clock,
      random,
      switches: this.switches,
      fetch: options.fetch ?? fetch,
      retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
      onDelivered: (event) => this.state.delivered(event),
    });
    this.state = new StripeState({
      clock,
      random,
      switches: this.switches,
      accountId: options.accountId ?? 'acct_1SandboxHeroOnboard',
      publicUrl: () => this.publicUrl,
      onEvent: (event) => this.deliveries.send(event),
      onChange: (change) => keeper.append(change),
    });
    this.vault = new CardVault({
      state: this.state,
      onChange: (change) => keeper.append(change),
      onLater: (intent, isPaid) => this.#settleIntentLater(intent, isPaid),
    });
    this.api = new StripeApi({
      state: this.state,
      vault: this.vault,
      switches: this.switches,
      secretKey,
      onKey: (key) => keeper.append({ keys: [key] }),
      onRefund: (refund) => this.#endLater(refund),
    });
    this.#restore(keeper);
  }

  /**
   * Goes on where an earlier process ended: what no endpoint took is sent, what was to settle settles. Called once the
   * checkout page has its address.
   */
  resume(): void {
    this.state.readdress();
    for (const event of this.state.events.values()) if (!event.isDelivered) this.deliveries.send(event, {}, 1);
    for (const intent of this.state.intents.values()) {
      const behaviour = this.vault.methods.get(intent.paymentMethodId ?? '')?.behaviour;
      if (intent.sessionId === null && intent.status === 'processing')
        this.#settleIntentLater(intent, behaviour === 'pays-later');
    }
    for (const session of this.state.sessions.values()) {
      if (this.state.intentOf(session)?.status === 'processing') this.#settleLater(session);
    }
    for (const refund of this.state.refunds.values()) this.#endLater(refund);
  }

  /** Changes some switches and leaves the others. Throws ZodError for what is not a switch. */
  turn(changes: SwitchChanges): Switches {
    return Object.assign(this.switches, switchesSchema.partial().parse(changes));
  }

  /** All switches as they were at the start. */
  calm(): Switches {
    return Object.assign(this.switches, this.#calm());
  }

  /** What a customer does with a session; a delayed payment settles by itself after `settleAfterMs`. */
  complete(sessionId: string, outcome: Outcome, card: TestCardName = 'visa'): 'done' | 'not_open' | 'unknown' {
    const session = this.state.sessions.get(sessionId);
    if (session === undefined) return 'unknown';
    if (session.mode === 'setup') return outcome === 'paid' ? this.vault.completeSetup(session, card) : 'done';
    const done = this.state.customer(session, outcome);
    if (done === 'done' && outcome === 'paid') this.vault.paidWith(session, card);
    if (done === 'done') this.#settleLater(session);
    return done;
  }

  /** Changes what a saved card does from now on. */
  turnCard(methodId: string, behaviour: Behaviour): 'done' | 'unknown' {
    const method = this.vault.methods.get(methodId);
    if (method === undefined) return 'unknown';
    method.behaviour = behaviour;
    return 'done';
  }

  /** Ends a delayed charge of a saved card now. */
  settleIntent(intentId: string, isPaid: boolean): 'done' | 'not_processing' | 'unknown' {
    const intent = this.state.intents.get(intentId);
    return intent === undefined || intent.sessionId !== null ? 'unknown' : this.vault.settle(intent, isPaid);
  }

  settle(sessionId: string, isPaid: boolean): 'done' | 'not_processing' | 'unknown' {
    const session = this.state.sessions.get(sessionId);
    return session === undefined ? 'unknown' : this.state.settle(session, isPaid);
  }

  expire(sessionId: string): 'done' | 'not_open' | 'unknown' {
    const session = this.state.sessions.get(sessionId);
    return session === undefined ? 'unknown' : this.state.expire(session);
  }

  /** Somebody refunds in the dashboard. Null: there is no such charge. Throws ApiError as the API refuses. */
  refund(asked: z.input<typeof openRefundSchema>): Refund | null {
    const refund = openRefund(this.state, this.switches, asked);
    if (refund !== null) this.#endLater(refund);
    return refund;
  }

  endRefund(id: string, ending: Parameters<typeof endRefund>[2]): 'done' | 'ended' | 'unknown' {
    const refund = this.state.refunds.get(id);
    return refund === undefined ? 'unknown' : endRefund(this.state, refund, ending);
  }

  /** Signs and sends any event: an authentic delivery of something that may never have happened. Null: `about` is unknown. */
  forge(event: ForgedEvent): string | null {
    const object = event.object ?? (event.about === undefined ? {} : this.#objectById(event.about));
    if (object === null) return null;
    return this.state.emit(event.type, object, event, (made) => {
      this.deliveries.send(made, event, event.copies);
    }).id;
  }

  /** Sends an event again, as Stripe's dashboard can. */
  resend(eventId: string, signing: Signing & { readonly copies?: number | undefined } = {}): boolean {
    const event = this.state.events.get(eventId);
    if (event === undefined) return false;
    this.deliveries.send(event, signing, signing.copies ?? 1);
    return true;
  }

  journal(): Journal {
    const { sessions, intents, charges, refunds, disputes, events } = this.state;
    return {
      sessions: [...sessions.values()].map(sessionObject),
      payment_intents: [...intents.values()].map(intentObject),
      charges: [...charges.values()].map(chargeObject),
      customers: [...this.vault.customers.values()].map(customerObject),
      payment_methods: [...this.vault.methods.values()].map(methodObject),
      refunds: [...refunds.values()].map(refundObject),
      disputes: [...disputes.values()].map(disputeObject),
      events: [...events.values()].map((event) => JSON.parse(event.payload) as object),
      deliveries: this.deliveries.all,
      requests: this.requests,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.deliveries.close();
  }

  #settleLater(session: Session): void {
    const { settlesAs } = session;
    if (settlesAs === null) return;
    const { signal } = this.#closing;
    void this.#options.clock.sleep(this.switches.settleAfterMs, signal).then(() => {
      if (!signal.aborted) this.state.settle(session, settlesAs === 'paid');
      return null;
    });
  }

  #endLater(refund: Refund): void {
    const { endsAs } = refund;
    if (endsAs === null) return;
    const { signal } = this.#closing;
    void this.#options.clock.sleep(this.switches.settleAfterMs, signal).then(() => {
      if (!signal.aborted) endRefund(this.state, refund, { status: endsAs });
      return null;
    });
  }

  #settleIntentLater(intent: Intent, isPaid: boolean): void {
    const { signal } = this.#closing;
    void this.#options.clock.sleep(this.switches.settleAfterMs, signal).then(() => {
      if (!signal.aborted) this.vault.settle(intent, isPaid);
      return null;
    });
  }

  #restore(keeper: Keeper): void {
    for (const change of keeper.read()) {
      this.state.restore(change);
      this.vault.restore(change);
      for (const key of change.keys ?? []) this.api.restore(key);
    }
  }

  #objectById(id: string): object | null {
    const { sessions, intents, charges } = this.state;
    const session = sessions.get(id);
    if (session !== undefined) return sessionObject(session);
    const intent = intents.get(id);
    if (intent !== undefined) return intentObject(intent);
    const charge = charges.get(id);
    if (charge !== undefined) return chargeObject(charge);
    const refund = this.state.refunds.get(id);
    if (refund !== undefined) return refundObject(refund);
    const dispute = this.state.disputes.get(id);
    return dispute === undefined ? null : disputeObject(dispute);
  }

  #calm(): Switches {
    const { webhookUrl = null, webhookSecret = '' } = this.#options;
    return { ...CALM, wrong: {}, faults: [], webhookUrl, webhookSecret };
  }
}

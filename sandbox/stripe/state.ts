import { chargeObject, eventObject, intentObject, sessionObject } from './objects.ts';
import { idFrom, unixSeconds, type SandboxClock, type SandboxRandom } from './ports.ts';
import type { Change } from './keeper.ts';
import type { Charge, EventOverrides, Intent, NewSession, Outcome, SandboxEvent, Session } from './records.ts';
import { DECLINED } from './records.ts';
import type { Payout } from './balance.ts';
import type { Dispute } from './disputes.ts';
import type { Refund } from './refunds.ts';
import type { Switches } from './switches.ts';

export interface StateOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly switches: Switches;
  readonly accountId: string;
  /** Where the checkout page is; asked when a session is made, because the port is known late. */
  readonly publicUrl: () => string;
  /** Told of each event once, in the order in which the events happened. */
  readonly onEvent: (event: SandboxEvent) => void;
  /** Told of what each move changed, once the move is complete. */
  readonly onChange: (change: Change) => void;
}

const DAY_SECONDS = 86_400;
/** What files that were kept before there were customers do not say. */
const WITHOUT_CARD = { mode: 'payment', customerId: null, savesCard: false, setupIntentId: null } as const;
const INTENT_WITHOUT_CARD = { customerId: null, savesCard: false, paymentMethodId: null, decline: null } as const;

/**
 * What the simulated Stripe knows and the moves it can make. Nothing here waits, listens or sends: whoever drives it
 * (an HTTP server, or a simulation in the same process) decides when a move happens.
 *
 * Invariants: a session is paid at most once; a paid session has exactly one intent and one charge; `open` is the
 * only state that a customer can leave; events are only added.
 */
export class StripeState {
  readonly accountId: string;
  readonly sessions = new Map<string, Session>();
  readonly intents = new Map<string, Intent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly disputes = new Map<string, Dispute>();
  readonly payouts = new Map<string, Payout>();
  readonly events = new Map<string, SandboxEvent>();
  readonly #options: StateOptions;
  /** Events of the move that is under way. */
  #happened: SandboxEvent[] = [];

  constructor(options: StateOptions) {
    this.#options = options;
    this.accountId = options.accountId;
  }

  id(prefix: string, length: number): string {
    return idFrom(this.#options.random, prefix, length);
  }

  now(): number {
    return unixSeconds(this.#options.clock.now());
  }

  createSession(order: NewSession): Session {
    const { switches } = this.#options;
    const id = this.id('cs_test_a1', 56);
    const { expiresAt, ...rest } = order;
    const session: Session = {
      ...rest,
      id,
      created: this.now(),
      expiresAt: expiresAt ?? this.now() + DAY_SECONDS,
      url: this.#pageUrl(id),
      setupIntentId: null,
      status: 'open',
      paymentStatus: order.mode === 'setup' ? 'no_payment_required' : 'unpaid',
      livemode: false,
      discount: Math.min(switches.discountCents, order.subtotal),
      tax: order.mode === 'setup' ? 0 : switches.taxCents,
      intentId: null,
      settlesAs: null,
    };
    this.sessions.set(id, session);
    this.#commit(session);
    return session;
  }

  /** What the customer does on the page. Does nothing (and says so) once the session is no longer open. */
  customer(session: Session, outcome: Outcome): 'done' | 'not_open' {
    this.expireDue();
    if (session.status !== 'open') return 'not_open';
    if (outcome === 'paid') this.#pay(session);
    else if (outcome === 'declined') this.#decline(session);
    else this.#startLater(session, outcome);
    this.#commit(session);
    return 'done';
  }

  /** The end of a delayed payment. */
  settle(session: Session, isPaid: boolean): 'done' | 'not_processing' {
    const intent = this.intentOf(session);
    if (intent?.status !== 'processing') return 'not_processing';
    if (isPaid) {
      this.#receive(session, intent);
      this.#sessionEvent('checkout.session.async_payment_succeeded', session);
    } else {
      intent.status = 'requires_payment_method';
      intent.decline = DECLINED;
      this.#emit('payment_intent.payment_failed', intentObject(intent));
      this.#sessionEvent('checkout.session.async_payment_failed', session);
    }
    this.#commit(session);
    return 'done';
  }

  expire(session: Session): 'done' | 'not_open' {
    if (session.status !== 'open') return 'not_open';
    session.status = 'expired';
    this.#sessionEvent('checkout.session.expired', session);
    this.#commit(session);
    return 'done';
  }

  /** Closes what has run out. Called before every move and every reading. */
  expireDue(): void {
    for (const session of this.sessions.values()) {
      if (session.status === 'open' && session.expiresAt <= this.now()) this.expire(session);
    }
  }

  intentOf(session: Session): Intent | null {
    return session.intentId === null ? null : (this.intents.get(session.intentId) ?? null);
  }

  /** Records an event about an object as it is now. `overrides` forge what Stripe would never say by itself. */
  emit(
    type: string,
    object: object,
    overrides: EventOverrides = {},
    onEvent: (event: SandboxEvent) => void = this.#options.onEvent,
  ): SandboxEvent {
    const event = this.#emit(type, object, overrides, onEvent);
    this.#commit(null);
    return event;
  }

  /** Money for an intent that no checkout page belongs to. */
  receive(intent: Intent): void {
    this.#receive(null, intent);
  }

  /** For moves that are made elsewhere: what they changed. */
  keepChange(change: Change): void {
    this.#options.onChange(change);
  }

  /** A move that was made from outside, on records of this state: kept, with the events that it made. */
  keep(session: Session | null): void {
    this.#commit(session);
  }

  /** The endpoint has taken the event. */
  delivered(event: SandboxEvent): void {
    event.isDelivered = true;
    this.#happened.push(event);
    this.#commit(null);
  }

  /** Takes back what an earlier process kept. Nothing is told to anybody. */
  restore(change: Change): void {
    for (const session of change.sessions ?? []) this.sessions.set(session.id, { ...WITHOUT_CARD, ...session });
    for (const intent of change.intents ?? []) this.intents.set(intent.id, { ...INTENT_WITHOUT_CARD, ...intent });
    for (const charge of change.charges ?? []) this.charges.set(charge.id, charge);
    for (const payout of change.payouts ?? []) this.payouts.set(payout.id, payout);
    for (const dispute of change.disputes ?? []) this.disputes.set(dispute.id, dispute);
    for (const refund of change.refunds ?? []) this.refunds.set(refund.id, refund);
    for (const event of change.events ?? []) this.events.set(event.id, event);
  }

  /** The checkout pages are where they are now. */
  readdress(): void {
    for (const session of this.sessions.values()) session.url = this.#pageUrl(session.id);
  }

  #pageUrl(id: string): string {
    return `${this.#options.publicUrl()}/c/pay/${id}`;
  }

  #commit(session: Session | null): void {
    const intents = [...this.intents.values()].filter((intent) => intent.sessionId === session?.id);
    const paid = new Set(intents.map((intent) => intent.id));
    this.#options.onChange({
      ...(session === null ? {} : { sessions: [session] }),
      ...(intents.length === 0 ? {} : { intents }),
      ...(paid.size === 0 ? {} : { charges: [...this.charges.values()].filter((charge) => paid.has(charge.intentId)) }),
      ...(this.#happened.length === 0 ? {} : { events: this.#happened }),
    });
    this.#happened = [];
  }

  #emit(
    type: string,
    object: object,
    overrides: EventOverrides = {},
    onEvent: (event: SandboxEvent) => void = this.#options.onEvent,
  ): SandboxEvent {
    const { wrong } = this.#options.switches;
    const facts = {
      id: overrides.id ?? this.id('evt_1', 23),
      type,
      created: overrides.created ?? this.now(),
      livemode: overrides.livemode ?? wrong.livemode ?? false,
      account: overrides.account ?? wrong.account ?? null,
      object,
    };
    const payload = JSON.stringify(eventObject(facts), null, 2);
    const event: SandboxEvent = { id: facts.id, type, created: facts.created, payload, isDelivered: false };
    this.events.set(event.id, event);
    this.#happened.push(event);
    onEvent(event);
    return event;
  }

  #pay(session: Session): void {
    this.#applyWrong(session);
    const intent = this.#intentFor(session);
    this.#receive(session, intent);
    session.status = 'complete';
    this.#sessionEvent('checkout.session.completed', session);
  }

  #startLater(session: Session, outcome: Outcome): void {
    session.settlesAs = outcome === 'later-succeeds' ? 'paid' : outcome === 'later-fails' ? 'failed' : null;
    this.#applyWrong(session);
    const intent = this.#intentFor(session);
    intent.status = 'processing';
    session.status = 'complete';
    this.#emit('payment_intent.processing', intentObject(intent));
    this.#sessionEvent('checkout.session.completed', session);
  }

  #decline(session: Session): void {
    const intent = this.#intentFor(session);
    intent.decline = DECLINED;
    // The session does not name its intent before it is complete.
    session.intentId = null;
    this.#emit('payment_intent.payment_failed', intentObject(intent));
  }

  #receive(session: Session | null, intent: Intent): void {
    const charge: Charge = {
      id: this.id('ch_3', 23),
      created: this.now(),
      intentId: intent.id,
      paymentMethodId: intent.paymentMethodId,
      metadata: intent.metadata,
      description: intent.description,
      amount: intent.amount,
      currency: intent.currency,
      livemode: intent.livemode,
    };
    this.charges.set(charge.id, charge);
    intent.status = 'succeeded';
    intent.amountReceived = intent.amount;
    intent.chargeId = charge.id;
    if (session !== null) session.paymentStatus = 'paid';
    this.#emit('charge.succeeded', chargeObject(charge));
    this.#emit('payment_intent.succeeded', intentObject(intent));
  }

  #intentFor(session: Session): Intent {
    const tried = [...this.intents.values()].find((intent) => intent.sessionId === session.id);
    const intent: Intent = tried ?? {
      id: this.id('pi_3', 23),
      created: this.now(),
      sessionId: session.id,
      customerId: session.customerId,
      savesCard: session.savesCard,
      paymentMethodId: null,
      metadata: session.intentMetadata,
      description: session.intentDescription,
      status: 'requires_payment_method',
      amount: 0,
      amountReceived: 0,
      currency: session.currency,
      livemode: session.livemode,
      chargeId: null,
      decline: null,
    };
    intent.amount = session.subtotal - session.discount + session.tax;
    intent.currency = session.currency;
    intent.livemode = session.livemode;
    intent.decline = null;
    session.intentId = intent.id;
    this.intents.set(intent.id, intent);
    return intent;
  }

  /** The switches that make Stripe take another amount, currency or mode than was asked for. */
  #applyWrong(session: Session): void {
    const { wrong } = this.#options.switches;
    session.subtotal = wrong.amountCents ?? session.subtotal;
    session.currency = wrong.currency ?? session.currency;
    session.livemode = wrong.livemode ?? session.livemode;
  }

  #sessionEvent(type: string, session: Session): void {
    this.#emit(type, sessionObject(session));
  }
}

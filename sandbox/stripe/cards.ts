import { ApiError, invalid, missing } from './api-error.ts';
import type { FormMap, FormValue } from './form.ts';
import { isMap } from './form.ts';
import type { Change } from './keeper.ts';
import { customerObject, intentObject, methodObject, sessionObject } from './objects.ts';
import type { Decline, Intent, Metadata, Session } from './records.ts';
import { DECLINED } from './records.ts';
import type { StripeState } from './state.ts';

export interface Customer {
  readonly id: string;
  readonly created: number;
  readonly metadata: Metadata;
}

/** What a saved card does when it is charged without its owner. */
export const BEHAVIOURS = ['pays', 'declines', 'no-funds', 'authenticate', 'pays-later', 'fails-later'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export interface PaymentMethod {
  readonly id: string;
  readonly created: number;
  readonly brand: string;
  readonly last4: string;
  /** Null: detached, for ever. */
  customerId: string | null;
  behaviour: Behaviour;
}

interface TestCard {
  readonly label: string;
  readonly brand: string;
  readonly last4: string;
  readonly behaviour: Behaviour;
}

/** The cards of the checkout page, by the name that a form says. All pay there; what they do later differs. */
export const TEST_CARDS = {
  visa: { label: 'Visa 4242: always pays', brand: 'visa', last4: '4242', behaviour: 'pays' },
  mastercard: { label: 'Mastercard 4444: always pays', brand: 'mastercard', last4: '4444', behaviour: 'pays' },
  authenticate: {
    label: 'Visa 3184: wants its owner each time',
    brand: 'visa',
    last4: '3184',
    behaviour: 'authenticate',
  },
  declines: { label: 'Visa 0341: declines once saved', brand: 'visa', last4: '0341', behaviour: 'declines' },
  'no-funds': { label: 'Visa 9995: empty once saved', brand: 'visa', last4: '9995', behaviour: 'no-funds' },
  'pays-later': {
    label: 'Visa 0077: once saved, pays after a while',
    brand: 'visa',
    last4: '0077',
    behaviour: 'pays-later',
  },
  'fails-later': {
    label: 'Visa 0002: once saved, fails after a while',
    brand: 'visa',
    last4: '0002',
    behaviour: 'fails-later',
  },
} as const satisfies Readonly<Record<string, TestCard>>;
export type TestCardName = keyof typeof TEST_CARDS;
export const TEST_CARD_NAMES = Object.keys(TEST_CARDS) as [TestCardName, ...TestCardName[]];

export const isTestCard = (name: string | null): name is TestCardName =>
  name !== null && Object.hasOwn(TEST_CARDS, name);

const DECLINES: Readonly<Partial<Record<Behaviour, Decline>>> = {
  declines: DECLINED,
  'no-funds': {
    code: 'card_declined',
    declineCode: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
  },
  authenticate: {
    code: 'authentication_required',
    declineCode: 'authentication_required',
    message: 'Your card was declined. This transaction requires authentication.',
  },
};

export interface VaultOptions {
  readonly state: StripeState;
  readonly onChange: (change: Change) => void;
  /** An intent was made whose money is decided later. */
  readonly onLater: (intent: Intent, isPaid: boolean) => void;
}

/**
 * Customers, the cards that are saved for them, and charges of a saved card without its owner.
 *
 * Invariants: a card belongs to one customer until it is detached, and to nobody afterwards; an intent that a card refused has
 * taken nothing and can be canceled; a canceled one takes nothing for ever.
 */
export class CardVault {
  readonly customers = new Map<string, Customer>();
  readonly methods = new Map<string, PaymentMethod>();
  readonly #options: VaultOptions;

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  restore(change: Change): void {
    for (const customer of change.customers ?? []) this.customers.set(customer.id, customer);
    for (const method of change.methods ?? []) this.methods.set(method.id, method);
  }

  /** What the customer paid with on the page; saved if the page was to. */
  paidWith(session: Session, name: TestCardName): void {
    const intent = this.#options.state.intentOf(session);
    const method = session.savesCard && session.customerId !== null ? this.#attach(session.customerId, name) : null;
    if (intent === null) return;
    intent.paymentMethodId = method?.id ?? this.#options.state.id('pm_1', 23);
    this.#options.state.keep(session);
  }

  /** The page that only saves a card. */
  completeSetup(session: Session, name: TestCardName): 'done' | 'not_open' {
    const { state } = this.#options;
    state.expireDue();
    if (session.status !== 'open' || session.customerId === null) return 'not_open';
    const method = this.#attach(session.customerId, name);
    session.status = 'complete';
    session.setupIntentId = state.id('seti_1', 23);
    state.emit('setup_intent.succeeded', this.#setupObject(session, method));
    state.emit('checkout.session.completed', sessionObject(session));
    state.keep(session);
    return 'done';
  }

  #attach(customerId: string, name: TestCardName): PaymentMethod {
    const { state, onChange } = this.#options;
    const { brand, last4, behaviour } = TEST_CARDS[name];
    const method: PaymentMethod = {
      id: state.id('pm_1', 23),
      created: state.now(),
      brand,
      last4,
      customerId,
      behaviour,
    };
    this.methods.set(method.id, method);
    onChange({ methods: [method] });
    state.emit('payment_method.attached', methodObject(method));
    return method;
  }

  /** One request of the API about customers and cards; null: it is about something else. */
  route(route: string, id: string, form: FormMap): object | null {
    switch (route) {
      case 'POST customers':
        return this.#createCustomer(form);
      case 'GET customers {id}':
        return customerObject(this.#customer(id, 'customer'));
      case 'GET customers {id} payment_methods':
        return this.#listMethods(this.#customer(id, 'customer'), form);
      case 'GET payment_methods {id}':
        return methodObject(this.#method(id, 'payment_method'));
      case 'POST payment_methods {id} detach':
        return this.#detach(this.#method(id, 'payment_method'));
      case 'POST payment_intents':
        return this.#createIntent(form);
      case 'POST payment_intents {id} cancel':
        return this.#cancel(id);
      default:
        return null;
    }
  }

  /** The end of an intent that was to be decided later. */
  settle(intent: Intent, isPaid: boolean): 'done' | 'not_processing' {
    if (intent.status !== 'processing') return 'not_processing';
    if (isPaid) this.#options.state.receive(intent);
    else this.#refuse(intent, DECLINED);
    this.#keep(intent);
    return 'done';
  }

  #createCustomer(form: FormMap): object {
    refuseOthers(form, ['metadata', 'name', 'email', 'description']);
    const { state, onChange } = this.#options;
    const customer = { id: state.id('cus_', 14), created: state.now(), metadata: metadataOf(form) };
    this.customers.set(customer.id, customer);
    onChange({ customers: [customer] });
    state.emit('customer.created', customerObject(customer));
    return customerObject(customer);
  }

  #listMethods(customer: Customer, form: FormMap): object {
    refuseOthers(form, ['type', 'limit', 'starting_after', 'ending_before', 'expand']);
    const own = [...this.methods.values()].filter((method) => method.customerId === customer.id).toReversed();
    const after = typeof form['starting_after'] === 'string' ? form['starting_after'] : null;
    const from = after === null ? 0 : own.findIndex((method) => method.id === after) + 1;
    const limit = Number(form['limit'] ?? '10');
    return {
      object: 'list',
      data: own.slice(from, from + limit).map(methodObject),
      has_more: from + limit < own.length,
      url: `/v1/customers/${customer.id}/payment_methods`,
    };
  }

  #detach(method: PaymentMethod): object {
    if (method.customerId === null) {
      throw invalid(
        'payment_method',
        'The payment method you provided is not attached to a customer so detachment is impossible.',
      );
    }
    method.customerId = null;
    this.#options.onChange({ methods: [method] });
    this.#options.state.emit('payment_method.detached', methodObject(method));
    return methodObject(method);
  }

  #createIntent(form: FormMap): object {
    refuseOthers(form, INTENT_PARAMS);
    const { state } = this.#options;
    const isConfirmed = form['confirm'] === 'true';
    const customer = typeof form['customer'] === 'string' ? this.#customer(form['customer'], 'customer') : null;
    const method = this.#ownMethod(form['payment_method'], customer);
    const intent: Intent = {
      id: state.id('pi_3', 23),
      created: state.now(),
      sessionId: null,
      customerId: customer?.id ?? null,
      savesCard: false,
      paymentMethodId: method?.id ?? null,
      metadata: metadataOf(form),
      description: typeof form['description'] === 'string' ? form['description'] : null,
      status: method === null ? 'requires_payment_method' : 'requires_confirmation',
      amount: centsOf(form),
      amountReceived: 0,
      currency: typeof form['currency'] === 'string' ? form['currency'].toLowerCase() : 'usd',
      livemode: false,
      chargeId: null,
      decline: null,
    };
    state.intents.set(intent.id, intent);
    state.emit('payment_intent.created', intentObject(intent));
    if (isConfirmed) this.#confirm(intent, method, form['off_session'] === 'true');
    this.#keep(intent);
    if (intent.decline !== null) throw cardError(intent, intent.decline);
    return intentObject(intent);
  }

  #confirm(intent: Intent, method: PaymentMethod | null, isOffSession: boolean): void {
    const { state, onLater } = this.#options;
    if (method === null)
      throw invalid('payment_method', 'You cannot confirm this PaymentIntent because it has no payment method.');
    const decline = isOffSession ? DECLINES[method.behaviour] : undefined;
    if (decline !== undefined) {
      this.#refuse(intent, decline);
    } else if (method.behaviour === 'pays-later' || method.behaviour === 'fails-later') {
      intent.status = 'processing';
      state.emit('payment_intent.processing', intentObject(intent));
      onLater(intent, method.behaviour === 'pays-later');
    } else {
      state.receive(intent);
    }
  }

  #refuse(intent: Intent, decline: Decline): void {
    intent.status = 'requires_payment_method';
    intent.decline = decline;
    this.#options.state.emit('payment_intent.payment_failed', intentObject(intent));
  }

  #cancel(id: string): object {
    const { state } = this.#options;
    const intent = state.intents.get(id);
    if (intent === undefined) throw missing('payment_intent', id, 'intent');
    if (intent.sessionId !== null) {
      throw invalid(
        'intent',
        'You cannot cancel this PaymentIntent because it was created by Checkout. You must expire the Checkout Session.',
      );
    }
    if (intent.status === 'canceled' || intent.status === 'succeeded' || intent.status === 'processing') {
      throw new ApiError(400, `You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`, {
        code: 'payment_intent_unexpected_state',
        more: { payment_intent: intentObject(intent) },
      });
    }
    intent.status = 'canceled';
    state.emit('payment_intent.canceled', intentObject(intent));
    this.#keep(intent);
    return intentObject(intent);
  }

  #keep(intent: Intent): void {
    const { state, onChange } = this.#options;
    const charges = [...state.charges.values()].filter((charge) => charge.intentId === intent.id);
    onChange({ intents: [intent], ...(charges.length === 0 ? {} : { charges }) });
    state.keep(null);
  }

  #ownMethod(id: FormValue | undefined, customer: Customer | null): PaymentMethod | null {
    if (id === undefined) return null;
    const method = this.#method(typeof id === 'string' ? id : '', 'payment_method');
    if (method.customerId === null || method.customerId !== customer?.id) {
      throw invalid('payment_method', 'The PaymentMethod does not belong to the Customer that was given.');
    }
    return method;
  }

  #customer(id: string, param: string): Customer {
    const customer = this.customers.get(id);
    if (customer === undefined) throw missing('customer', id, param);
    return customer;
  }

  #method(id: string, param: string): PaymentMethod {
    const method = this.methods.get(id);
    if (method === undefined) throw missing('PaymentMethod', id, param);
    return method;
  }

  #setupObject(session: Session, method: PaymentMethod): object {
    return {
      id: session.setupIntentId,
      object: 'setup_intent',
      created: this.#options.state.now(),
      customer: session.customerId,
      livemode: session.livemode,
      metadata: session.intentMetadata,
      payment_method: method.id,
      status: 'succeeded',
      usage: 'off_session',
    };
  }
}

const INTENT_PARAMS = [
  'amount',
  'currency',
  'customer',
  'payment_method',
  'off_session',
  'confirm',
  'metadata',
  'description',
  'allowed_payment_method_types',
  'expand',
] as const;

function refuseOthers(form: FormMap, known: readonly string[]): void {
  for (const name of Object.keys(form)) {
    if (!known.includes(name)) throw invalid(name, `Received unknown parameter: ${name}`, 'parameter_unknown');
  }
}

function centsOf(form: FormMap): number {
  const text = form['amount'];
  if (typeof text !== 'string' || !/^[0-9]{1,8}$/.test(text)) throw invalid('amount', 'Invalid integer: amount');
  if (Number(text) < 50)
    throw new ApiError(400, 'Amount must be at least $0.50 usd', { code: 'amount_too_small', param: 'amount' });
  return Number(text);
}

function metadataOf(form: FormMap): Metadata {
  const given = form['metadata'];
  if (given === undefined) return {};
  if (!isMap(given)) throw invalid('metadata', 'Invalid object');
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      if (typeof value !== 'string') throw invalid(`metadata[${key}]`, 'Metadata values must be strings.');
      return [key, value];
    }),
  );
}

const cardError = (intent: Intent, decline: Decline): ApiError =>
  new ApiError(402, decline.message, {
    type: 'card_error',
    code: decline.code,
    more: { decline_code: decline.declineCode, payment_intent: intentObject(intent) },
  });

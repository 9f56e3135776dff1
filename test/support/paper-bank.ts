import { createHmac, timingSafeEqual } from 'node:crypto';
import { micros, type Micros } from '../../src/domain/money.ts';
import { refuse } from '../../src/domain/refusal.ts';
import type { Ports } from '../../src/ports/ports.ts';
import {
  ProviderFailure,
  type NewOrder,
  type PaymentProvider,
  type ProviderAccount,
  type ProviderDescription,
  type ProviderOrder,
  type ProviderPayment,
} from '../../src/providers/provider.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** An order as the bank keeps it. Its first payment is in `paymentRef` and `amountReceived`, further ones in `more`. */
export type PaperOrder = Mutable<Omit<ProviderOrder, 'payments'>> & {
  paymentRef: string | null;
  amountReceived: Micros | null;
  refunds: ProviderPayment['refunds'];
  disputes: ProviderPayment['disputes'];
  more: readonly ProviderPayment[];
  createdAt: Date;
};

export interface PaperWebhook {
  readonly body: Uint8Array;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

interface PaperEvent {
  readonly id: string;
  readonly type: string;
  readonly account: string | null;
  readonly livemode: boolean;
  readonly order: string | null;
  readonly payment: string | null;
  readonly payment_sid: string | null;
}

/** What goes wrong with the next calls: the answer is lost before or after the effect, or the bank says no. */
export type PaperFault = 'none' | 'lost_before' | 'lost_after' | 'refuses' | 'broken';

const SECRET = 'paper money is only worth what is written on it';

/**
 * A payment provider on paper: its own truth, kept apart from ours, so that a test can compare the two. One bank serves several
 * processes; `asProvider` is one process's connection to it.
 */
export class PaperBank {
  readonly orders = new Map<string, PaperOrder>();
  readonly account: ProviderAccount;
  readonly name: string;
  fault: PaperFault = 'none';
  /** Awaited before each answer; a test holds calls back with it. */
  gate: (() => Promise<void>) | null = null;
  createCalls = 0;
  #made = 0;
  #events = 0;

  constructor(options: { readonly name?: string; readonly account?: ProviderAccount } = {}) {
    this.name = options.name ?? 'stripe';
    this.account = options.account ?? { id: 'acct_house', isLive: false };
  }

  /** The order that carries a payment's sid; at most one can. */
  orderOf(paymentSid: string): PaperOrder {
    const [order, ...others] = [...this.orders.values()].filter((candidate) => candidate.paymentSid === paymentSid);
    if (!order || others.length > 0)
      throw new Error(`the bank has ${order ? 'several orders' : 'no order'} for ${paymentSid}`);
    return order;
  }

  /** The customer pays: what was asked, or what the test says. */
  pay(paymentSid: string, paid: { readonly amount?: bigint; readonly currency?: string } = {}): PaperOrder {
    const order = this.orderOf(paymentSid);
    const amount = paid.amount ?? this.#asked.get(order.orderRef) ?? 0n;
    Object.assign(order, {
      state: 'paid',
      paymentRef: order.paymentRef ?? `pi_${order.orderRef}`,
      amountReceived: micros(amount),
      currency: paid.currency ?? order.currency,
      checkoutUrl: null,
    });
    return order;
  }

  readonly #asked = new Map<string, bigint>();

  /** An order that somebody else made in the same account. */
  add(order: Partial<PaperOrder> & { readonly amount?: bigint }): PaperOrder {
    const orderRef = order.orderRef ?? `cs_${(this.#made += 1)}`;
    const { amount, ...given } = order;
    const made: PaperOrder = {
      orderRef,
      paymentSid: null,
      userSid: null,
      accountId: this.account.id,
      isLive: this.account.isLive,
      currency: 'USD',
      state: 'open',
      progress: null,
      paymentRef: null,
      amountReceived: null,
      refunds: [],
      disputes: [],
      more: [],
      checkoutUrl: `https://pay.example/${orderRef}`,
      expiresAt: null,
      createdAt: new Date(0),
      ...given,
    };
    this.orders.set(orderRef, made);
    if (amount !== undefined) this.#asked.set(orderRef, amount);
    return made;
  }

  /** A signed delivery about a payment's order; `event` overrides what it says. */
  webhook(type: string, about: PaperOrder | null, event: Partial<PaperEvent> = {}): PaperWebhook {
    const told: PaperEvent = {
      id: `evt_${(this.#events += 1)}`,
      type,
      account: null,
      livemode: this.account.isLive,
      order: type.startsWith('checkout.') ? (about?.orderRef ?? null) : null,
      payment: about?.paymentRef ?? null,
      payment_sid: about?.paymentSid ?? null,
      ...event,
    };
    const body = Buffer.from(JSON.stringify(told));
    return { body, headers: new Map([['paper-signature', [sign(body)]]]) };
  }

  asProvider(ports: Pick<Ports, 'crash' | 'clock'>): PaymentProvider {
    const call = async <T>(label: string, effect: () => T): Promise<T> => {
      await ports.crash.reach(`provider:before:${label}`);
      await this.gate?.();
      this.#fail('lost_before', label);
      const result = effect();
      this.#fail('lost_after', label);
      await ports.crash.reach(`provider:after:${label}`);
      return result;
    };
    return {
      name: this.name,
      description: DESCRIPTION,
      account: () => Promise.resolve(this.account),
      createOrder: (order) => call('createOrder', () => this.#create(order, ports.clock.now())),
      readOrder: (orderRef) => call('readOrder', () => snapshot(this.orders.get(orderRef))),
      verifyWebhook: ({ body, headers }) => readEvent(body, headers),
      listOrders: (since, cursor) => call('listOrders', () => this.#list(since, cursor)),
      refund: () => Promise.reject(new ProviderFailure('refused', 'none', 'paper does not go back')),
      readRefund: () => Promise.resolve(null),
      listMovements: () => Promise.resolve({ movements: [], nextCursor: null }),
    };
  }

  #fail(fault: PaperFault, label: string): void {
    if (this.fault === fault)
      throw new ProviderFailure('timeout', label === 'createOrder' ? 'unknown' : 'none', 'lost');
    if (fault !== 'lost_before') return;
    if (this.fault === 'broken') throw new ProviderFailure('broken', 'none', 'broken');
    if (this.fault === 'refuses') throw new ProviderFailure('refused', 'none', 'refused');
  }

  /** As Stripe does: the same key answers the same order, and other parameters under it are refused. */
  #create(asked: NewOrder, now: Date): ProviderOrder {
    this.createCalls += 1;
    const known = [...this.orders.values()].find((order) => order.paymentSid === asked.paymentSid);
    if (known) {
      if (this.#asked.get(known.orderRef) !== asked.amount) {
        throw new ProviderFailure('refused', 'unknown', 'same key, other parameters');
      }
      return asOrder(known);
    }
    const order = this.add({
      paymentSid: asked.paymentSid,
      userSid: asked.userSid,
      currency: asked.currency,
      expiresAt: asked.expiresAt,
      createdAt: now,
      amount: asked.amount,
    });
    return asOrder(order);
  }

  /** Pages of two, so that paging is walked in every test. */
  #list(since: Date, cursor: string | null): { orders: ProviderOrder[]; nextCursor: string | null } {
    const all = [...this.orders.values()].filter((order) => order.createdAt >= since);
    const from = cursor === null ? 0 : Number(cursor);
    const orders = all.slice(from, from + 2).map(asOrder);
    return { orders, nextCursor: from + 2 < all.length ? String(from + 2) : null };
  }
}

const DESCRIPTION: ProviderDescription = {
  title: 'Paper',
  settings: [],
  can: { refund: 'direct', severalPayments: true, disputes: true, savedCards: false },
  cannot: [],
};

const snapshot = (order: PaperOrder | undefined): ProviderOrder | null => (order ? asOrder(order) : null);

function asOrder(order: PaperOrder): ProviderOrder {
  const { paymentRef, amountReceived: amount, refunds, disputes, more, ...told } = order;
  const first = paymentRef === null ? [] : [{ paymentRef, amount, refunds, disputes }];
  return { ...told, payments: told.state === 'paid' ? [...first, ...more] : [] };
}

const sign = (body: Uint8Array): string => createHmac('sha256', SECRET).update(body).digest('hex');

function readEvent(body: Uint8Array, headers: ReadonlyMap<string, readonly string[]>) {
  const [given = ''] = headers.get('paper-signature') ?? [];
  const expected = sign(body);
  if (given.length !== expected.length || !timingSafeEqual(Buffer.from(given), Buffer.from(expected))) {
    return refuse('invalid_signature', 'The signature is not valid.');
  }
  const event = JSON.parse(Buffer.from(body).toString('utf8')) as PaperEvent;
  return {
    eventId: event.id,
    eventType: event.type,
    accountId: event.account,
    isLive: event.livemode,
    orderRef: event.order,
    paymentRef: event.payment,
    paymentSid: event.payment_sid,
    refundSid: null,
    verifiedWith: 'current' as const,
  };
}

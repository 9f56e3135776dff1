import { createHmac, timingSafeEqual } from 'node:crypto';
import { micros, type Micros } from '../../src/domain/money.ts';
import { refuse } from '../../src/domain/refusal.ts';
import type { Ports } from '../../src/ports/ports.ts';
import {
  ProviderFailure,
  type NewOrder,
  type NewRefund,
  type PaymentProvider,
  type ProviderAccount,
  type ProviderDescription,
  type ProviderMovement,
  type ProviderOrder,
  type ProviderPayment,
  type ProviderRefund,
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
  /** What the bank keeps of each payment. */
  fee = 0n;
  /** Lines of the account statement that no order explains: payouts, fees, money of others. */
  readonly lines: ProviderMovement[] = [];
  /** Of payments that no order of ours explains, by our sids. */
  readonly refunds = new Map<string, ProviderRefund>();
  /** What becomes of the next refunds that are asked for. */
  refundEnding: ProviderRefund['state'] | 'refused' = 'succeeded';
  refundCalls = 0;
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

  /** Somebody gives back in the bank's own dashboard, or the bank by itself: whatever a test says, even more than was paid. */
  giveBack(paymentSid: string, refund: Partial<ProviderRefund> & { readonly amount: Micros }): ProviderRefund {
    const made: ProviderRefund = {
      refundRef: `re_${(this.#made += 1)}`,
      refundSid: null,
      state: 'succeeded',
      fee: null,
      claimUrl: null,
      detail: null,
      ...refund,
    };
    const order = this.orderOf(paymentSid);
    order.refunds = [...order.refunds, made];
    return made;
  }

  /** A refund goes on: it leaves, or it comes back. */
  endRefund(refundRef: string, state: ProviderRefund['state'], detail: string | null = null): void {
    const ended = (refund: ProviderRefund) => (refund.refundRef === refundRef ? { ...refund, state, detail } : refund);
    for (const order of this.orders.values()) {
      order.refunds = order.refunds.map(ended);
      order.more = order.more.map((payment) => ({ ...payment, refunds: payment.refunds.map(ended) }));
    }
  }

  /** Every refund that carries a sid of ours. */
  refundsBy(refundSid: string): ProviderRefund[] {
    const all = [...this.#paid().flatMap(({ refunds }) => refunds), ...this.refunds.values()];
    return all.filter((refund) => refund.refundSid === refundSid);
  }

  #paid = (): ProviderPayment[] => [...this.orders.values()].flatMap((order) => asOrder(order).payments);

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
      refund: (asked) => call('refund', () => this.#refund(asked)),
      readRefund: ({ refundSid }) => call('readRefund', () => this.refundsBy(refundSid)[0] ?? null),
      listMovements: (since, cursor) => call('listMovements', () => this.#statement(since, cursor)),
    };
  }

  #fail(fault: PaperFault, label: string): void {
    if (this.fault === fault) throw new ProviderFailure('timeout', WRITES.has(label) ? 'unknown' : 'none', 'lost');
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

  /** The same key answers the same refund; no more goes back than came in. */
  #refund(asked: NewRefund): ProviderRefund {
    this.refundCalls += 1;
    const [known] = this.refundsBy(asked.refundSid);
    if (known) return known;
    const { refundSid, amount } = asked;
    const payment = this.#paid().find(({ paymentRef }) => paymentRef === asked.paymentRef);
    // Of a payment that no order of ours explains.
    if (!payment) return this.#keepRefund(refundSid, amount);
    const gone = payment.refunds.reduce((sum, refund) => sum + (refund.state === 'failed' ? 0n : refund.amount), 0n);
    const isTooMuch = gone + amount > (payment.amount ?? 0n);
    if (this.refundEnding === 'refused' || isTooMuch) throw new ProviderFailure('refused', 'none', 'The bank says no.');
    const order = this.orderOf(asked.paymentSid);
    if (order.paymentRef !== asked.paymentRef) throw new Error('the bank gives back of the first payment only');
    return this.giveBack(asked.paymentSid, { amount, refundSid, state: this.refundEnding });
  }

  #keepRefund(refundSid: string, amount: Micros): ProviderRefund {
    const refundRef = `re_${(this.#made += 1)}`;
    const state = 'succeeded' as const;
    const made = { refundRef, refundSid, amount, state, fee: null, claimUrl: null, detail: null };
    this.refunds.set(refundSid, made);
    return made;
  }

  /** A line of the statement, as `lines` takes it. */
  line(movementRef: string, given: Partial<ProviderMovement>): ProviderMovement {
    const made: ProviderMovement = {
      movementRef,
      kind: 'other',
      amount: micros(0n),
      fee: micros(0n),
      currency: 'USD',
      at: new Date(0),
      orderRef: null,
      paymentRef: null,
      refundRef: null,
      disputeRef: null,
      detail: null,
      ...given,
    };
    return made;
  }

  /** Every payment, refund and dispute of the orders, then the other lines; pages of three. */
  #statement(since: Date, cursor: string | null): { movements: ProviderMovement[]; nextCursor: string | null } {
    const all = [...[...this.orders.values()].flatMap((order) => this.#linesOf(order)), ...this.lines];
    const inTime = all.filter(({ at }) => at >= since);
    const from = cursor === null ? 0 : Number(cursor);
    return { movements: inTime.slice(from, from + 3), nextCursor: from + 3 < inTime.length ? String(from + 3) : null };
  }

  #linesOf(order: PaperOrder): ProviderMovement[] {
    const at = order.createdAt;
    const { currency } = order;
    return asOrder(order).payments.flatMap(({ paymentRef, amount, refunds, disputes }) => {
      const about = { at, currency, paymentRef };
      const fee = micros(this.fee);
      const gone = (sum: bigint) => micros(0n - sum);
      return [
        this.line(`in_${paymentRef}`, { ...about, kind: 'payment', amount: amount ?? micros(0n), fee }),
        ...refunds.flatMap(({ refundRef, state, amount: sum }) => [
          this.line(`out_${refundRef}`, { ...about, kind: 'refund', amount: gone(sum), refundRef }),
          ...(state === 'failed'
            ? [this.line(`back_${refundRef}`, { ...about, kind: 'refund_returned', amount: sum, refundRef })]
            : []),
        ]),
        ...disputes
          .filter(({ state }) => state !== 'inquiry')
          .flatMap(({ disputeRef, state, amount: sum }) => [
            this.line(`out_${disputeRef}`, { ...about, kind: 'dispute', amount: gone(sum), disputeRef }),
            ...(state === 'won'
              ? [this.line(`back_${disputeRef}`, { ...about, kind: 'dispute_returned', amount: sum, disputeRef })]
              : []),
          ]),
      ];
    });
  }

  /** Pages of two, so that paging is walked in every test. */
  #list(since: Date, cursor: string | null): { orders: ProviderOrder[]; nextCursor: string | null } {
    const all = [...this.orders.values()].filter((order) => order.createdAt >= since);
    const from = cursor === null ? 0 : Number(cursor);
    const orders = all.slice(from, from + 2).map(asOrder);
    return { orders, nextCursor: from + 2 < all.length ? String(from + 2) : null };
  }
}

/** Calls that change something: an answer that is lost leaves their outcome unknown. */
const WRITES: ReadonlySet<string> = new Set(['createOrder', 'refund']);

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
    refundRef: null,
    verifiedWith: 'current' as const,
  };
}

import { referenceOf } from '../../src/providers/clickpesa/reference.ts';
import { fromCents } from '../../src/domain/money.ts';
import type { House } from '../../src/operations/house.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { idsFrom } from '../../src/ports/ids.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { systemClock as REAL_CLOCK } from '../../src/ports/system.ts';
import { btcpayTill } from '../worst-week/btcpay-till.ts';
import { clickPesaTill } from '../worst-week/clickpesa-till.ts';
import type { Letter, Till } from '../worst-week/till.ts';
import { briskClock } from './brisk-clock.ts';
import { testHouse } from './house.ts';
import { paymentStory, type PaymentStory, type Process } from './payment-story.ts';
import { testPorts, type TestPorts } from './ports.ts';
import { dollars } from './refund-story.ts';
import { Wire } from './wire.ts';

/** How a refund goes on at the provider: the money leaves, or it comes back to us. */
export type Ending = 'leaves' | 'comes_back';

/** What happens with refunds at a provider, by its own books. */
export interface RefundTill {
  readonly till: Till;
  /** Where to, where it must be said. */
  readonly destination: string | null;
  readonly pay: (orderRef: string) => void;
  /** One step of a refund there. Called until nothing changes any more; before it was asked for, nothing happens. */
  readonly goOn: (refundSid: string, ending: Ending) => void;
  /** How many things there are by which the refund was paid out, or still can be. */
  readonly ways: (refundSid: string) => number;
  /** What has left for it and is not back, in micro-dollars. */
  readonly left: (refundSid: string) => bigint;
  /** Of `settled` webhooks: once nothing is on its way. */
  readonly settled: () => Promise<void>;
}

export type OpenTill = (world: Ports, post: (letter: Letter) => void) => RefundTill;

/** ClickPesa: a refund is a payout, which arrives or is reversed. */
export const clickPesaRefunds: OpenTill = (world, post) => {
  const till = clickPesaTill(world, post);
  const { sandbox } = till;
  sandbox.turn({ cooldownMs: 0 });
  const payoutOf = (sid: string) => sandbox.state.payouts.get(referenceOf({ names: 'refund', sid, attempt: 0 }));
  const payoutsOf = (sid: string) =>
    [...sandbox.state.payouts.values()].filter(({ reference }) => reference.startsWith(sid.slice(0, 18)));
  return {
    till,
    destination: '255712000001',
    pay: (orderRef) => void sandbox.pay(orderRef, 'SETTLED'),
    goOn: (sid, ending) => {
      const payout = payoutOf(sid);
      if (payout?.status === 'AUTHORIZED') sandbox.payoutBecomes(payout.reference, 'SUCCESS');
      else if (payout?.status === 'SUCCESS' && ending === 'comes_back')
        sandbox.payoutBecomes(payout.reference, 'REVERSED');
    },
    ways: (sid) => payoutsOf(sid).length,
    left: (sid) =>
      payoutsOf(sid).reduce((sum, it) => sum + (it.status === 'REVERSED' ? 0n : fromCents(it.hundredths)), 0n),
    settled: () => sandbox.deliveries.settled(),
  };
};

/** BTCPay Server: a refund is a pull payment, which is claimed and paid out, or cancelled and withdrawn. */
export const btcpayRefunds: OpenTill = (world, post) => {
  const till = btcpayTill(world, post);
  const { sandbox } = till;
  const { books, invoices, refunds } = sandbox;
  const pullPaymentsOf = (sid: string) => [...books.pullPayments.values()].filter(({ name }) => name.endsWith(sid));
  const completed = (sid: string) =>
    pullPaymentsOf(sid).flatMap((it) => books.payoutsOf(it).filter(({ state }) => state === 'Completed'));
  return {
    till,
    destination: null,
    pay: (orderRef) => {
      const invoice = books.invoices.get(orderRef);
      const payment = invoice === undefined ? null : sandbox.pay(invoice, { confirms: false });
      if (payment !== null) invoices.confirm(payment);
    },
    goOn: (sid, ending) => {
      for (const pullPayment of pullPaymentsOf(sid).filter(({ archived }) => !archived)) {
        const [payout] = books.payoutsOf(pullPayment);
        if (payout === undefined) sandbox.claim(pullPayment, { destination: 'bcrt1qme' });
        else if (payout.state === 'Cancelled') refunds.archive(pullPayment);
        else refunds.move(payout, ending === 'leaves' ? 'Completed' : 'Cancelled');
      }
    },
    ways: (sid) =>
      pullPaymentsOf(sid).filter((it) => !it.archived || books.payoutsOf(it).some(({ state }) => state === 'Completed'))
        .length,
    left: (sid) => completed(sid).reduce((sum, { amount }) => sum + fromCents(amount), 0n),
    settled: () => sandbox.deliveries.settled(),
  };
};

/** A story over a provider's wire: one world's time, one database, and processes that know nothing but the database. */
export class WireStory {
  readonly told: PaymentStory;
  readonly at: RefundTill;
  readonly wire: Wire;
  /** Of a process that lives through all of it. */
  readonly house: House;
  readonly #letters: Letter[];
  readonly #dying: () => Process;

  private constructor(told: PaymentStory, at: RefundTill, letters: Letter[]) {
    this.told = told;
    this.at = at;
    this.#letters = letters;
    this.wire = new Wire(at.till.api, told.ports.clock);
    this.house = this.#processes(11)().house;
    this.#dying = this.#processes(12);
  }

  static async begin(open: OpenTill): Promise<WireStory> {
    const told = await paymentStory();
    const letters: Letter[] = [];
    const at = open(told.ports, (letter) => void letters.push(letter));
    return new WireStory(told, at, letters);
  }

  /** A process that has just begun. Its predecessors share its pool and its crash points, and are gone. */
  process(): Process {
    return this.#dying();
  }

  #processes(seed: number): () => Process {
    const own = testPorts({ seed });
    const world = this.told.ports.clock;
    const clock = Object.assign(Object.create(world) as typeof world, briskClock(world));
    const http = { fetch: this.wire.of(own.crash) };
    const ports: TestPorts = { ...own, clock, ids: idsFrom(clock, own.random), http };
    // Retries of the database wait by the real clock.
    const db = this.told.database.open({ ports: { ...ports, clock: REAL_CLOCK }, poolMax: 3 });
    const settings = { openPaymentsMax: 1_000_000, refundApprovalAbove: dollars('1.00') };
    return () => ({ house: testHouse({ db, ports, providers: [this.at.till.open(ports)], settings }), ports });
  }

  /** A top-up that was paid and credited. */
  async credited(amount = '10.00'): Promise<Payment> {
    const { told, at, house } = this;
    const input = { provider: at.till.name, amount };
    const reply = await told.run(paymentCreate, input, { key: `key-${told.ports.ids.sid()}`, house });
    if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
    const payment = JSON.parse(reply.body) as Payment;
    at.pay((await told.payment(payment.sid)).orderRef ?? '');
    await told.run(paymentCheck, { sid: payment.sid }, { house });
    return payment;
  }

  /** What the provider has told by webhooks arrives and is applied. */
  async hear(house: House): Promise<void> {
    await this.at.settled();
    for (const { provider, body, headers } of this.#letters.splice(0)) {
      const lines = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
      await receiveWebhook(house, provider, { body: new TextEncoder().encode(body), headers: lines });
    }
    await this.told.drain(house);
  }

  async close(): Promise<void> {
    await this.at.till.close();
    await this.told.close();
  }
}

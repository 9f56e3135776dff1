import { satsFor } from '../../sandbox/btcpay/coin.ts';
import { sandboxFetch } from '../../sandbox/btcpay/in-process.ts';
import { BtcpaySandbox } from '../../sandbox/btcpay/sandbox.ts';
import type { Invoice } from '../../sandbox/btcpay/books.ts';
import { execute, type Reply } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { btcpayProvider } from '../../src/providers/btcpay/index.ts';
import { testHouse } from './house.ts';
import { paymentStory, type PaymentStory } from './payment-story.ts';

/** The whole way through BTCPay Server's wire: the simulator, its signed webhooks into our inbox, the ledger. */
const API_KEY = 'e1f0c3a5b7d9480fa2b4c6d8e0f1a3b5c7d9e1f2';
export const STORE_ID = 'Fv6xJ8dKq2mNp4rTs9uWz3';
const WEBHOOK_SECRET = '4Rk9bYw2HsXqLm7TzVn3CdPf8aGe';

export interface CryptoStory {
  readonly told: PaymentStory;
  readonly house: House;
  readonly btcpay: BtcpaySandbox;
  readonly answers: number[];
  /** Waits until every delivery has arrived, then applies what came. */
  readonly hear: () => Promise<void>;
  readonly topUp: (amount: string, key: string) => Promise<Reply>;
  readonly open: (amount?: string) => Promise<Payment>;
  readonly invoiceOf: (payment: Payment) => Promise<Invoice>;
  /** Pays in dollars at the invoice's rate. */
  readonly pay: (payment: Payment, usd?: number, how?: { confirms?: boolean; method?: 'BTC-LN' }) => Promise<string>;
}

/** `atEnd` is given what must be closed, the last one first. */
export async function cryptoStory(atEnd: (end: () => Promise<void>) => void): Promise<CryptoStory> {
  const told = await paymentStory();
  atEnd(() => told.close());
  const answers: number[] = [];
  let heard: House | null = null;
  const btcpay = new BtcpaySandbox({
    clock: told.ports.clock,
    random: told.ports.random,
    apiKey: API_KEY,
    storeId: STORE_ID,
    webhookUrl: 'http://webhooks.invalid/webhooks/btcpay',
    webhookSecret: WEBHOOK_SECRET,
    // The wire between the simulator and our inbox, without a socket.
    fetch: async (_, init) => {
      if (!heard) return new Response(null, { status: 503 });
      const headers = new Map([...new Headers(init?.headers)].map(([name, value]) => [name, [value]] as const));
      const body = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '');
      const { status } = await receiveWebhook(heard, 'btcpay', { body, headers });
      answers.push(status);
      return new Response(null, { status });
    },
  });
  btcpay.turn({ confirmAfterMs: null, payOutAfterMs: null });
  atEnd(() => btcpay.close());
  const ports = { ...told.ports, http: { fetch: sandboxFetch(btcpay) } };
  const provider = btcpayProvider({
    url: btcpay.publicUrl,
    apiKey: API_KEY,
    storeId: STORE_ID,
    webhookSecrets: { current: WEBHOOK_SECRET },
    isLive: false,
    policy: { confirmations: 1, lateMinutes: 60 },
    ports,
  });
  const house = testHouse({ db: told.house.db, ports, providers: [provider] });
  heard = house;
  const topUp = (amount: string, key: string) =>
    execute(house, paymentCreate, {
      actor: told.actor,
      input: { provider: 'btcpay', amount },
      idempotencyKey: key,
      requestId: ports.ids.requestId(),
    });
  const invoiceOf = async (payment: Payment): Promise<Invoice> => {
    const invoice = btcpay.books.invoices.get((await told.payment(payment.sid)).orderRef ?? '');
    if (invoice === undefined) throw new Error('the payment has an invoice');
    return invoice;
  };
  return {
    told,
    house,
    btcpay,
    answers,
    hear: async () => {
      btcpay.deliveries.flush();
      await btcpay.deliveries.settled();
      await told.drain(house);
    },
    topUp,
    open: async (amount = '25.00') => {
      const reply = await topUp(amount, `key-${ports.ids.sid()}`);
      if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
      return JSON.parse(reply.body) as Payment;
    },
    invoiceOf,
    pay: async (payment, usd = 25, how = {}) => {
      const invoice = await invoiceOf(payment);
      const made = btcpay.pay(invoice, { sats: satsFor(usd * 100, invoice.rateCents), method: how.method });
      if (made === null) throw new Error('nobody watches the invoice');
      if (how.confirms !== false) btcpay.invoices.confirm(made);
      return made.id;
    },
  };
}

import { sandboxFetch } from '../../sandbox/btcpay/in-process.ts';
import { BtcpaySandbox, type SandboxOptions } from '../../sandbox/btcpay/sandbox.ts';
import { startBtcpaySandbox } from '../../sandbox/btcpay/server.ts';
import type { Invoice, Payment, PullPayment } from '../../sandbox/btcpay/books.ts';
import type { Fault } from '../../sandbox/btcpay/switches.ts';
import { btcpayProvider, type BtcpayProviderOptions } from '../../src/providers/btcpay/index.ts';
import type { PaymentProvider, WebhookDelivery } from '../../src/providers/provider.ts';
import type { ProviderBench } from '../contract/payment-provider.ts';
import { whileTimePasses } from '../contract/time.ts';
import type { Trouble, TroubleBench } from '../contract/trouble.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const API_KEY = 'e1f0c3a5b7d9480fa2b4c6d8e0f1a3b5c7d9e1f2';
export const STORE_ID = 'Fv6xJ8dKq2mNp4rTs9uWz3';
export const WEBHOOK_SECRET = '4Rk9bYw2HsXqLm7TzVn3CdPf8aGe';

export interface BtcpayBench extends ProviderBench {
  readonly provider: PaymentProvider;
  readonly ports: TestPorts;
  readonly sandbox: BtcpaySandbox;
  readonly url: string;
  /** Another provider in front of the same simulator: another process of ours. */
  readonly another: (changes?: Partial<BtcpayProviderOptions>) => PaymentProvider;
  /** What the simulator delivered so far, as our HTTP layer would hand it on. */
  readonly delivered: readonly WebhookDelivery[];
  readonly invoice: (orderRef: string) => Invoice;
  /** The newest payment of an invoice. */
  readonly payment: (orderRef: string) => Payment;
}

/** BTCPay Server's simulator on a loopback port, and the provider in front of it. */
export async function openBtcpayBench(): Promise<BtcpayBench> {
  const ports = testPorts();
  const delivered: WebhookDelivery[] = [];
  const { sandbox, url, close } = await startBtcpaySandbox(sandboxOptions(ports, delivered));
  return benchOf({ ports, sandbox, url, delivered, close });
}

/** The same without a socket: requests are handed to the simulator as calls. */
export async function openInProcessBench(): Promise<BtcpayBench> {
  const delivered: WebhookDelivery[] = [];
  const own = testPorts();
  const sandbox = new BtcpaySandbox(sandboxOptions(own, delivered));
  const ports: TestPorts = { ...own, http: { fetch: sandboxFetch(sandbox) } };
  return benchOf({ ports, sandbox, url: sandbox.publicUrl, delivered, close: () => sandbox.close() });
}

function sandboxOptions(ports: TestPorts, delivered: WebhookDelivery[]): SandboxOptions {
  return {
    clock: ports.clock,
    random: ports.random,
    apiKey: API_KEY,
    storeId: STORE_ID,
    webhookUrl: 'http://webhooks.invalid/webhooks/btcpay',
    webhookSecret: WEBHOOK_SECRET,
    // Takes deliveries without a socket.
    fetch: async (_, init) => {
      delivered.push(toDelivery(init, ports.clock.now()));
      return new Response(null, { status: 200 });
    },
  };
}

type Parts = Pick<BtcpayBench, 'ports' | 'sandbox' | 'url' | 'delivered' | 'close'>;

function benchOf(parts: Parts): BtcpayBench {
  const { ports, sandbox, url, delivered } = parts;
  sandbox.turn({ confirmAfterMs: null, payOutAfterMs: null });
  const another: BtcpayBench['another'] = (changes = {}) =>
    btcpayProvider({
      url,
      apiKey: API_KEY,
      storeId: STORE_ID,
      webhookSecrets: { current: WEBHOOK_SECRET },
      isLive: false,
      policy: { confirmations: 1, lateMinutes: 60 },
      ports,
      ...changes,
    });
  const invoice = (orderRef: string): Invoice => found(sandbox.books.invoices.get(orderRef));
  const payment = (orderRef: string): Payment => found(sandbox.books.paymentsOf(invoice(orderRef)).at(-1));
  return {
    ...parts,
    provider: another(),
    another,
    invoice,
    payment,
    now: () => ports.clock.now(),
    pass: (seconds) => ports.clock.advance(seconds * 1000),
    endings: ['processing', 'failed', 'expired'],
    knowsUnpaid: true,
    trouble: url.endsWith('.invalid') ? null : troubleOf(ports, sandbox),
    refunds: {
      made: (refundSid) => pullPaymentsOf(sandbox, refundSid).filter(({ archived }) => !archived).length,
      end: (refundSid, state) => {
        const pullPayment = found(pullPaymentsOf(sandbox, refundSid)[0]);
        if (state === 'failed') sandbox.refunds.archive(pullPayment);
        const payout = state === 'failed' ? 'none' : sandbox.claim(pullPayment, { destination: 'bcrt1qme' });
        if (typeof payout !== 'string') sandbox.refunds.move(payout, 'Completed');
        return Promise.resolve();
      },
    },
    act: async (orderRef, ending) => {
      if (ending === 'expired') sandbox.invoices.expire(invoice(orderRef));
      else sandbox.pay(invoice(orderRef));
      if (ending === 'paid') sandbox.invoices.confirm(payment(orderRef));
      if (ending === 'failed') sandbox.invoices.invalidate(invoice(orderRef));
      await sandbox.deliveries.settled();
    },
    delivery: () => Promise.resolve(found(delivered.at(-1))),
  };
}

const pullPaymentsOf = (sandbox: BtcpaySandbox, refundSid: string): PullPayment[] =>
  [...sandbox.books.pullPayments.values()].filter(({ name }) => name.includes(refundSid));

const FAULT_OF: Readonly<Record<Trouble, Fault['kind']>> = {
  'cut-after': 'reset-after-effect',
  'silent-after': 'timeout-after-effect',
  'error-after': 'error-after-effect',
  'error-before': 'error-before-effect',
  html: 'html',
  'slow-down': 'rate-limit',
};

const troubleOf = (ports: TestPorts, sandbox: BtcpaySandbox): TroubleBench => ({
  start: (trouble, times) => {
    sandbox.turn({ faults: [{ kind: FAULT_OF[trouble], times }] });
  },
  stop: () => {
    sandbox.turn({ faults: [] });
  },
  through: (call) => whileTimePasses(ports, call, () => /^(timeout|hang)/.test(sandbox.requests.at(-1)?.fault ?? '')),
});

function found<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('there is none');
  return thing;
}

function toDelivery(init: RequestInit | undefined, now: Date): WebhookDelivery {
  const headers = new Headers(init?.headers);
  return {
    body: new TextEncoder().encode(typeof init?.body === 'string' ? init.body : ''),
    headers: new Map(Array.from(headers, ([name, value]) => [name, [value]])),
    now,
  };
}

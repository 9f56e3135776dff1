import type { Invoice, Payment } from '../../sandbox/btcpay/books.ts';
import { sandboxFetch } from '../../sandbox/btcpay/in-process.ts';
import { BtcpaySandbox } from '../../sandbox/btcpay/sandbox.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { btcpayProvider } from '../../src/providers/btcpay/index.ts';
import type { Letter, Till } from './till.ts';

const API_KEY = 'e1f0c3a5b7d9480fa2b4c6d8e0f1a3b5c7d9e1f2';
const STORE_ID = 'Fv6xJ8dKq2mNp4rTs9uWz3';
const WEBHOOK_SECRET = '4Rk9bYw2HsXqLm7TzVn3CdPf8aGe';
const MICROS_PER_CENT = 10_000n;

export function btcpayTill(ports: Ports, post: (letter: Letter) => void): Till & { readonly sandbox: BtcpaySandbox } {
  const sandbox = new BtcpaySandbox({
    clock: ports.clock,
    random: ports.random,
    apiKey: API_KEY,
    storeId: STORE_ID,
    webhookUrl: 'http://webhooks.invalid/webhooks/btcpay',
    webhookSecret: WEBHOOK_SECRET,
    fetch: (_, init) => {
      const headers = Object.fromEntries(new Headers(init?.headers));
      post({ provider: 'btcpay', body: typeof init?.body === 'string' ? init.body : '', headers });
      return Promise.resolve(new Response(null, { status: 200 }));
    },
  });
  const { books, invoices, refunds } = sandbox;
  sandbox.turn({ confirmAfterMs: 3_600_000, payOutAfterMs: null });
  const origin = new URL(sandbox.publicUrl).origin;
  return {
    name: 'btcpay',
    sandbox,
    origin,
    api: sandboxFetch(sandbox),
    open: (own) =>
      btcpayProvider({
        url: sandbox.publicUrl,
        apiKey: API_KEY,
        storeId: STORE_ID,
        webhookSecrets: { current: WEBHOOK_SECRET },
        isLive: false,
        policy: { confirmations: 1, lateMinutes: 60 },
        ports: own,
      }),
    visit: (orderRef, dice) => {
      const invoice = books.invoices.get(orderRef);
      if (invoice === undefined) return;
      invoices.tick();
      const share = dice.share();
      const due = invoices.dueOf(invoice);
      if (share < 0.7) sandbox.pay(invoice);
      else if (share < 0.78) sandbox.pay(invoice, { sats: Math.ceil(due / 2) });
      else if (share < 0.86) sandbox.pay(invoice, { sats: due * 2 });
      else if (share < 0.92) sandbox.pay(invoice, { confirms: false });
    },
    // Somebody spends the same coins elsewhere before there is a block.
    trouble: (orderRef) => {
      const invoice = books.invoices.get(orderRef);
      const payment = invoice === undefined ? undefined : books.paymentsOf(invoice).at(-1);
      if (payment?.status === 'Processing') invoices.revert(payment);
    },
    end: () => {
      invoices.tick();
      for (const payment of books.payments.values()) {
        if (payment.status !== 'Processing') continue;
        // What has no block when nobody watches any more was spent elsewhere.
        const { monitoredUntil = 0 } = books.invoices.get(payment.invoiceId) ?? {};
        if (ports.clock.now().getTime() / 1000 < monitoredUntil) invoices.confirm(payment);
        else invoices.revert(payment);
      }
      for (const pullPayment of books.pullPayments.values()) {
        if (pullPayment.archived || refunds.leftOf(pullPayment) === 0) continue;
        sandbox.claim(pullPayment, { destination: 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq' });
      }
      for (const payout of books.payouts.values()) {
        if (payout.state === 'AwaitingApproval') refunds.approve(payout);
        if (payout.state !== 'Completed' && payout.state !== 'Cancelled') refunds.move(payout, 'Completed');
      }
    },
    keyOf: (orderRef) => orderRef,
    stamp: (letter) => letter,
    books: () => {
      const leftMicros = new Map<string, bigint>();
      for (const invoice of books.invoices.values()) {
        const worth = books.paymentsOf(invoice).reduce((sum, payment) => sum + worthOf(invoice, payment), 0n);
        leftMicros.set(invoice.id, worth);
      }
      const paidOutMicros = [...books.payouts.values()]
        .filter(({ state }) => state === 'Completed')
        .reduce((sum, { amount }) => sum + BigInt(amount) * MICROS_PER_CENT, 0n);
      const paid = [...leftMicros.values()].reduce((sum, worth) => sum + worth, 0n);
      return { balanceMicros: paid - paidOutMicros, leftMicros, paidOutMicros };
    },
    close: () => sandbox.close(),
  };

  /** At the invoice's rate, rounded down; exactly the invoice's amount for exactly the coins it asked for. */
  function worthOf(invoice: Invoice, payment: Payment): bigint {
    if (payment.status !== 'Settled') return 0n;
    const whole = BigInt(invoice.amountCents) * MICROS_PER_CENT;
    const net = payment.sats - payment.feeSats;
    if (net === invoices.totalOf(invoice)) return whole;
    return (BigInt(net) * BigInt(invoice.rateCents) * MICROS_PER_CENT) / 100_000_000n;
  }
}

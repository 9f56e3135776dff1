import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BtcpaySandbox } from '../../sandbox/btcpay/sandbox.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { testPorts } from '../support/ports.ts';
import { API_KEY, openBtcpayBench, STORE_ID, WEBHOOK_SECRET, type BtcpayBench } from './btcpay-bench.ts';

let bench: BtcpayBench;
beforeEach(async () => {
  bench = await openBtcpayBench();
});
afterEach(() => bench.close());

const call = (method: string, at: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(`${bench.url}${at}`, {
    method,
    headers: { authorization: `token ${API_KEY}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const control = async (method: string, at: string, body?: unknown): Promise<Record<string, unknown>> =>
  (await (await call(method, `/_sandbox/${at}`, body)).json()) as Record<string, unknown>;
const create = () => bench.provider.createOrder(newOrder(bench.now()));
const types = (): string[] => bench.sandbox.deliveries.all.map(({ type }) => type);

describe('the simulator speaks as BTCPay Server does', () => {
  it('errors have its forms', async () => {
    const stranger = await call('GET', `/api/v1/stores/${STORE_ID}`, undefined, { authorization: 'token wrong' });
    expect([stranger.status, await stranger.json()]).toMatchObject([401, { code: 'unauthenticated' }]);
    const unknown = await call('GET', '/api/v1/invoices/Unknown11111111');
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'invoice-not-found' }]);
    const invalid = await call('POST', `/api/v1/stores/${STORE_ID}/invoices`, { amount: '-1', currency: 'USD' });
    expect([invalid.status, await invalid.json()]).toMatchObject([422, [{ path: 'amount' }]]);
  });

  it('both spellings of an invoice’s address lead to it', async () => {
    const { orderRef } = await create();
    const spelt = await Promise.all(
      [`/api/v1/invoices/${orderRef}`, `/api/v1/stores/${STORE_ID}/invoices/${orderRef}`].map(async (at) => {
        const answer = await call('GET', at);
        return await answer.json();
      }),
    );
    expect(spelt[0]).toEqual(spelt[1]);
    expect(spelt[0]).toMatchObject({ id: orderRef, status: 'New', amount: '25', currency: 'USD' });
  });

  it('a paid invoice goes through its states, and an event tells of each', async () => {
    const { orderRef } = await create();
    const { id } = await control('POST', `invoices/${orderRef}/pay`, {});
    expect(bench.invoice(orderRef)).toMatchObject({ status: 'Processing', additional: 'None' });
    await control('POST', `payments/${String(id)}/confirm`, {});
    expect(bench.invoice(orderRef).status).toBe('Settled');
    await control('POST', 'deliveries/settle');
    expect(types()).toEqual([
      'InvoiceCreated',
      'InvoiceReceivedPayment',
      'InvoiceProcessing',
      'InvoicePaymentSettled',
      'InvoiceSettled',
    ]);
  });

  it('a partly paid one expires as such, and what comes late does not settle it', async () => {
    const { orderRef } = await create();
    await control('POST', `invoices/${orderRef}/pay`, { usd: '10.00' });
    await control('POST', `invoices/${orderRef}/expire`);
    expect(bench.invoice(orderRef)).toMatchObject({ status: 'Expired', additional: 'PaidPartial' });
    await bench.pass(3_601);
    await control('POST', `invoices/${orderRef}/pay`, { usd: '15.01' });
    expect(bench.invoice(orderRef)).toMatchObject({ status: 'Expired', additional: 'PaidLate' });
    expect(types()).toContain('InvoicePaidAfterExpiration');
    await bench.pass(4 * 86_400);
    expect(await control('POST', `invoices/${orderRef}/pay`, {})).toMatchObject({
      error: expect.stringMatching(/watch/),
    });
  });

  it('5xx, 429 and 408 are delivered again under another id, and any other no loses the event', async () => {
    const answers = [500, 429, 408, 200, 400];
    const seen: { deliveryId: string; originalDeliveryId: string; isRedelivery: boolean }[] = [];
    const ports = testPorts();
    const sandbox = new BtcpaySandbox({
      clock: ports.clock,
      random: ports.random,
      apiKey: API_KEY,
      storeId: STORE_ID,
      webhookUrl: 'http://webhooks.invalid/',
      webhookSecret: WEBHOOK_SECRET,
      retryDelaysMs: [10, 10, 10],
      fetch: async (_, init) => {
        seen.push(JSON.parse(typeof init?.body === 'string' ? init.body : '{}') as (typeof seen)[number]);
        return new Response(null, { status: answers[seen.length - 1] ?? 500 });
      },
    });
    sandbox.forge({ type: 'InvoiceSettled', facts: { invoiceId: 'x' } });
    for (let step = 0; step < 10; step += 1) await ports.clock.advance(10);
    await sandbox.deliveries.settled();
    expect(new Set(seen.map(({ deliveryId }) => deliveryId)).size).toBe(4);
    expect(new Set(seen.map(({ originalDeliveryId }) => originalDeliveryId)).size).toBe(1);
    expect(seen.map(({ isRedelivery }) => isRedelivery)).toEqual([false, true, true, true]);
    sandbox.forge({ type: 'InvoiceSettled', facts: { invoiceId: 'y' } });
    await sandbox.deliveries.settled();
    expect(sandbox.deliveries.all.map(({ state }) => state)).toEqual(['delivered', 'given_up']);
    await sandbox.close();
  });

  it('duplicates, losses and reordering do what they say', async () => {
    await control('POST', 'switches', { duplicates: 2 });
    const { orderRef } = await create();
    await control('POST', 'deliveries/settle');
    expect(bench.delivered).toHaveLength(3);
    await control('POST', 'switches', { duplicates: 0, reorderWindow: 3 });
    await control('POST', `invoices/${orderRef}/pay`, { method: 'BTC-LN' });
    await control('POST', 'deliveries/settle');
    const order = bench.delivered
      .slice(3)
      .map(({ body }) => (JSON.parse(new TextDecoder().decode(body)) as { type: string }).type);
    expect(order).toEqual(['InvoiceProcessing', 'InvoicePaymentSettled', 'InvoiceReceivedPayment', 'InvoiceSettled']);
    await control('POST', 'switches', { reorderWindow: 1, lossRate: 1 });
    await control('POST', `invoices/${orderRef}/mark`, { status: 'Invalid' });
    await control('POST', 'deliveries/settle');
    expect(bench.sandbox.deliveries.all.at(-1)).toMatchObject({ type: 'InvoiceInvalid', state: 'lost' });
    await control('DELETE', 'switches');
    expect((await control('GET', 'switches'))['lossRate']).toBe(0);
  });

  it('events that it forges are signed as its own', async () => {
    await control('POST', 'events', { type: 'InvoiceSettled', facts: { invoiceId: 'Fv6xJ8dKq2mNp4rTs9uWz4' } });
    await control('POST', 'deliveries/settle');
    const [sent] = bench.delivered;
    if (sent === undefined) throw new Error('it was delivered');
    expect(isRefusal(bench.provider.verifyWebhook(sent))).toBe(false);
  });

  it('the pages work without script: pay, and claim', async () => {
    const { orderRef, checkoutUrl } = await create();
    const click = async (url: string, form: Record<string, string>) =>
      await fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
    expect(await (await fetch(checkoutUrl ?? '')).text()).toContain('data-testid="exact"');
    const paid = await click(checkoutUrl ?? '', { choice: 'exact' });
    expect([paid.status, paid.headers.get('location')]).toEqual([303, newOrder(bench.now()).successUrl]);
    bench.sandbox.invoices.confirm(bench.payment(orderRef));
    const refund = await bench.provider.refund({
      refundSid: '01ARZ3NDEKTSV4RRFFQ69G5REF',
      paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      orderRef,
      paymentRef: `BTC-CHAIN:${bench.payment(orderRef).id}`,
      amount: newOrder(bench.now()).amount,
      currency: 'USD',
      destination: null,
    });
    const claimUrl = refund.claimUrl ?? '';
    expect(await (await fetch(claimUrl)).text()).toContain('data-testid="claim"');
    expect((await click(claimUrl, { destination: 'bcrt1qme' })).status).toBe(303);
    expect(await (await fetch(claimUrl)).text()).toContain('AwaitingPayment');
    expect((await fetch(`${bench.url}/i/nothing`)).status).toBe(404);
  });
});

describe('the process', () => {
  it('says where it listens, keeps its books over a restart, and ends with its parent', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'btcpay-sandbox-'));
    const state = path.join(folder, 'state.jsonl');
    const program = path.resolve('sandbox/btcpay/main.ts');
    const start = async () => {
      const given = ['--api-key', API_KEY, '--store-id', STORE_ID, '--state-file', state, '--until-stdin-ends'];
      const child = spawn(process.execPath, [program, ...given], { stdio: ['pipe', 'pipe', 'inherit'] });
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const { url } = JSON.parse(line) as { url: string };
      return { child, provider: bench.another({ url }) };
    };
    try {
      const first = await start();
      const { orderRef } = await first.provider.createOrder(
        newOrder(new Date(), { expiresAt: new Date(Date.now() + 3_600_000) }),
      );
      first.child.kill('SIGKILL');
      await once(first.child, 'exit');
      const second = await start();
      expect(await second.provider.readOrder(orderRef)).toMatchObject({ orderRef, state: 'open' });
      second.child.stdin.end();
      expect(await once(second.child, 'exit')).toEqual([0, null]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

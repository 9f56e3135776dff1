import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeForm } from '../../sandbox/stripe/form.ts';
import { fileKeeper } from '../../sandbox/keeper.ts';
import { StripeSandbox, type Journal } from '../../sandbox/stripe/sandbox.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, SECRET_KEY, WEBHOOK_SECRET, type StripeBench } from './stripe-bench.ts';

let bench: StripeBench;
beforeEach(async () => {
  bench = await openStripeBench();
});
afterEach(() => bench.close());

const call = (method: string, path: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  fetch(`${bench.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${SECRET_KEY}`,
      ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...headers,
    },
    ...(method === 'POST' ? { body: new URLSearchParams(form).toString() } : {}),
  });

const ORDER = {
  mode: 'payment',
  'line_items[0][quantity]': '1',
  'line_items[0][price_data][currency]': 'usd',
  'line_items[0][price_data][unit_amount]': '2500',
  'line_items[0][price_data][product_data][name]': 'Top-up <b>',
  success_url: 'https://shop.example.test/done?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example.test/back',
};
const create = async (form: Record<string, string> = ORDER): Promise<{ id: string; url: string }> => {
  const answer = await call('POST', '/v1/checkout/sessions', form);
  return (await answer.json()) as { id: string; url: string };
};

describe('the simulator speaks as Stripe does', () => {
  it('brackets become maps and lists', () => {
    expect(decodeForm('a[0][b]=1&a[1][b]=2&c[d][e]=x%20y&f[]=1&f[]=2&g=')).toEqual({
      a: [{ b: '1' }, { b: '2' }],
      c: { d: { e: 'x y' } },
      f: ['1', '2'],
      g: '',
    });
    for (const broken of ['a=1&a[b]=2', 'a[b=1', 'a]b=1', '[a]=1', `a${'[b]'.repeat(20)}=1`]) {
      expect(decodeForm(broken)).toBeNull();
    }
    expect(Object.getPrototypeOf(decodeForm('__proto__[x]=1'))).toBeNull();
  });

  it('requests without the key are 401 in the error form', async () => {
    const answer = await call('GET', '/v1/account', {}, { authorization: '' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('request-id')).toMatch(/^req_/);
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('an unknown route is 404 in the error form, and the version is echoed', async () => {
    const answer = await call('GET', '/v1/nothing', {}, { 'stripe-version': '2026-10-28.endive' });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('stripe-version')).toBe('2026-10-28.endive');
    expect(await answer.json()).toMatchObject({
      error: { message: expect.stringContaining('Unrecognized request URL (GET: /v1/nothing)') },
    });
  });

  it.each([
    [{ 'payment_method_types[0]': 'card' }, 'payment_method_types', 'parameter_unknown'],
    [{ 'line_items[0][price_data][colour]': 'red' }, 'line_items[0][price_data][colour]', 'parameter_unknown'],
    [{ 'line_items[0][price_data][unit_amount]': '25.5' }, 'line_items[0][price_data][unit_amount]', undefined],
    [{ success_url: 'nowhere' }, 'success_url', 'url_invalid'],
    [{ expires_at: '1' }, 'expires_at', undefined],
    [{ mode: 'subscription' }, 'mode', undefined],
  ])('%j is refused by its name', async (changes, param, code) => {
    const answer = await call('POST', '/v1/checkout/sessions', { ...ORDER, ...changes });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param, ...(code === undefined ? {} : { code }) } });
  });

  it('a key repeats its answer, refuses other parameters, and forgets what was refused', async () => {
    const key = { 'idempotency-key': 'key-1' };
    const refused = await call('POST', '/v1/checkout/sessions', { ...ORDER, mode: 'x' }, key);
    const first = await call('POST', '/v1/checkout/sessions', ORDER, key);
    const second = await call('POST', '/v1/checkout/sessions', ORDER, key);
    const other = await call('POST', '/v1/checkout/sessions', { ...ORDER, locale: 'de' }, key);
    expect([refused.status, first.status, second.status, other.status]).toEqual([400, 200, 200, 400]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'));
    expect(await second.text()).toBe(await first.text());
    expect(await other.json()).toMatchObject({ error: { type: 'idempotency_error' } });
  });

  it('a second request with the key of one that still runs is 409', async () => {
    bench.sandbox.turn({ apiDelayMs: 1_000 });
    const first = call('POST', '/v1/checkout/sessions', ORDER, { 'idempotency-key': 'key-1' });
    while (bench.ports.clock.sleeping === 0) await bench.pass(0);
    const second = await call('POST', '/v1/checkout/sessions', ORDER, { 'idempotency-key': 'key-1' });
    expect(second.status).toBe(409);
    await bench.pass(1);
    expect((await first).status).toBe(200);
  });

  it('an open session can be expired once', async () => {
    const { id } = await create();
    expect((await call('POST', `/v1/checkout/sessions/${id}/expire`)).status).toBe(200);
    expect((await call('POST', `/v1/checkout/sessions/${id}/expire`)).status).toBe(400);
  });

  it('payment intents, charges and undelivered events can be read', async () => {
    bench.sandbox.turn({ lossRate: 1 });
    const { id } = await create();
    bench.sandbox.complete(id, 'paid');
    const read = async (path: string) => (await (await call('GET', path)).json()) as { data: { type?: string }[] };
    expect((await read('/v1/payment_intents')).data).toMatchObject([{ amount_received: 2500, status: 'succeeded' }]);
    expect((await read('/v1/charges')).data).toMatchObject([{ amount: 2500, paid: true }]);
    const undelivered = await read('/v1/events?delivery_success=false&types[]=checkout.session.completed');
    expect(undelivered.data).toMatchObject([{ type: 'checkout.session.completed', data: { object: { id } } }]);
    expect((await read('/v1/events?delivery_success=true')).data).toEqual([]);
  });
});

describe('the checkout page', () => {
  const open = async (id: string) => fetch(`${bench.url}/c/pay/${id}`);
  const choose = async (id: string, choice: string) =>
    fetch(`${bench.url}/c/pay/${id}`, { method: 'POST', body: new URLSearchParams({ choice }), redirect: 'manual' });

  it('says that it is a sandbox, shows amount and product as text, and allows no script', async () => {
    const { url } = await create();
    const answer = await fetch(url);
    const html = await answer.text();
    expect(html).toContain('no real money');
    expect(html).toContain('$25.00');
    expect(html).toContain('Top-up &lt;b&gt;');
    expect(html).not.toContain('<script');
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'; style-src 'nonce-/);
    expect(policy).toContain("form-action 'self' https://shop.example.test;");
  });

  it('paying leads to the success page with the session filled in, and paying twice pays once', async () => {
    const { id } = await create();
    const answers = await Promise.all([choose(id, 'pay'), choose(id, 'pay')]);
    for (const answer of answers) {
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toBe(`https://shop.example.test/done?session=${id}`);
    }
    expect(bench.sandbox.state.charges.size).toBe(1);
    expect(await (await open(id)).text()).toContain('already paid');
  });

  it('declining keeps the customer there, and cancelling leads back', async () => {
    const { id } = await create();
    expect(await (await choose(id, 'decline')).text()).toContain('Your card was declined');
    expect((await choose(id, 'cancel')).headers.get('location')).toBe('https://shop.example.test/back');
    expect((await choose(id, 'pay')).status).toBe(303);
    expect(bench.sandbox.state.intents.size).toBe(1);
  });

  it('an expired session cannot be paid', async () => {
    const { id } = await create();
    await bench.pass(86_400);
    expect(await (await choose(id, 'pay')).text()).toContain('expired');
    expect(bench.sandbox.state.charges.size).toBe(0);
  });

  it('an unknown session is 404', async () => {
    expect((await open('cs_test_unknown')).status).toBe(404);
  });
});

describe('deliveries', () => {
  const types = () =>
    bench.delivered.map((it) => (JSON.parse(new TextDecoder().decode(it.body)) as { type: string }).type);
  const PAID = ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed'];
  const pay = async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(bench.now()));
    bench.sandbox.complete(orderRef, 'paid');
    return orderRef;
  };

  it('every delivery of a payment is verified and names the same payment', async () => {
    await pay();
    await bench.sandbox.deliveries.settled();
    const read = bench.delivered.map((it) => bench.provider.verifyWebhook(it));
    expect(read.filter(isRefusal)).toEqual([]);
    expect(new Set(read.map((it) => ('paymentRef' in it ? `${it.paymentRef} ${it.paymentSid}` : ''))).size).toBe(1);
    expect(types()).toEqual(PAID);
  });

  it('duplicates, loss and order are what the switches say', async () => {
    bench.sandbox.turn({ duplicates: 2 });
    await pay();
    await bench.sandbox.deliveries.settled();
    expect(types().length).toBe(9);
    bench.sandbox.turn({ duplicates: 0, lossRate: 1 });
    bench.sandbox.forge({ type: 'customer.created' });
    await bench.sandbox.deliveries.settled();
    expect(types().length).toBe(9);
  });

  it('a reorder window sends in reverse', async () => {
    bench.sandbox.turn({ reorderWindow: 3 });
    await pay();
    await bench.sandbox.deliveries.settled();
    expect(types()).toEqual(PAID.toReversed());
  });

  it('a delay is waited for', async () => {
    bench.sandbox.turn({ delayMs: 60_000 });
    await pay();
    await bench.pass(59);
    expect(types()).toEqual([]);
    await bench.pass(1);
    await bench.sandbox.deliveries.settled();
    expect(types()).toEqual(PAID);
  });

  it('an event can be forged for another account and mode, and sent again', async () => {
    const orderRef = await pay();
    const forged = bench.sandbox.forge({
      type: 'checkout.session.completed',
      about: orderRef,
      livemode: true,
      account: 'acct_other',
    });
    expect(bench.sandbox.resend(String(forged), { offsetSeconds: -400 })).toBe(true);
    await bench.sandbox.deliveries.settled();
    const [first, again] = bench.delivered.slice(-2).map((it) => bench.provider.verifyWebhook(it));
    expect(first).toMatchObject({ orderRef, isLive: true, accountId: 'acct_other' });
    expect(again).toMatchObject({ code: 'signature_expired' });
  });
});

describe('the state file', () => {
  it('a killed simulator goes on where it was: orders, keys, delayed payments and deliveries', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'stripe-sandbox-'));
    const file = path.join(folder, 'state.jsonl');
    const { clock, random } = bench.ports;
    const delivered: string[] = [];
    const start = () =>
      new StripeSandbox({
        clock,
        random,
        secretKey: SECRET_KEY,
        keeper: fileKeeper(file),
        webhookUrl: 'http://webhooks.invalid/',
        webhookSecret: WEBHOOK_SECRET,
        fetch: async (_, init) => {
          delivered.push(typeof init?.body === 'string' ? init.body : '');
          return new Response();
        },
      });
    const ask = (sandbox: StripeSandbox) =>
      sandbox.api.handle({
        method: 'POST',
        path: '/v1/checkout/sessions',
        query: '',
        headers: { authorization: `Bearer ${SECRET_KEY}`, 'idempotency-key': 'key-1' },
        body: new URLSearchParams(ORDER).toString(),
      });
    const first = start();
    first.turn({ lossRate: 1 });
    const { id } = (await ask(first)).body as { id: string };
    expect(first.complete(id, 'later-succeeds')).toBe('done');
    // As if the process had died in the middle of a line; nothing of it moves any more.
    await first.close();
    appendFileSync(file, '\n{"sessions":[{"id":"cs_');

    const second = start();
    second.resume();
    await second.deliveries.settled();
    expect((await ask(second)).body).toMatchObject({ id });
    expect(delivered.length).toBe(2);
    await clock.advance(5_000);
    await second.deliveries.settled();
    expect(second.state.sessions.get(id)).toMatchObject({ paymentStatus: 'paid' });
    expect(delivered.length).toBe(5);

    const third = start();
    third.resume();
    await third.deliveries.settled();
    expect(delivered.length).toBe(5);
    expect(third.journal().charges).toEqual(second.journal().charges);
    await Promise.all([second.close(), third.close()]);
    rmSync(folder, { recursive: true });
  });
});

describe('the process', () => {
  it('tells where it listens, takes orders from the control interface, retries, and ends with its parent', async () => {
    const args = ['--secret-key', SECRET_KEY, '--until-stdin-ends'];
    const child = spawn(process.execPath, ['sandbox/stripe/main.ts', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const control = async (method: string, path: string, body?: object): Promise<Response> =>
      fetch(`${url}/_sandbox/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    expect(
      (await control('POST', 'switches', { webhookUrl: 'http://127.0.0.1:9/', webhookSecret: WEBHOOK_SECRET })).status,
    ).toBe(200);
    expect((await control('POST', 'switches', { colour: 'red' })).status).toBe(400);
    expect((await control('POST', 'faults', { kind: 'html', times: 1 })).status).toBe(200);
    expect((await fetch(`${url}/v1/account`)).headers.get('content-type')).toBe('text/html');
    expect((await control('POST', 'sessions/cs_unknown/complete')).status).toBe(404);
    expect((await control('POST', 'events', { type: 'customer.created', copies: 2 })).status).toBe(201);
    const journal = (await (await control('GET', 'journal')).json()) as Journal;
    expect(journal.deliveries.map((it) => it.type)).toEqual(['customer.created', 'customer.created']);
    expect(journal.requests).toMatchObject([{ path: '/v1/account', fault: 'html' }]);
    expect((await control('DELETE', 'switches')).status).toBe(200);
    child.stdin.end();
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
  });
});

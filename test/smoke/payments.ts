import { cardChecks } from './card-checks.ts';
import {
  cents,
  choose,
  control,
  countOfEvents,
  create,
  created,
  key,
  read,
  sessionOf,
  settled,
} from './payment-steps.ts';
import { equal, eventually, holds, type SmokeCheck } from './suite.ts';

/** From the order to the credit, with the weather that a provider's webhooks bring. */
export const payments: readonly SmokeCheck[] = [
  {
    name: 'the server is alive and ready',
    async run(smoke) {
      equal((await smoke.request('/health/live', { isOperator: false })).status, 200, 'status of /health/live');
      equal((await smoke.request('/health/ready', { isOperator: false })).status, 200, 'status of /health/ready');
    },
  },
  {
    name: 'the server is a sandbox and offers Stripe',
    async run(smoke) {
      const { json } = await smoke.request('/v1/session', { isOperator: false });
      equal([json['mode'], json['role']], ['sandbox', 'anonymous'], 'mode and role');
      holds((json['providers'] as string[]).includes('stripe'), 'stripe is not among the providers');
    },
  },
  {
    name: 'a new wallet is empty',
    async run(smoke) {
      const { walletSid, userSid } = await smoke.openWallet('Smoke: payments');
      smoke.keep('wallet', walletSid);
      smoke.keep('user', userSid);
      equal(await cents(smoke), 0, 'the balance');
    },
  },
  {
    name: 'a payment of 25 USD is created with a page to pay on',
    async run(smoke) {
      const payment = await created(smoke, '25.00');
      equal([payment.state, payment.amount, payment.currency], ['open', '25.00', 'USD'], 'the payment');
      smoke.keep('payment', payment.sid);
      smoke.keep('checkout', payment.checkout_url);
      smoke.keep('provider', new URL(payment.checkout_url).origin);
    },
  },
  {
    name: 'the checkout page shows the amount',
    async run(smoke) {
      const page = await smoke.request(smoke.recall('checkout'), { isOperator: false });
      equal(page.status, 200, 'status');
      holds(page.text.includes('25.00'), 'the page does not show 25.00');
    },
  },
  {
    name: 'nothing is credited before it is paid, even when asked to check',
    async run(smoke) {
      const answer = await smoke.request(`/v1/payments/${smoke.recall('payment')}/check`, { method: 'POST', body: {} });
      equal([answer.status, answer.json['state']], [200, 'open'], 'status and state');
      equal(await cents(smoke), 0, 'the balance');
    },
  },
  {
    name: 'paying returns the customer to the payment page',
    async run(smoke) {
      const payment = await read(smoke, smoke.recall('payment'));
      const answer = await choose(smoke, payment, 'pay');
      holds([302, 303].includes(answer.status), `paying answers ${answer.status}`);
      const location = answer.headers.get('location') ?? '';
      holds(location.includes(`/payments/${payment.sid}`), `the customer is sent to ${location}`);
    },
  },
  {
    name: 'the payment is credited with 25 USD',
    async run(smoke) {
      const payment = await settled(smoke, smoke.recall('payment'));
      equal([payment.state, payment.credited, payment.problem], ['credited', '25.00', null], 'the payment');
      equal(await cents(smoke), 2500, 'the balance');
    },
  },
  {
    name: 'lifetime_paid_cents and first_paid_at follow',
    async run(smoke) {
      const billing = await smoke.billing(smoke.recall('wallet'));
      equal(billing['lifetime_paid_cents'], 2500, 'lifetime_paid_cents');
      holds(typeof billing['first_paid_at'] === 'string', 'first_paid_at is missing');
    },
  },
  {
    name: 'checking a credited payment again changes nothing',
    async run(smoke) {
      for (let time = 0; time < 3; time += 1) {
        const { json } = await smoke.request(`/v1/payments/${smoke.recall('payment')}/check`, {
          method: 'POST',
          body: {},
        });
        equal(json['state'], 'credited', 'the state');
      }
      equal(await cents(smoke), 2500, 'the balance');
    },
  },
  {
    name: 'there is one payment event, with the provider’s reference and the original currency',
    async run(smoke) {
      const { json } = await smoke.request(`/v1/payment-events?wallet_sid=${smoke.recall('wallet')}`);
      const events = json['items'] as Record<string, unknown>[];
      equal(events.length, 1, 'the number of payment events');
      equal(
        [events[0]?.['amount_cents'], events[0]?.['currency'], events[0]?.['provider']],
        [2500, 'USD', 'stripe'],
        'the event',
      );
      holds(String(events[0]?.['external_ref']).startsWith('pi_'), 'external_ref is not a PaymentIntent');
    },
  },
  {
    name: 'JSON-RPC lists the same payment event',
    async run(smoke) {
      const { json } = await smoke.rpc('BillingService.payment_event_list', { wallet_sid: smoke.recall('wallet') });
      equal((json['result'] as { items: unknown[] }).items.length, 1, 'the number of payment events');
    },
  },
  {
    name: 'the statement has one top_up line of 25.00 with the running balance',
    async run(smoke) {
      const { json } = await smoke.request(`/v1/billings/${smoke.recall('wallet')}/statement`);
      const [line, ...others] = json['items'] as Record<string, unknown>[];
      equal([line?.['kind'], line?.['amount'], line?.['balance_after']], ['top_up', '25.00', '25.00'], 'the line');
      equal(others.length, 0, 'the number of further lines');
    },
  },
  {
    name: 'a payment without an Idempotency-Key answers 400',
    async run(smoke) {
      equal((await create(smoke, '25.00', {})).status, 400, 'status');
    },
  },
  {
    name: 'the same key answers the same bytes, and says so',
    async run(smoke) {
      const headers = key();
      const first = await create(smoke, '10.00', headers);
      const again = await create(smoke, '10.00', headers);
      equal([first.status, again.status], [201, 201], 'the statuses');
      equal(again.text, first.text, 'the second answer');
      equal(again.headers.get('idempotency-hit'), 'true', 'Idempotency-Hit');
    },
  },
  {
    name: 'a quoted key is the same key',
    async run(smoke) {
      const bare = `smoke-${crypto.randomUUID()}`;
      const first = await create(smoke, '10.00', { 'idempotency-key': bare });
      const again = await create(smoke, '10.00', { 'idempotency-key': `"${bare}"` });
      equal(again.text, first.text, 'the answer to the quoted key');
    },
  },
  {
    name: 'the same key with another amount answers 422',
    async run(smoke) {
      const headers = key();
      await create(smoke, '10.00', headers);
      const other = await create(smoke, '11.00', headers);
      equal([other.status, other.json['code']], [422, 'idempotency_key_reused'], 'status and code');
    },
  },
  {
    name: 'malformed amounts answer 400 with a pointer',
    async run(smoke) {
      for (const amount of ['-5', '1e3', ' 5', '1,000', 'NaN', '', '٥', '0x10', '+5', '5.']) {
        const answer = await create(smoke, amount);
        equal([answer.status, answer.json['code']], [400, 'invalid_request'], `status and code for "${amount}"`);
        holds(JSON.stringify(answer.json['errors']).includes('#/amount'), `no pointer to the amount for "${amount}"`);
      }
    },
  },
  {
    name: 'amounts outside the limits answer 422 and name the limits',
    async run(smoke) {
      for (const amount of ['0', '0.001', '0.01', '99999999', '9007199254740993']) {
        const answer = await create(smoke, amount);
        equal([answer.status, answer.json['code']], [422, 'amount_out_of_range'], `status and code for ${amount}`);
        holds(answer.json['details'] !== undefined, `no limits named for ${amount}`);
      }
    },
  },
  {
    name: 'a declined card credits nothing and leaves the payment open',
    async run(smoke) {
      const payment = await created(smoke, '12.00');
      const page = await choose(smoke, payment, 'decline');
      holds(
        page.text.includes('declined') || page.status === 303 || page.status === 302,
        'the page does not say declined',
      );
      equal((await read(smoke, payment.sid)).state, 'open', 'the state');
      await choose(smoke, payment, 'pay');
      equal((await settled(smoke, payment.sid)).credited, '12.00', 'credited on the second try');
      equal(await cents(smoke), 3700, 'the balance');
    },
  },
  {
    name: 'an expired checkout closes the payment and credits nothing',
    async run(smoke) {
      const payment = await created(smoke, '12.00');
      await control(smoke, `sessions/${sessionOf(payment)}/expire`, {});
      equal((await settled(smoke, payment.sid)).state, 'expired', 'the state');
      equal(await cents(smoke), 3700, 'the balance');
    },
  },
  {
    name: 'a delayed payment is credited when the money arrives, not before',
    async run(smoke) {
      const payment = await created(smoke, '13.00');
      await control(smoke, `sessions/${sessionOf(payment)}/complete`, { outcome: 'later' });
      await eventually(
        'processing',
        () => read(smoke, payment.sid),
        ({ state }) => state === 'processing',
      );
      equal(await cents(smoke), 3700, 'the balance before');
      await control(smoke, `sessions/${sessionOf(payment)}/settle`, { paid: true });
      equal((await settled(smoke, payment.sid)).state, 'credited', 'the state');
      equal(await cents(smoke), 5000, 'the balance after');
    },
  },
  {
    name: 'a delayed payment that fails credits nothing',
    async run(smoke) {
      const payment = await created(smoke, '13.00');
      await control(smoke, `sessions/${sessionOf(payment)}/complete`, { outcome: 'later' });
      await control(smoke, `sessions/${sessionOf(payment)}/settle`, { paid: false });
      equal((await settled(smoke, payment.sid)).state, 'failed', 'the state');
      equal(await cents(smoke), 5000, 'the balance');
    },
  },
  {
    name: 'twenty copies of each webhook credit once',
    async run(smoke) {
      await control(smoke, 'switches', { duplicates: 20 });
      const payment = await created(smoke, '14.00');
      await choose(smoke, payment, 'pay');
      await settled(smoke, payment.sid);
      await control(smoke, 'deliveries/settle', {});
      await control(smoke, 'switches', undefined, 'DELETE');
      equal(await cents(smoke), 6400, 'the balance');
    },
  },
  {
    name: 'with all webhooks lost, checking the payment credits it',
    async run(smoke) {
      await control(smoke, 'switches', { lossRate: 1 });
      const payment = await created(smoke, '15.00');
      await control(smoke, `sessions/${sessionOf(payment)}/complete`, { outcome: 'paid' });
      const answer = await smoke.request(`/v1/payments/${payment.sid}/check`, { method: 'POST', body: {} });
      await control(smoke, 'switches', undefined, 'DELETE');
      equal(answer.json['state'], 'credited', 'the state');
      equal(await cents(smoke), 7900, 'the balance');
    },
  },
  {
    name: 'unsigned, badly signed and stale webhooks answer 400 and leave no trace',
    async run(smoke) {
      const before = await countOfEvents(smoke);
      const stale = `t=${Math.floor(smoke.now().getTime() / 1000) - 3600},v1=${'0'.repeat(64)}`;
      const fresh = `t=${Math.floor(smoke.now().getTime() / 1000)},v1=${'0'.repeat(64)}`;
      for (const signature of [null, '', 'nonsense', stale, fresh]) {
        const headers: Record<string, string> = signature === null ? {} : { 'stripe-signature': signature };
        const answer = await smoke.request('/webhooks/stripe', {
          method: 'POST',
          rawBody: '{"id":"evt_forged","object":"event","type":"checkout.session.completed"}',
          headers,
          isOperator: false,
        });
        equal(answer.status, 400, `status for the signature ${String(signature)}`);
      }
      equal(await countOfEvents(smoke), before, 'the number of stored webhooks');
    },
  },
  {
    name: 'the webhook route takes POST only and sends no CORS header',
    async run(smoke) {
      const answer = await smoke.request('/webhooks/stripe', {
        headers: { origin: 'https://example.com' },
        isOperator: false,
      });
      equal(answer.status, 405, 'status of GET');
      equal(answer.headers.get('access-control-allow-origin'), null, 'access-control-allow-origin');
    },
  },
  {
    name: 'an authentic webhook for an order that was never ours is not credited',
    async run(smoke) {
      const before = await cents(smoke);
      const object = {
        id: 'cs_test_nobody',
        object: 'checkout.session',
        client_reference_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      };
      await control(smoke, 'events', { type: 'checkout.session.completed', object });
      await control(smoke, 'deliveries/settle', {});
      equal(await cents(smoke), before, 'the balance');
    },
  },
  {
    name: 'a payment with less than was ordered credits what was paid',
    async run(smoke) {
      await control(smoke, 'switches', { wrong: { amountCents: 400 } });
      const payment = await created(smoke, '20.00');
      await choose(smoke, payment, 'pay');
      const done = await settled(smoke, payment.sid);
      await control(smoke, 'switches', undefined, 'DELETE');
      equal([done.state, done.credited], ['credited', '4.00'], 'the payment');
      holds(done.problem !== null, 'the payment does not say that it was underpaid');
      equal(await cents(smoke), 8300, 'the balance');
    },
  },
  {
    name: 'strangers see neither the wallet nor the payment',
    async run(smoke) {
      const paths = [`/v1/billings/${smoke.recall('wallet')}`, `/v1/payments/${smoke.recall('payment')}`];
      for (const path of paths) {
        equal((await smoke.request(path, { isOperator: false })).status, 401, `status of ${path} without a credential`);
      }
      const stranger = await smoke.request('/login/sandbox', { body: { name: 'Smoke stranger' }, isOperator: false });
      const headers = { authorization: `Bearer ${String(stranger.json['token'])}` };
      for (const path of paths) {
        const { status } = await smoke.request(path, { headers, isOperator: false });
        equal(status, 404, `status of ${path} for another user`);
      }
    },
  },
  {
    name: 'a payment that is not there answers 404 as application/problem+json',
    async run(smoke) {
      const answer = await smoke.request('/v1/payments/01ARZ3NDEKTSV4RRFFQ69G5FAV');
      equal([answer.status, answer.json['code']], [404, 'not_found'], 'status and code');
      holds(
        (answer.headers.get('content-type') ?? '').startsWith('application/problem+json'),
        'not a problem document',
      );
      holds(typeof answer.json['request_id'] === 'string', 'no request_id');
    },
  },
  ...cardChecks,
  {
    name: 'the books agree: the statement’s top-ups sum to lifetime_paid_cents and to the payment events',
    async run(smoke) {
      const wallet = smoke.recall('wallet');
      const { json: statement } = await smoke.request(`/v1/billings/${wallet}/statement?limit=200`);
      const { json: events } = await smoke.request(`/v1/payment-events?wallet_sid=${wallet}&limit=200`);
      const paid = (events['items'] as { amount_cents: number }[]).reduce((sum, event) => sum + event.amount_cents, 0);
      const lines = (statement['items'] as { kind: string }[]).filter(({ kind }) => kind === 'top_up');
      equal(lines.length, (events['items'] as unknown[]).length, 'the number of top-ups');
      equal((await smoke.billing(wallet))['lifetime_paid_cents'], paid, 'lifetime_paid_cents');
      equal(await cents(smoke), paid, 'the balance');
    },
  },
];

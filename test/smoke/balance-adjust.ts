import { equal, holds, type SmokeCheck } from './suite.ts';

const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const adjust = (sid: string, balance_cents: unknown) => ({ body: { sid, balance_cents, reason: 'smoke test' } });

/** The founding surface: an operator sets a balance, and nothing else can. */
export const balanceAdjust: readonly SmokeCheck[] = [
  {
    name: 'a new wallet set to 5000 answers 0 before and 5000 after',
    async run(smoke) {
      const { walletSid } = await smoke.openWallet('Smoke: balance-adjust');
      smoke.keep('sid', walletSid);
      const { status, json } = await smoke.request('/admin/balance-adjust', adjust(walletSid, 5000));
      equal([status, json['sid'], json['prev_balance'], json['new_balance']], [200, walletSid, 0, 5000], 'the answer');
    },
  },
  {
    name: '5000 → 1234 answers prev_balance 5000 and new_balance 1234',
    async run(smoke) {
      const { status, json } = await smoke.request('/admin/balance-adjust', adjust(smoke.recall('sid'), 1234));
      equal([status, json['prev_balance'], json['new_balance']], [200, 5000, 1234], 'the answer');
    },
  },
  {
    name: 'the wallet reads 1234 over REST and JSON-RPC',
    async run(smoke) {
      const sid = smoke.recall('sid');
      equal((await smoke.billing(sid))['credit_balance_cents'], 1234, 'credit_balance_cents over REST');
      const { json } = await smoke.rpc('BillingService.billing_get', [sid]);
      equal((json['result'] as Record<string, unknown>)['credit_balance_cents'], 1234, 'credit_balance_cents over RPC');
    },
  },
  {
    name: 'BillingService.set_credit_balance(sid, balance_cents) answers the Billing',
    async run(smoke) {
      const sid = smoke.recall('sid');
      const { json } = await smoke.rpc('BillingService.set_credit_balance', [sid, 777]);
      const billing = json['result'] as Record<string, unknown>;
      equal([billing['sid'], billing['credit_balance_cents'], billing['currency']], [sid, 777, 'USD'], 'the Billing');
    },
  },
  {
    name: 'an unknown sid answers 404',
    async run(smoke) {
      const { status, json } = await smoke.request('/admin/balance-adjust', adjust(NOBODY, 1));
      equal([status, json['code']], [404, 'not_found'], 'status and code');
    },
  },
  {
    name: 'malformed bodies answer 400 and change nothing',
    async run(smoke) {
      const sid = smoke.recall('sid');
      const bodies = ['{', '[]', '{}', `{"sid":"${sid}"}`, `{"sid":"${sid}","balance_cents":"5"}`];
      bodies.push(`{"sid":"${sid}","balance_cents":1.5}`, `{"sid":"${sid}","balance_cents":1,"lifetime_paid_cents":9}`);
      for (const rawBody of bodies) {
        const { status } = await smoke.request('/admin/balance-adjust', { method: 'POST', rawBody });
        equal(status, 400, `status for ${rawBody}`);
      }
      equal((await smoke.billing(sid))['credit_balance_cents'], 777, 'the balance afterwards');
    },
  },
  {
    name: 'without the secret: 401',
    async run(smoke) {
      const { status } = await smoke.request('/admin/balance-adjust', {
        ...adjust(smoke.recall('sid'), 1),
        isOperator: false,
      });
      equal(status, 401, 'status');
    },
  },
  {
    name: 'with a wrong secret, or the right one in the URL: 401',
    async run(smoke) {
      const wrong = { 'x-hero-onboarding-admin-secret': `${smoke.target.adminSecret}x` };
      const request = { ...adjust(smoke.recall('sid'), 1), isOperator: false };
      const answer = await smoke.request('/admin/balance-adjust', { ...request, headers: wrong });
      equal(answer.status, 401, 'status for a wrong secret');
      const inUrl = `/admin/balance-adjust?admin_secret=${encodeURIComponent(smoke.target.adminSecret)}`;
      const { status } = await smoke.request(inUrl, request);
      holds(status === 401 || status === 400, `a secret in the URL answers ${status}`);
      equal((await smoke.billing(smoke.recall('sid')))['credit_balance_cents'], 777, 'the balance afterwards');
    },
  },
  {
    name: '-100 is allowed, and the next answer carries -100',
    async run(smoke) {
      const sid = smoke.recall('sid');
      const below = await smoke.request('/admin/balance-adjust', adjust(sid, -100));
      equal([below.status, below.json['new_balance']], [200, -100], 'the answer');
      const above = await smoke.request('/admin/balance-adjust', adjust(sid, 250));
      equal([above.json['prev_balance'], above.json['new_balance']], [-100, 250], 'the next answer');
    },
  },
  {
    name: 'lifetime_paid_cents is unchanged by any number of adjustments',
    async run(smoke) {
      const sid = smoke.recall('sid');
      for (const cents of [1, 2, 3]) await smoke.request('/admin/balance-adjust', adjust(sid, cents));
      equal((await smoke.billing(sid))['lifetime_paid_cents'], 0, 'lifetime_paid_cents');
    },
  },
  {
    name: 'each adjustment is one posting on the statement and one audit row with actor, reason, before and after',
    async run(smoke) {
      const sid = smoke.recall('sid');
      const { json: statement } = await smoke.request(`/v1/billings/${sid}/statement?limit=200`);
      const lines = statement['items'] as { kind: string; balance_after: string }[];
      equal(
        lines.map(({ kind, balance_after: balance }) => `${kind} ${balance}`).toReversed(),
        ['50.00', '12.34', '7.77', '-1.00', '2.50', '0.01', '0.02', '0.03'].map((balance) => `adjustment ${balance}`),
        'the statement',
      );
      const { json: audit } = await smoke.request(`/v1/audit-events?subject=${sid}&limit=200`);
      const rows = (audit['items'] as Record<string, unknown>[]).filter((row) => row['action'] === 'billing.adjust');
      equal(rows.length, 8, 'the number of audit rows');
      holds(
        rows.every((row) => String(row['actor']).startsWith('admin:') && row['before'] && row['after']),
        'every audit row names the actor, the balance before and after',
      );
      equal(rows.filter((row) => row['reason'] === 'smoke test').length, 7, 'the rows with our reason');
    },
  },
];

import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { equal, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

const HOUR_MS = 3_600_000;

/** A record that can be made again: the first time decides when it happened, because a key stands for one content. */
function record(smoke: Smoke, key: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const at = smoke.kept.get(`at ${key}`) ?? smoke.keep(`at ${key}`, smoke.now().toISOString());
  return {
    idempotency_key: `${smoke.recall('run')}-${key}`,
    user_sid: smoke.recall('user'),
    applies_to: 'hero_os_hourly',
    resource_kind: 'smoke',
    quantity: '1',
    occurred_at: at,
    ...more,
  };
}

const asNode = (smoke: Smoke, path: string, body: unknown): Promise<SmokeAnswer> =>
  smoke.request(path, { body, isOperator: false, headers: { authorization: `Bearer ${smoke.recall('key')}` } });

const report = (smoke: Smoke, records: readonly unknown[]): Promise<SmokeAnswer> =>
  asNode(smoke, '/v1/usage', { records });

const itemsOf = ({ json }: SmokeAnswer): Record<string, unknown>[] => json['items'] as Record<string, unknown>[];

/** What is told: the code of a refusal, or what became of the record. */
const outcomes = (answer: SmokeAnswer): unknown[] => itemsOf(answer).map(({ code, outcome }) => code ?? outcome);

const balance = async (smoke: Smoke): Promise<unknown> =>
  (await smoke.billing(smoke.recall('wallet')))['credit_balance'];

/** From a node's key to a charge, its explanation, and the charge taken back. */
export const recordUsage: readonly SmokeCheck[] = [
  {
    name: 'a wallet with 10 USD and a node are made',
    async run(smoke) {
      const { walletSid, userSid } = await smoke.openWallet('Smoke: usage');
      smoke.keep('wallet', walletSid);
      smoke.keep('user', userSid);
      const run = smoke.keep('run', userSid.toLowerCase());
      await smoke.request('/admin/balance-adjust', { body: { sid: walletSid, balance_cents: 1_000, reason: 'smoke' } });
      const node = await smoke.request('/v1/nodes', { body: { name: `smoke-${run}`, user_sids: [userSid] } });
      equal(node.status, 201, 'status of POST /v1/nodes');
      smoke.keep('node', node.json['sid']);
      smoke.keep('key', node.json['key']);
      holds(/^nk_[0-9a-z]{16}_[\w-]{43}$/.test(smoke.recall('key')), 'the key is not nk_<id>_<secret>');
    },
  },
  {
    name: 'an hour of Hero OS costs 0.11 USD',
    async run(smoke) {
      const [item] = itemsOf(await report(smoke, [record(smoke, 'hour')]));
      equal([item?.['outcome'], item?.['charge'], item?.['balance']], ['applied', '0.11', '9.89'], 'the answer');
      smoke.keep('entry', item?.['entry']);
    },
  },
  {
    name: 'the same record again is answered as the first time',
    async run(smoke) {
      const sent = record(smoke, 'twice');
      const first = await asNode(smoke, '/record_usage', sent);
      const again = await asNode(smoke, '/record_usage', sent);
      equal([again.status, again.text], [200, first.text], 'the second answer');
      equal(again.headers.get('idempotency-hit'), 'true', 'Idempotency-Hit');
      equal(await balance(smoke), '9.78', 'the balance');
    },
  },
  {
    name: 'the same key with another content is refused',
    async run(smoke) {
      const answer = await report(smoke, [record(smoke, 'hour', { quantity: '2' })]);
      equal(outcomes(answer), ['idempotency_key_reused'], 'the outcome');
    },
  },
  {
    name: 'a batch is judged record by record',
    async run(smoke) {
      const sent = [record(smoke, 'b1'), { nonsense: 1 }, record(smoke, 'b2', { quantity: '-1' }), record(smoke, 'b1')];
      const answer = await report(smoke, sent);
      equal(outcomes(answer), ['applied', 'invalid_request', 'invalid_request', 'applied'], 'the outcomes');
      equal(itemsOf(answer)[3]?.['is_repeated'], true, 'is_repeated of the fourth');
    },
  },
  {
    name: 'seconds cost a part of the hour, and fractions add up',
    async run(smoke) {
      const before = Number(await balance(smoke));
      const sent = Array.from({ length: 36 }, (_, index) =>
        record(smoke, `s${index}`, { quantity: '1', unit: 'second' }),
      );
      equal(new Set(outcomes(await report(smoke, sent))).size, 1, 'the number of outcomes');
      const paid = Math.round((before - Number(await balance(smoke))) * 1e6);
      equal(paid, 1_100, 'what 36 seconds cost in micro-dollars');
    },
  },
  {
    name: 'a call costs what the provider charged and the margin',
    async run(smoke) {
      const call = { applies_to: 'llm', resource_kind: 'smoke/model', cost: '0.02', provider: 'openrouter' };
      const [item] = itemsOf(await report(smoke, [record(smoke, 'llm', call)]));
      equal([item?.['outcome'], item?.['charge']], ['applied', '0.022'], 'the answer');
    },
  },
  {
    name: 'what lies in the future is refused',
    async run(smoke) {
      const future = new Date(smoke.now().getTime() + HOUR_MS).toISOString();
      equal(
        outcomes(await report(smoke, [record(smoke, 'future', { occurred_at: future })])),
        ['invalid_request'],
        'the outcome',
      );
    },
  },
  {
    name: 'another user is not this node’s to charge',
    async run(smoke) {
      const { userSid } = await smoke.openWallet('Smoke: usage of another');
      equal(
        outcomes(await report(smoke, [record(smoke, 'other', { user_sid: userSid })])),
        ['forbidden'],
        'the outcome',
      );
    },
  },
  {
    name: 'the charge is explained and proved',
    async run(smoke) {
      const path = `/v1/billings/${smoke.recall('wallet')}/statement/${smoke.recall('entry')}/explanation`;
      const { json } = await smoke.request(path);
      equal([json['charge'], json['is_proved']], ['0.11', true], 'charge and proof');
    },
  },
  {
    name: 'the charge is taken back once',
    async run(smoke) {
      const path = `/v1/billings/${smoke.recall('wallet')}/statement/${smoke.recall('entry')}/void`;
      const first = await smoke.request(path, { body: { reason: 'smoke' } });
      const again = await smoke.request(path, { body: { reason: 'smoke' } });
      equal([first.status, first.json['returned']], [200, '0.11'], 'status and amount');
      equal(again.text, first.text, 'the second answer');
    },
  },
  {
    name: 'usage by category adds up to what was paid',
    async run(smoke) {
      const items = itemsOf(await smoke.request(`/v1/billings/${smoke.recall('wallet')}/usage?by=category`));
      equal(
        items.map(({ key, unit }) => `${String(key)} in ${String(unit)}s`),
        ['hero_os_hourly in hours', 'hero_os_hourly in seconds', 'llm in calls'],
        'the categories',
      );
      const sum = items.reduce((total, { charge }) => total + Number(charge), 0);
      equal(sum.toFixed(6), (10 - Number(await balance(smoke))).toFixed(6), 'the sum');
    },
  },
  {
    name: 'numbered records tell what has not come, and a late one closes the gap',
    async run(smoke) {
      const vm = { quantity: '0.001' };
      const first = await report(smoke, [
        record(smoke, 'n1', { ...vm, seq: 1 }),
        record(smoke, 'n3', { ...vm, seq: 3 }),
      ]);
      const gapsOf = ({ json }: SmokeAnswer): unknown =>
        (json['streams'] as { missing: number; gaps: { from: number; to: number }[] }[]).map(({ missing, gaps }) => [
          missing,
          gaps.map(({ from, to }) => [from, to]),
        ]);
      equal(gapsOf(first), [[1, [[2, 2]]]], 'the gaps');
      equal(gapsOf(await report(smoke, [record(smoke, 'n2', { ...vm, seq: 2 })])), [[0, []]], 'the gaps after it');
      const shown = itemsOf(await smoke.request(`/v1/nodes/${smoke.recall('node')}/gaps`));
      equal([shown[0]?.['last'], shown[0]?.['missing']], [3, 0], 'what the operator is shown');
    },
  },
  {
    name: 'a node whose clock is a day ahead is told so',
    async run(smoke) {
      const sentAt = new Date(smoke.now().getTime() + 24 * HOUR_MS).toISOString();
      const body = { records: [record(smoke, 'ahead', { occurred_at: sentAt })] };
      const answer = await smoke.request('/v1/usage', {
        body,
        isOperator: false,
        headers: { authorization: `Bearer ${smoke.recall('key')}`, 'x-hero-onboarding-sent-at': sentAt },
      });
      holds(
        /your clock seems to be .* ahead/.test(String(itemsOf(answer)[0]?.['message'])),
        'the refusal does not say so',
      );
      const skew = Number(answer.headers.get('x-hero-onboarding-clock-skew'));
      holds(skew > 86_000 && skew < 86_800, `the skew is ${skew}`);
    },
  },
  {
    name: 'a lease sets money aside, its token is verified without us, and usage is taken out of it',
    async run(smoke) {
      const before = Number(await balance(smoke));
      const bearer = { authorization: `Bearer ${smoke.recall('key')}` };
      const granted = await smoke.request('/v1/leases', {
        body: { user_sid: smoke.recall('user'), amount: '1', seconds: 600 },
        isOperator: false,
        headers: { ...bearer, 'idempotency-key': `${smoke.recall('run')}-lease` },
      });
      equal(granted.status, 201, 'status of POST /v1/leases');
      const { keys } = (await smoke.request('/.well-known/jwks.json', { isOperator: false })).json as {
        keys: JsonWebKey[];
      };
      const [head, claims, signature] = String(granted.json['token']).split('.');
      const [key] = keys.map((jwk) => createPublicKey({ key: { ...jwk }, format: 'jwk' }));
      const isSigned = verify(
        null,
        Buffer.from(`${head}.${claims}`),
        key ?? '',
        Buffer.from(signature ?? '', 'base64url'),
      );
      holds(isSigned, 'the token is not signed by the key of /.well-known/jwks.json');
      const { sid } = granted.json['lease'] as { sid: string };
      const settled = await asNode(smoke, `/v1/leases/${sid}/settle`, { records: [record(smoke, 'leased')] });
      const lease = settled.json['lease'] as Record<string, unknown>;
      equal([lease['state'], lease['drawn']], ['released', '0.11'], 'the lease');
      equal((before - Number(await balance(smoke))).toFixed(6), '0.110000', 'what it cost');
    },
  },
  {
    name: 'the runway is told',
    async run(smoke) {
      const { json } = await smoke.request(`/v1/billings/${smoke.recall('wallet')}/runway`);
      holds(/^\d+ d \d+ h at the present rate$/.test(String(json['text'])), `the runway is "${String(json['text'])}"`);
    },
  },
  {
    name: 'usage past the limit is kept as unbilled',
    async run(smoke) {
      equal(
        outcomes(await report(smoke, [record(smoke, 'much', { quantity: '500' })])),
        ['insufficient_balance'],
        'the outcome',
      );
      const listed = itemsOf(await smoke.request(`/v1/usage/unbilled?wallet_sid=${smoke.recall('wallet')}`));
      equal(
        listed.map(({ amount }) => amount),
        ['55.00'],
        'what is unbilled',
      );
    },
  },
  {
    name: 'a revoked key is nobody’s',
    async run(smoke) {
      const revoked = await smoke.request(`/v1/nodes/${smoke.recall('node')}/revoke`, { body: { reason: 'smoke' } });
      equal(revoked.status, 200, 'status of the revocation');
      equal((await report(smoke, [record(smoke, 'late')])).status, 401, 'status after it');
    },
  },
];

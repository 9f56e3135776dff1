import { equal, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

const DAY_MS = 86_400_000;

/** Use on every sixth day: the grace is a week. */
const daysAgo = (smoke: Smoke, days: number): string => new Date(smoke.now().getTime() - days * DAY_MS).toISOString();

async function charge(smoke: Smoke, key: string, days: number, more: Record<string, unknown> = {}): Promise<unknown> {
  const record = {
    idempotency_key: `${smoke.recall('run')}-${key}`,
    user_sid: smoke.recall('user'),
    applies_to: 'hero_os_hourly',
    resource_kind: 'smoke',
    quantity: '1',
    occurred_at: daysAgo(smoke, days),
    ...more,
  };
  const headers = { authorization: `Bearer ${smoke.recall('key')}` };
  const { json } = await smoke.request('/v1/usage', { body: { records: [record] }, isOperator: false, headers });
  const [item] = json['items'] as Record<string, unknown>[];
  if (item?.['outcome'] !== 'applied') throw new Error(`the record came to ${JSON.stringify(item)}`);
  smoke.keep('entry', item['entry']);
  return item['charge'];
}

const explain = (smoke: Smoke): Promise<SmokeAnswer> =>
  smoke.request(`/v1/billings/${smoke.recall('wallet')}/statement/${smoke.recall('entry')}/explanation`);

/** The price falls with continuous use, and each charge proves its rung. */
export const discountLadder: readonly SmokeCheck[] = [
  {
    name: 'the ladders are listed: half after 7 days, a quarter after 30',
    async run(smoke) {
      const { json } = await smoke.request('/v1/ladders');
      const ladders = json['items'] as { category: string; version: number; rungs: unknown }[];
      const rungs = [
        { after_days: 7, multiplier: '0.5' },
        { after_days: 30, multiplier: '0.25' },
      ];
      for (const category of ['hero_os_hourly', 'llm']) {
        const first = ladders.find((one) => one.category === category && one.version === 1);
        equal(first?.rungs, rungs, `the rungs of ${category}`);
      }
    },
  },
  {
    name: 'the first day of use has the list price',
    async run(smoke) {
      const { walletSid, userSid } = await smoke.openWallet('Smoke: ladder');
      smoke.keep('wallet', walletSid);
      smoke.keep('user', userSid);
      const run = smoke.keep('run', userSid.toLowerCase());
      await smoke.request('/admin/balance-adjust', { body: { sid: walletSid, balance_cents: 1_000, reason: 'smoke' } });
      smoke.keep('key', (await smoke.request('/v1/nodes', { body: { name: `ladder-${run}` } })).json['key']);
      equal(await charge(smoke, 'd36', 36), '0.11', 'the charge');
    },
  },
  {
    name: 'six days later too',
    run: async (smoke) => equal(await charge(smoke, 'd30', 30), '0.11', 'the charge'),
  },
  {
    name: 'after a week the price is halved',
    run: async (smoke) => equal(await charge(smoke, 'd24', 24), '0.055', 'the charge'),
  },
  {
    name: 'the explanation says since when and proves it',
    async run(smoke) {
      const { json } = await explain(smoke);
      equal(json['is_proved'], true, 'is_proved');
      holds(
        JSON.stringify(json['steps']).includes('times 0.5 by version'),
        `the steps are ${JSON.stringify(json['steps'])}`,
      );
    },
  },
  {
    name: 'a record that comes late has the rung of its own day',
    run: async (smoke) => equal(await charge(smoke, 'd33', 33), '0.11', 'the charge'),
  },
  {
    name: 'after a month of continuous use it is a quarter',
    async run(smoke) {
      for (const days of [18, 12])
        equal(await charge(smoke, `d${days}`, days), '0.055', `the charge of ${days} days ago`);
      equal(await charge(smoke, 'd5', 5.5), '0.0275', 'the charge');
    },
  },
  {
    name: 'another category has a run of its own, and no discount goes below the cost',
    async run(smoke) {
      const call = { applies_to: 'llm', resource_kind: 'smoke', cost: '0.10', provider: 'openrouter' };
      equal(await charge(smoke, 'llm20', 20, call), '0.11', 'the first call');
      equal(await charge(smoke, 'llm14', 14, call), '0.11', 'the second call');
      equal(await charge(smoke, 'llm8', 8, call), '0.10', 'the third call');
    },
  },
  {
    name: 'a gap longer than the grace ends the run',
    async run(smoke) {
      const call = { applies_to: 'llm', resource_kind: 'smoke', cost: '0.10', provider: 'openrouter' };
      equal(await charge(smoke, 'llm0', 0, call), '0.11', 'the charge after 8 days');
    },
  },
];

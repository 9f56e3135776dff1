import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FRACTIONS_PER_MICRO } from '../../src/domain/ledger/posting.ts';
import { chargeOf } from '../../src/domain/usage/charge.ts';
import { costOfTokens } from '../../src/domain/usage/model-price.ts';
import { propertySeed } from '../support/property-seed.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Reporting } from './reporting.ts';

const seed = propertySeed('model prices');
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const create = (more: Record<string, unknown>): Promise<Answer> => site.operator('POST', '/v1/model-prices', more);
const call = (userSid: string, more: Record<string, unknown>) =>
  usage(userSid, { applies_to: 'llm', provider: 'groq', ...more });
const balanceOf = async (sid: string): Promise<unknown> =>
  (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
async function owedTo(provider: string): Promise<bigint> {
  const [row] = await site.database.owner.query<{ sum: bigint }>(
    {
      name: 'test.owed',
      text: `select coalesce(sum(amount), 0)::int8 as sum from batch_leg join system_account on id = account where code = $1`,
    },
    [`payable:llm:${provider}`],
  );
  return row?.sum ?? 0n;
}

describe('tokens', () => {
  test('make the cost by the model’s price, exactly; the margin comes on top, and the explanation shows both', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const price = { provider: 'groq', model: 'llama', input: '0.59', cached_input: '0.295', output: '0.79' };
    const created = await create(price);
    expect([created.status, created.json]).toMatchObject([201, price]);
    const tokens = { input: 1_001, cached_input: 401, output: 333 };
    const answer = await report(node, [call(userSid, { resource_kind: 'llama', tokens })]);
    // 600 × 0.59 + 401 × 0.295 + 333 × 0.79 = 735.365 micro-dollars; with 10 %, 808.9015.
    expect(itemsOf(answer)).toMatchObject([{ outcome: 'applied', charge: '0.000808' }]);
    expect(await owedTo('groq')).toBe(735n);
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(line).toMatchObject({ about: { cost: '0.000735365', tokens, model_price: created.json['sid'] } });
    const explained = await site.operator('GET', `/v1/billings/${sid}/statement/2/explanation`);
    expect(explained.json).toMatchObject({
      is_proved: true,
      steps: [
        {
          what: '600 input tokens at $0.59, 401 cached input tokens at $0.295, 333 output tokens at $0.79 a million, by groq for llama',
          amount: '0.000735365',
        },
        { what: 'The provider’s cost of $0.000735365 and a margin of 10 %', amount: '0.0008089015' },
        {},
        { amount: '0.000808' },
      ],
    });
    const back = await site.operator('POST', `/v1/billings/${sid}/statement/2/void`, { reason: 'a test' });
    expect(back.json['credit_balance']).toBe('10.00');
    expect(await owedTo('groq')).toBe(0n);
  });

  test('of a record with a cost are kept and change nothing', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const tokens = { input: 10, output: 20 };
    const sent = call(userSid, { resource_kind: 'no-such', tokens, cost: '0.5', provider: 'openrouter' });
    expect(itemsOf(await report(node, [sent]))).toMatchObject([{ charge: '0.55' }]);
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(line).toMatchObject({ about: { cost: '0.5', tokens } });
    expect((line?.['about'] as object) ?? {}).not.toHaveProperty('model_price');
  });

  test('have the price of their time; a record that is repeated after a new one is answered as the first time', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const model = { provider: 'groq', model: 'dated' };
    const early = site.ports.clock.now().toISOString();
    expect((await create({ ...model, input: '1', output: '2' })).json['cached_input']).toBe('1');
    await site.ports.clock.advance(HOUR_MS);
    await create({
      ...model,
      input: '3',
      output: '4',
      active_from: new Date(site.ports.clock.now().getTime() + HOUR_MS).toISOString(),
    });
    const of = (more: Record<string, unknown> = {}) =>
      call(userSid, { resource_kind: 'dated', tokens: { input: 1_000_000, output: 0 }, ...more });
    const first = of();
    expect(itemsOf(await report(node, [first]))).toMatchObject([{ charge: '1.10' }]);
    await site.ports.clock.advance(HOUR_MS);
    const answer = await report(node, [first, of(), of({ occurred_at: early })]);
    expect(itemsOf(answer)).toMatchObject([
      { charge: '1.10', is_repeated: true },
      { charge: '3.30' },
      { charge: '1.10' },
    ]);
    expect(await balanceOf(sid)).toBe('4.50');
    const listed = itemsOf(await site.operator('GET', '/v1/model-prices?provider=groq&model=dated'));
    expect(listed.map(({ input }) => input)).toEqual(['3', '1']);
  });

  test('without a cost and a price are refused, and the refusal says what to send', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const tokens = { input: 5, output: 5 };
    const answer = await report(node, [
      call(userSid, { resource_kind: 'unheard', tokens }),
      call(userSid, { resource_kind: 'unheard', tokens, provider: undefined }),
      call(userSid, { resource_kind: 'unheard' }),
      call(userSid, { resource_kind: 'unheard', tokens: { input: 5, output: 5, cached_input: 6 } }),
      call(userSid, { resource_kind: 'unheard', tokens: { input: -1, output: 5 } }),
      call(userSid, { resource_kind: 'unheard', tokens: { input: 5 } }),
    ]);
    expect(itemsOf(answer)).toMatchObject([
      { code: 'state_conflict', message: expect.stringContaining('model-price.create') as string },
      { code: 'invalid_request', message: expect.stringContaining('#/provider is required with tokens') as string },
      { code: 'invalid_request', message: expect.stringContaining('send cost and provider, or') as string },
      { code: 'invalid_request', message: expect.stringContaining('#/tokens/cached_input') as string },
      { code: 'invalid_request' },
      { code: 'invalid_request' },
    ]);
    expect(
      outcomesOf(await report(node, [call(userSid, { resource_kind: 'u', tokens, cost: '0', provider: 'groq' })])),
    ).toEqual(['applied']);
  });

  test('come to a whole number of parts, whatever the price, the margin and the discount, and no payable exceeds the cost', () => {
    const counts = fc.integer({ min: 0, max: 1_000_000_000 });
    const amounts = fc.bigInt(0n, 10n ** 12n);
    fc.assert(
      fc.property(
        fc.record({ input: counts, share: fc.integer({ min: 0, max: 100 }), output: counts }),
        fc.record({ input: amounts, cachedInput: amounts, output: amounts }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.boolean(),
        (used, model, margin, multiplier, isFloorAtCost) => {
          const cachedInput = Math.floor((used.input * used.share) / 100);
          const tokens = { input: used.input, cachedInput, output: used.output };
          const row = { sid: 'm', provider: 'p', model: 'm', activeFrom: new Date(0), ...model };
          const cost = costOfTokens(tokens, row);
          const price = {
            sid: 'p',
            category: 'llm',
            resourceKind: null,
            kind: 'cost_plus',
            unit: 'call',
            amount: 0n,
            margin: BigInt(margin),
            tiers: [],
            packageSize: null,
            activeFrom: new Date(0),
          } as const;
          const measured = { quantity: 1_000_000n, unit: 'call', cost };
          const charge = chargeOf(measured, price, { multiplier: BigInt(multiplier), isFloorAtCost });
          if (typeof charge === 'string') throw new Error(charge);
          // In dollars: tokens × dollars a million / a million, by schoolbook over one denominator.
          const top =
            BigInt(used.input - cachedInput) * model.input +
            BigInt(cachedInput) * model.cachedInput +
            BigInt(used.output) * model.output;
          const exact = top * (10_000n + BigInt(margin)) * BigInt(multiplier);
          const floor = isFloorAtCost ? top * 10n ** 8n : 0n;
          const owed = exact < floor ? floor : exact;
          expect(charge.parts * 10n ** 12n * 10n ** 8n).toBe(owed * FRACTIONS_PER_MICRO * 10n ** 6n);
          expect(charge.cost).toBe(top / 10n ** 6n);
        },
      ),
      { seed, numRuns: 500 },
    );
  });
});

describe('a model price', () => {
  test('is refused where it is wrong, and twice for one instant', async () => {
    const good = { provider: 'groq', model: 'checked', input: '1', output: '2' };
    const wrong = [
      ['#/input', { input: '1e3' }],
      ['#/cached_input', { cached_input: '0.0000001' }],
      ['#/output', { output: '1000001' }],
      ['#/provider', { provider: 'Groq' }],
    ] as const;
    for (const [pointer, more] of wrong) {
      const answer = await create({ ...good, ...more });
      expect([answer.status, answer.json['errors']]).toMatchObject([400, [{ pointer }]]);
    }
    expect((await create(good)).status).toBe(201);
    expect(codeOf(await create(good))).toBe('state_conflict');
    const past = await create({ ...good, active_from: '2020-01-01T00:00:00Z' });
    expect([past.status, past.json['errors']]).toMatchObject([400, [{ pointer: '#/active_from' }]]);
    const audit = itemsOf(await site.operator('GET', '/v1/audit-events?limit=200'));
    const made = audit.filter(
      ({ action, after }) => action === 'model-price.create' && (after as { model: string }).model === 'checked',
    );
    expect(made).toMatchObject([{ after: { input: '1', cached_input: '1', output: '2' } }]);
  });

  test('may begin in the past if it is the first, once: calls that waited for it are then charged', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const waiting = call(userSid, { resource_kind: 'late', tokens: { input: 1_000_000, output: 0 } });
    expect(outcomesOf(await report(node, [waiting]))).toEqual(['state_conflict']);
    await site.ports.clock.advance(HOUR_MS);
    const first = { provider: 'groq', model: 'late', input: '1', output: '1', active_from: '2020-01-01T00:00:00Z' };
    const created = await Promise.all([create(first), create({ ...first, active_from: '2021-01-01T00:00:00Z' })]);
    expect(created.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, 400]);
    expect(itemsOf(await report(node, [waiting]))).toMatchObject([{ outcome: 'applied', charge: '1.10' }]);
  });

  test('is set by operators only', async () => {
    const node = await site.node();
    const body = { provider: 'groq', model: 'x', input: '1', output: '2' };
    for (const path of ['/v1/model-prices', '/v1/prices']) {
      expect((await site.call('POST', path, { body, headers: node.headers })).status).toBe(403);
      expect((await site.call('POST', path, { body })).status).toBe(401);
    }
    expect((await site.call('GET', '/v1/model-prices', { headers: node.headers })).status).toBe(403);
  });

  test('is never edited: neither the application nor the owner may', async () => {
    const edit = { name: 'test.edit', text: `update model_price set input_amount = 0` };
    await expect(site.database.db.query(edit)).rejects.toThrow(/permission denied/);
    await expect(site.database.owner.query(edit)).rejects.toThrow(/append-only|refuse/i);
  });
});

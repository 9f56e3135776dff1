import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditList } from '../../src/operations/audit/list.ts';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { billingGet } from '../../src/operations/billing/get.ts';
import { billingList } from '../../src/operations/billing/list.ts';
import { billingSetCreditBalance } from '../../src/operations/billing/set-credit-balance.ts';
import { billingStatement } from '../../src/operations/billing/statement.ts';
import { userCreate } from '../../src/operations/user/create.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

const OPERATOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;
const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly replayed: boolean;
  readonly json: Record<string, unknown>;
}

describe('balance adjust', () => {
  let database: TestDatabase;
  let ports: TestPorts;
  let house: House;

  beforeAll(async () => {
    database = await testDatabase();
    ports = testPorts({ seed: 9 });
    house = testHouse({ db: database.db, ports });
  });
  afterAll(async () => {
    await house.lanes.close();
    await database.close();
  });

  async function call(
    operation: Operation,
    input: object,
    key: string | null = null,
    actor: Actor = OPERATOR,
  ): Promise<Answer> {
    const { ids } = ports;
    const reply = await execute(house, operation, { actor, input, idempotencyKey: key, requestId: ids.requestId() });
    const json = JSON.parse(reply.body) as Record<string, unknown>;
    return { status: reply.status, body: reply.body, replayed: reply.replayed, json };
  }
  async function wallet(): Promise<string> {
    const { json } = await call(userCreate, { display_name: 'Asha' });
    return (json['billing'] as { sid: string }).sid;
  }
  const items = (answer: Answer) => answer.json['items'] as Record<string, unknown>[];

  it('5000 → 1234 answers prev_balance 5000 and new_balance 1234', async () => {
    const sid = await wallet();
    await call(billingAdjust, { sid, balance_cents: 5000 });
    const { status, json } = await call(billingAdjust, { sid, balance_cents: 1234, reason: 'goodwill' });
    expect([status, json]).toMatchObject([
      200,
      { sid, prev_balance: 5000, new_balance: 1234, change_cents: -3766, dry_run: false },
    ]);
    expect((await call(billingGet, { sid })).json).toMatchObject({
      credit_balance_cents: 1234,
      lifetime_paid_cents: 0,
    });
  });

  it('−100 is allowed, and the next answer carries −100', async () => {
    const sid = await wallet();
    expect((await call(billingAdjust, { sid, balance_cents: -100 })).json['new_balance']).toBe(-100);
    expect((await call(billingAdjust, { sid, balance_cents: 50 })).json['prev_balance']).toBe(-100);
  });

  it('an unknown sid answers 404, a malformed body 400 with pointers, an absurd balance 422', async () => {
    expect((await call(billingAdjust, { sid: NOBODY, balance_cents: 1 })).status).toBe(404);
    const malformed = await call(billingAdjust, { sid: 'x', balance_cents: 1.5, role: 'admin' });
    expect(malformed.status).toBe(400);
    expect(JSON.stringify(malformed.json['errors'])).toContain('#/balance_cents');
    expect((await call(billingAdjust, { sid: await wallet(), balance_cents: 2 ** 52 })).status).toBe(422);
  });

  it('each adjustment is one posting against equity:adjustment, one audit row and one log line', async () => {
    const sid = await wallet();
    ports.log.lines.length = 0;
    await call(billingAdjust, { sid, balance_cents: 700, reason: 'cash at the desk' });
    const lines = items(await call(billingStatement, { sid }));
    expect(lines).toMatchObject([{ seq: 1, kind: 'adjustment', amount: '7.00', description: 'cash at the desk' }]);
    const audit = items(await call(auditList, { subject: sid })).filter(({ action }) => action === 'billing.adjust');
    expect(audit).toMatchObject([
      { actor: 'admin:test', reason: 'cash at the desk', before: { balance: '0.00' }, after: { balance: '7.00' } },
    ]);
    expect(ports.log.lines.filter(({ message }) => message === 'balance adjusted')).toHaveLength(1);
  });

  it('a customer’s statement says what, not who: the actor and the request are for operators', async () => {
    const { json } = await call(userCreate, { display_name: 'Baraka' });
    const { sid, user_sid: userSid } = json['billing'] as { sid: string; user_sid: string };
    await call(billingAdjust, { sid, balance_cents: 700, reason: 'goodwill' });
    const owner = { kind: 'user', id: `user:${userSid}`, userSid } as const;
    expect(items(await call(billingStatement, { sid }, null, owner))[0]?.['about']).toEqual({
      description: 'goodwill',
    });
    expect(items(await call(billingStatement, { sid }))[0]?.['about']).toMatchObject({ actor: 'admin:test' });
  });

  it('an adjustment to the balance there is moves nothing and is audited', async () => {
    const sid = await wallet();
    const { json } = await call(billingAdjust, { sid, balance_cents: 0 });
    expect(json).toMatchObject({ prev_balance: 0, new_balance: 0 });
    expect(items(await call(billingStatement, { sid }))).toEqual([]);
    expect(
      items(await call(auditList, { subject: sid })).filter(({ action }) => action === 'billing.adjust'),
    ).toHaveLength(1);
  });

  it('a dry run says what would happen and writes nothing', async () => {
    const sid = await wallet();
    const { json } = await call(billingAdjust, { sid, balance_cents: 900, dry_run: true });
    expect(json).toMatchObject({
      prev_balance: 0,
      new_balance: 900,
      dry_run: true,
      billing: { credit_balance_cents: 900 },
    });
    expect((await call(billingGet, { sid })).json['credit_balance_cents']).toBe(0);
    expect(items(await call(auditList, { subject: sid })).filter(({ action }) => action === 'billing.adjust')).toEqual(
      [],
    );
  });

  it('with a key the answer is given again byte for byte; another body is refused', async () => {
    const sid = await wallet();
    const first = await call(billingAdjust, { sid, balance_cents: 300 }, 'adjust-key');
    await call(billingAdjust, { sid, balance_cents: 400 });
    const again = await call(billingAdjust, { balance_cents: 300, sid }, 'adjust-key');
    expect([again.body, again.replayed]).toEqual([first.body, true]);
    expect((await call(billingAdjust, { sid, balance_cents: 301 }, 'adjust-key')).status).toBe(422);
    expect((await call(billingGet, { sid })).json['credit_balance_cents']).toBe(400);
  });

  it('C07 twenty operators at once: each posting starts where the one before ended', async () => {
    const sid = await wallet();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => call(billingAdjust, { sid, balance_cents: index * 100 })),
    );
    const lines = items(await call(billingStatement, { sid, limit: 100 }));
    const sum = lines.reduce((total, line) => total + Math.round(Number(line['amount']) * 1e6), 0);
    expect(Math.round(Number(lines[0]?.['balance_after']) * 1e6)).toBe(sum);
    const last = (await call(billingGet, { sid })).json['credit_balance'];
    expect(last).toBe(lines[0]?.['balance_after']);
  });

  it('set_credit_balance is the same adjustment and answers the Billing', async () => {
    const sid = await wallet();
    const { json } = await call(billingSetCreditBalance, { sid, balance_cents: -250 });
    expect(json).toMatchObject({
      sid,
      credit_balance_cents: -250,
      credit_balance: '-2.50',
      lifetime_paid_cents: 0,
      currency: 'USD',
    });
    expect(items(await call(billingStatement, { sid }))).toMatchObject([{ kind: 'adjustment', amount: '-2.50' }]);
  });

  it('E15 over the operation: a debit answered 402 stays 402 after a top-up, byte for byte', async () => {
    const sid = await wallet();
    const input = { sid, amount: '5.00', description: 'an hour' };
    const first = await call(billingDebit, input, 'poor');
    expect([first.status, first.json['code'], first.replayed]).toEqual([402, 'insufficient_balance', false]);
    await call(billingAdjust, { sid, balance_cents: 1000 });
    const again = await call(billingDebit, input, 'poor');
    expect([again.status, again.body, again.replayed]).toEqual([402, first.body, true]);
    const rich = await call(billingDebit, input, 'rich');
    expect([rich.status, rich.json['credit_balance']]).toEqual([200, '5.00']);
    expect((await call(billingDebit, input, 'rich')).body).toBe(rich.body);
    expect((await call(billingDebit, { ...input, amount: '6.00' }, 'rich')).status).toBe(422);
  });

  it('F03 a debit repeated with another of the operators’ credentials is the same debit: a rotated secret charges nobody twice', async () => {
    const sid = await wallet();
    await call(billingAdjust, { sid, balance_cents: 1000 });
    const input = { sid, amount: '1.00', description: 'an hour' };
    const first = await call(billingDebit, input, 'shared');
    const again = await call(billingDebit, input, 'shared', {
      kind: 'operator',
      id: 'admin:other',
      role: 'admin',
      userSid: null,
    });
    expect([again.body, again.replayed]).toEqual([first.body, true]);
    expect((await call(billingGet, { sid })).json['credit_balance_cents']).toBe(900);
  });

  it('K04 a search for per cent signs finds per cent signs', async () => {
    await call(userCreate, { display_name: '100%_sure\\' });
    expect(items(await call(billingList, { search: '%%%%%' }))).toEqual([]);
    expect(items(await call(billingList, { search: '100%_sure\\' }))).toHaveLength(1);
  });

  it('D15 pages follow one another without a gap or a repetition', async () => {
    const sid = await wallet();
    for (let cents = 1; cents <= 7; cents += 1) await call(billingAdjust, { sid, balance_cents: cents });
    const seen: unknown[] = [];
    let cursor: unknown;
    do {
      const page = await call(billingStatement, { sid, limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...items(page).map(({ seq }) => seq));
      cursor = page.json['next_cursor'] ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it('leaves a sound ledger', async () => {
    expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  });
});

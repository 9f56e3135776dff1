import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expireGrants } from '../../src/operations/grant/expire.ts';
import { expireHolds } from '../../src/operations/hold/expire.ts';
import { availableOf } from '../../src/store/grant.ts';
import { readWalletBySid } from '../../src/store/wallet.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, reporting, type Reporting } from '../usage/reporting.ts';

const DAY_MS = 24 * HOUR_MS;
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
let keys = 0;
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
// Recomputes every promise of the ledger.
afterAll(() => closeSound(site));

const keyed = (method: 'POST', path: string, body: Record<string, unknown>, key = `grant-${(keys += 1)}`) =>
  site.operator(method, path, body, { 'idempotency-key': key });
const inDays = (days: number): string => new Date(site.ports.clock.now().getTime() + days * DAY_MS).toISOString();
const give = (sid: string, amount: string, more: Record<string, unknown> = {}, key?: string): Promise<Answer> =>
  keyed('POST', '/v1/grants', { wallet_sid: sid, amount, reason: 'Welcome', ...more }, key);
const debit = (sid: string, amount: string, key?: string): Promise<Answer> =>
  keyed('POST', `/v1/billings/${sid}/debits`, { amount, description: 'a call' }, key);
/** Paid + given. */
const standOf = async (sid: string): Promise<string> => {
  const { json } = await site.operator('GET', `/v1/billings/${sid}`);
  return `${String(json['credit_balance'])} + ${String(json['given'])}`;
};
const grantsOf = async (sid: string): Promise<Record<string, unknown>[]> =>
  itemsOf(await site.operator('GET', `/v1/grants?wallet_sid=${sid}`)).toReversed();
const leftOf = async (sid: string) =>
  (await grantsOf(sid)).map(({ left, state }) => `${String(left)} ${String(state)}`);
const linesOf = async (sid: string) =>
  itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`)).map(({ kind, amount, balance_after: after }) => [
    kind,
    amount,
    after,
  ]);
const hold = async (sid: string, amount: string, seconds = 3_600): Promise<string> => {
  const body = { wallet_sid: sid, amount, description: 'a call', expires_in_seconds: seconds };
  return String((await keyed('POST', '/v1/holds', body)).json['sid']);
};
const endHold = (sid: string, how: string, body: Record<string, unknown> = {}) =>
  keyed('POST', `/v1/holds/${sid}/${how}`, body);

describe('given credit', () => {
  test('is used before what was paid: what ends first, then by priority, then the older; the line is the whole debit', async () => {
    const { sid } = await site.wallet(1_000);
    await give(sid, '1', { reason: 'no end' });
    await give(sid, '1', { expires_at: inDays(30), priority: 9 });
    await give(sid, '1', { expires_at: inDays(30), priority: 1 });
    await give(sid, '1', { expires_at: inDays(30), priority: 1 });
    await give(sid, '1', { expires_at: inDays(3), priority: 500 });
    const order: string[] = [];
    for (let number = 0; number < 5; number += 1) {
      await debit(sid, '0.9');
      const lefts = (await grantsOf(sid)).map(({ left }) => String(left));
      order.push(lefts.join(' '));
    }
    expect(order).toEqual([
      '1.00 1.00 1.00 1.00 0.10',
      '1.00 1.00 0.20 1.00 0.00',
      '1.00 1.00 0.00 0.30 0.00',
      '1.00 0.40 0.00 0.00 0.00',
      '0.50 0.00 0.00 0.00 0.00',
    ]);
    const last = await debit(sid, '2.5');
    expect(last.json).toMatchObject({ credit_balance: '8.00', entry: { amount: '-2.50', balance_after: '8.00' } });
    expect((await linesOf(sid)).slice(0, 2)).toEqual([
      ['debit', '-2.50', '8.00'],
      ['grant_use', '0.50', '10.50'],
    ]);
    expect(await standOf(sid)).toBe('8.00 + 0.00');
  });

  test('counts in what can be spent, never in the balance, and never as paid', async () => {
    const { sid } = await site.wallet(200);
    const given = await give(sid, '3');
    expect(given.json).toMatchObject({ amount: '3.00', left: '3.00', used: '0.00', state: 'open', kind: 'goodwill' });
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json).toMatchObject({
      credit_balance: '2.00',
      credit_balance_cents: 200,
      given: '3.00',
      given_cents: 300,
      available: '5.00',
      available_cents: 500,
      lifetime_paid_cents: 0,
    });
    const wallet = await readWalletBySid(site.house.db, sid);
    expect(wallet && (await availableOf(site.house.db, wallet.id))).toEqual({
      paid: 2_000_000n,
      given: 3_000_000n,
      available: 5_000_000n,
    });
    expect(codeOf(await debit(sid, '5.000001'))).toBe('insufficient_balance');
    expect((await debit(sid, '5')).json).toMatchObject({ credit_balance: '0.00' });
    expect(await standOf(sid)).toBe('0.00 + 0.00');
  });

  test('lets a wallet that owes something spend it, and does not pay the debt', async () => {
    const { sid } = await site.wallet(-500);
    await give(sid, '8');
    expect(codeOf(await debit(sid, '3.01'))).toBe('insufficient_balance');
    expect((await debit(sid, '3')).status).toBe(200);
    expect(await standOf(sid)).toBe('-5.00 + 5.00');
  });

  test('is given and used once for a key, and answered byte for byte', async () => {
    const { sid } = await site.wallet(100);
    const answers = await Promise.all(Array.from({ length: 8 }, () => give(sid, '2', {}, `once-${sid}`)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const debits = await Promise.all(Array.from({ length: 8 }, () => debit(sid, '2.5', `debit-${sid}`)));
    expect(new Set(debits.map(({ text }) => text)).size).toBe(1);
    expect(await standOf(sid)).toBe('0.50 + 0.00');
    expect(codeOf(await give(sid, '3', {}, `once-${sid}`))).toBe('idempotency_key_reused');
  });

  test('is refused out of its bounds, and a preview writes nothing', async () => {
    const { sid } = await site.wallet(0);
    expect(codeOf(await give(sid, '0'))).toBe('amount_out_of_range');
    expect(codeOf(await give(sid, '10000.01'))).toBe('amount_out_of_range');
    expect(codeOf(await give(sid, '1', { expires_at: site.ports.clock.now().toISOString() }))).toBe('invalid_request');
    expect(codeOf(await give('01JD9ZQ4T2V6M0F8K3A5B7C9D1', '1'))).toBe('not_found');
    expect((await give(sid, '1', { dry_run: true })).json).toMatchObject({ left: '1.00' });
    expect(await grantsOf(sid)).toEqual([]);
  });

  test('has 13 places in a wallet; what is used up makes room', async () => {
    const { sid } = await site.wallet(0);
    for (let number = 0; number < 13; number += 1) expect((await give(sid, '1')).status).toBe(201);
    expect(codeOf(await give(sid, '1'))).toBe('state_conflict');
    expect((await debit(sid, '13')).status).toBe(200);
    expect((await give(sid, '4')).status).toBe(201);
    await debit(sid, '1');
    expect((await leftOf(sid)).slice(-2)).toEqual(['0.00 spent', '3.00 open']);
  });

  test('a revoked grant is taken back as far as it is left', async () => {
    const { sid } = await site.wallet(0);
    const { json } = await give(sid, '5', { kind: 'promo' });
    await debit(sid, '2');
    const body = { reason: 'abuse' };
    expect(
      (await keyed('POST', `/v1/grants/${String(json['sid'])}/revoke`, { ...body, dry_run: true })).json,
    ).toMatchObject({
      taken_back: '3.00',
    });
    const revoked = await keyed('POST', `/v1/grants/${String(json['sid'])}/revoke`, body);
    expect(revoked.json).toMatchObject({ state: 'revoked', left: '0.00', used: '2.00', taken_back: '3.00' });
    expect(codeOf(await keyed('POST', `/v1/grants/${String(json['sid'])}/revoke`, body))).toBe('state_conflict');
    expect(codeOf(await debit(sid, '0.01'))).toBe('insufficient_balance');
  });
});

describe('holds over given credit', () => {
  test('a capture uses given credit first; the rest goes back where it came from', async () => {
    const { sid } = await site.wallet(500);
    await give(sid, '2', { expires_at: inDays(3) });
    await give(sid, '2');
    const held = await hold(sid, '6');
    expect(await standOf(sid)).toBe('3.00 + 0.00');
    expect((await grantsOf(sid)).map(({ held: of }) => of)).toEqual(['2.00', '2.00']);
    await endHold(held, 'capture', { amount: '3' });
    expect(await leftOf(sid)).toEqual(['0.00 open', '1.00 open']);
    expect(await standOf(sid)).toBe('5.00 + 1.00');
  });

  test('a release and an expiry return all of it', async () => {
    const { sid } = await site.wallet(100);
    await give(sid, '2');
    await endHold(await hold(sid, '3'), 'release');
    expect(await standOf(sid)).toBe('1.00 + 2.00');
    const late = await hold(sid, '3', 60);
    await site.ports.clock.advance(61_000);
    await expireHolds(site.house);
    expect(await standOf(sid)).toBe('1.00 + 2.00');
    // Work that was done is owed: also of given credit.
    await endHold(late, 'capture', { amount: '2.5' });
    expect(await standOf(sid)).toBe('0.50 + 0.00');
  });

  test('what a hold has set aside survives the end of its grant; what it returns then is taken back', async () => {
    const { sid } = await site.wallet(100);
    await give(sid, '4', { expires_at: inDays(1) });
    await site.ports.clock.advance(DAY_MS - 60_000);
    const held = await hold(sid, '3');
    await site.ports.clock.advance(120_000);
    await expireGrants(site.house);
    expect(await grantsOf(sid)).toMatchObject([{ state: 'expired', held: '3.00', taken_back: '1.00' }]);
    await endHold(held, 'capture', { amount: '2' });
    expect(await standOf(sid)).toBe('1.00 + 0.00');
    expect(codeOf(await debit(sid, '1.5'))).toBe('insufficient_balance');
    await expireGrants(site.house);
    expect(await standOf(sid)).toBe('1.00 + 0.00');
    expect(await grantsOf(sid)).toMatchObject([{ state: 'expired', used: '2.00', taken_back: '2.00', held: '0.00' }]);
  });

  test('usage under a lease is paid from what it has set aside, also after its grant has ended', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(0);
    await give(sid, '5', { expires_at: inDays(1) });
    await site.ports.clock.advance(DAY_MS - 60_000);
    const body = { user_sid: userSid, amount: '5', seconds: 7_000 };
    const lease = await site.call('POST', '/v1/leases', {
      body,
      headers: { ...node.headers, 'idempotency-key': `l-${sid}` },
    });
    const leaseSid = (lease.json['lease'] as { sid: string }).sid;
    await site.ports.clock.advance(120_000);
    await expireGrants(site.house);
    expect(await standOf(sid)).toBe('0.00 + 0.00');
    await report(node, [usage(userSid, { quantity: '10', lease: leaseSid })]);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json).toMatchObject({
      credit_balance: '0.00',
      reserved: '3.90',
    });
    await site.call('POST', `/v1/leases/${leaseSid}/settle`, { body: {}, headers: node.headers });
    await expireGrants(site.house);
    expect(await standOf(sid)).toBe('0.00 + 0.00');
    expect(await grantsOf(sid)).toMatchObject([{ used: '1.10', taken_back: '3.90' }]);
  });

  test('usage under a lease takes of grants only what it costs beyond the lease', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(300);
    const body = { user_sid: userSid, amount: '1', seconds: 600 };
    const headers = { ...node.headers, 'idempotency-key': `l-${sid}` };
    const lease = ((await site.call('POST', '/v1/leases', { body, headers })).json['lease'] as { sid: string }).sid;
    await give(sid, '2');
    await report(node, [usage(userSid, { quantity: '5', lease })]);
    expect(await standOf(sid)).toBe('2.00 + 2.00');
    await report(node, [usage(userSid, { quantity: '5', lease }), usage(userSid, { quantity: '5', lease })]);
    // 1.65 in all: 1.00 was set aside of what was paid, 0.65 is given.
    expect(await standOf(sid)).toBe('2.00 + 1.35');
  });
});

describe('usage paid with given credit', () => {
  test('is explained with the grants that paid, and a correction goes back to them', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    await give(sid, '0.8', { expires_at: inDays(3), reason: 'Trial' });
    const first = usage(userSid, { quantity: '10' });
    const [item] = itemsOf(await report(node, [first]));
    expect(item).toMatchObject({ outcome: 'applied', charge: '1.10' });
    expect(await standOf(sid)).toBe('9.70 + 0.00');
    const explained = await site.operator(
      'GET',
      `/v1/billings/${sid}/statement/${String(item?.['entry'])}/explanation`,
    );
    expect(explained.json).toMatchObject({
      charge: '1.10',
      is_proved: true,
      given: [{ reason: 'Trial', amount: '0.80' }],
    });
    // It was used up and its place is free; nobody else has taken it.
    await expireGrants(site.house);
    expect(await leftOf(sid)).toEqual(['0.00 spent']);
    const less = { ...first, idempotency_key: `less-${sid}`, corrects: first['idempotency_key'], quantity: '5' };
    await report(node, [less]);
    // 0.55 stands, all of it given: 0.25 returns to the grant and 0.30 to what was paid.
    expect(await standOf(sid)).toBe('10.00 + 0.25');
    await site.operator('POST', `/v1/billings/${sid}/statement/${String(item?.['entry'])}/void`, { reason: 'wrong' });
    expect(await standOf(sid)).toBe('10.00 + 0.80');
    expect(await leftOf(sid)).toEqual(['0.80 open']);
  });

  test('goes as deep as a wallet may owe, below what both have', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(100);
    await give(sid, '1');
    await report(node, [usage(userSid, { quantity: '20' })]);
    expect(await standOf(sid)).toBe('-0.20 + 0.00');
  });
});

describe('the end of a grant', () => {
  test('H11 takes back the rest only, once, and tells the user; seven days before, it warns', async () => {
    const { sid } = await site.wallet(100);
    await give(sid, '3', { expires_at: inDays(10) });
    await debit(sid, '1');
    const eventsOf = async () =>
      itemsOf(await site.operator('GET', '/v1/events?limit=100')).flatMap((event) =>
        JSON.stringify(event).includes(sid) ? String(event['type']) : [],
      );
    await expireGrants(site.house);
    expect(await eventsOf()).toEqual(['grant.given']);
    await site.ports.clock.advance(3 * DAY_MS);
    await Promise.all([expireGrants(site.house), expireGrants(site.house)]);
    expect(await eventsOf()).toEqual(['grant.expiring', 'grant.given']);
    await site.ports.clock.advance(7 * DAY_MS - 1);
    expect((await debit(sid, '0.5')).status).toBe(200);
    await site.ports.clock.advance(1);
    // Nobody has been there yet, and it is over all the same.
    expect(codeOf(await debit(sid, '1.1'))).toBe('insufficient_balance');
    expect((await debit(sid, '0.2')).json).toMatchObject({ credit_balance: '0.80' });
    await Promise.all([expireGrants(site.house), expireGrants(site.house)]);
    expect(await eventsOf()).toEqual(['grant.expired', 'grant.expiring', 'grant.given']);
    expect(await grantsOf(sid)).toMatchObject([{ state: 'expired', used: '1.50', taken_back: '1.50' }]);
    expect(await standOf(sid)).toBe('0.80 + 0.00');
  });
});

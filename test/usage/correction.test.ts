import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resumeCorrections, runCorrection } from '../../src/operations/correction/run.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const SID = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
const create = (body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  site.operator('POST', '/v1/corrections', { reason: 'the price was wrong', ...body }, headers);
const correctionOf = ({ json }: Answer): Record<string, unknown> => json['correction'] as Record<string, unknown>;
const previewOf = ({ json }: Answer): Record<string, unknown> => json['preview'] as Record<string, unknown>;
const get = async (sid: unknown) => (await site.operator('GET', `/v1/corrections/${String(sid)}`)).json;
const cancel = (sid: unknown): Promise<Answer> =>
  site.operator('POST', `/v1/corrections/${String(sid)}/cancel`, { reason: 'not what was meant' });

/** Creates one, works it through, and answers how it ended. */
async function correct(body: object): Promise<Record<string, unknown>> {
  const { sid } = correctionOf(await create(body));
  await runCorrection(site.house, String(sid));
  return await get(sid);
}

const price = (category: string, amount: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  site.operator('POST', '/v1/prices', { category, kind: 'per_unit', unit: 'call', amount, ...more });

let categories = 0;
/** A category of its own with a price of a dollar a call, and so many calls by each of so many users. */
async function calls(users: number, each: number) {
  const category = `category_${(categories += 1)}`;
  const from = site.ports.clock.now().toISOString();
  const made = await price(category, '1', { active_from: from });
  const node = await site.node({ hour_max: '1000000' });
  const wallets = await Promise.all(Array.from({ length: users }, () => site.wallet(100_000)));
  const call = (userSid: string) => usage(userSid, { applies_to: category, resource_kind: 'm' });
  for (const { userSid } of wallets) {
    const answer = await report(
      node,
      Array.from({ length: each }, () => call(userSid)),
    );
    expect(outcomesOf(answer).every((outcome) => outcome === 'applied')).toBe(true);
  }
  return { category, from, priceSid: made.json['sid'], node, wallets, call };
}

const balancesOf = (wallets: readonly { readonly sid: string }[]) =>
  Promise.all(wallets.map(({ sid }) => balanceOf(sid)));

describe('a price that was wrong for three days', () => {
  test('is put right by one from the past, which changes nothing until the lines are charged anew', async () => {
    const { category, from, wallets, node, call } = await calls(2, 3);
    await site.ports.clock.advance(72 * HOUR_MS);
    expect(codeOf(await price(category, '0.25', { active_from: from }))).toBe('invalid_request');
    const right = await price(category, '0.25', { active_from: from, is_backdated: true });
    expect(right.json).toMatchObject({ is_backdated: true, active_from: from });
    expect(await balancesOf(wallets)).toEqual(['997.00', '997.00']);
    const shown = await create({ kind: 'reprice', category, dry_run: true });
    expect(previewOf(shown)).toMatchObject({
      lines_changed: 6,
      lines_skipped: 0,
      sum_before: '6.00',
      sum_after: '1.50',
      is_complete: true,
      sample: Array.from({ length: 6 }, () => ({ before: '1.00', after: '0.25', skipped_because: null })),
    });
    expect(correctionOf(shown)).toBeNull();
    expect(await balancesOf(wallets)).toEqual(['997.00', '997.00']);
    const started = correctionOf(await create({ kind: 'reprice', category }));
    expect(started).toMatchObject({ state: 'running', progress: '0 of 6 lines', lines_total: 6, ended_at: null });
    await Promise.all([runCorrection(site.house, String(started['sid'])), resumeCorrections(site.house)]);
    expect(await get(started['sid'])).toMatchObject({ state: 'done', lines_done: 6, lines_changed: 6, moved: '4.50' });
    expect(await balancesOf(wallets)).toEqual(['999.25', '999.25']);
    // What comes late has the new price at once; a second correction finds nothing to do.
    const late = { ...call(wallets[0]?.userSid ?? ''), occurred_at: new Date(Date.parse(from) + 1).toISOString() };
    expect(itemsOf(await report(node, [late]))).toMatchObject([{ charge: '0.25' }]);
    expect(await correct({ kind: 'reprice', category })).toMatchObject({
      lines_done: 7,
      lines_changed: 0,
      moved: '0.00',
    });
  });

  test('is named by every posting, explained with it, and belongs to its day; back and forth it moves each time', async () => {
    const { category, from, wallets } = await calls(1, 2);
    const sid = wallets[0]?.sid ?? '';
    await site.ports.clock.advance(72 * HOUR_MS);
    for (const [amount, balance] of [
      ['0.5', '999.00'],
      ['1', '998.00'],
      ['0.5', '999.00'],
    ] as const) {
      await price(category, amount, { active_from: from, is_backdated: true });
      const done = await correct({ kind: 'reprice', wallet_sid: sid });
      expect([await balanceOf(sid), done['lines_changed']]).toEqual([balance, 2]);
    }
    const { json } = await site.operator('GET', `/v1/billings/${sid}/statement/2/explanation`);
    expect(json).toMatchObject({ charge: '1.00', stands: '0.50', is_proved: true });
    const correction = { why: 'reprice', reason: 'the price was wrong' };
    expect(json['corrections']).toMatchObject(['-0.50', '0.50', '-0.50'].map((charge) => ({ ...correction, charge })));
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(line?.['about']).toMatchObject({ correction: expect.any(String), corrects: 3, why: 'reprice' });
    expect(itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=day`))).toMatchObject([
      { key: from.slice(0, 10), records: 2, charge: '1.00' },
    ]);
  });

  test('leaves lines alone that have no price of that kind, and says so', async () => {
    const { category, from } = await calls(1, 2);
    await site.ports.clock.advance(HOUR_MS);
    await price(category, '2', { unit: 'token', active_from: from, is_backdated: true });
    const shown = previewOf(await create({ kind: 'reprice', category, dry_run: true }));
    expect(shown).toMatchObject({ lines_changed: 0, lines_skipped: 2, sum_before: '2.00', sum_after: '2.00' });
    expect(shown['sample']).toMatchObject([{ skipped_because: 'The unit is not the one of the price.' }, {}]);
    expect(await correct({ kind: 'reprice', category })).toMatchObject({ lines_skipped: 2, lines_changed: 0 });
  });
});

describe('a correction', () => {
  test('takes back what stands of every line that fits, and no other', async () => {
    const { category, wallets, node, priceSid, call } = await calls(2, 3);
    const [one, other] = wallets;
    const first = call(one?.userSid ?? '');
    await report(node, [first, { ...call(one?.userSid ?? ''), corrects: first['idempotency_key'], quantity: '5' }]);
    expect(await balancesOf(wallets)).toEqual(['992.00', '997.00']);
    const window = { occurred_until: new Date(site.ports.clock.now().getTime()).toISOString() };
    expect(await correct({ kind: 'void', category, ...window })).toMatchObject({ lines_done: 0 });
    expect(await correct({ kind: 'void', price_sid: priceSid, wallet_sid: other?.sid })).toMatchObject({
      lines_done: 3,
    });
    expect(await balancesOf(wallets)).toEqual(['992.00', '1000.00']);
    const twice = await Promise.all([
      correct({ kind: 'void', node_sid: node.sid }),
      correct({ kind: 'void', category, resource_kind: 'm' }),
    ]);
    expect(twice.reduce((sum, { lines_changed }) => sum + Number(lines_changed), 0)).toBe(4);
    expect(await balancesOf(wallets)).toEqual(['1000.00', '1000.00']);
  });

  test('of more lines than a step has shows how far it is, and is cancelled where it is', async () => {
    const { category, wallets } = await calls(3, 150);
    const { sid } = correctionOf(await create({ kind: 'void', category }));
    let commits = 0;
    site.ports.crash.on((label) => {
      if (label === 'sql:before:correction.update' && (commits += 1) === 2) throw new Error('the process dies');
    });
    await expect(runCorrection(site.house, String(sid))).rejects.toThrow('the process dies');
    site.ports.crash.on(null);
    expect(await get(sid)).toMatchObject({ state: 'running', progress: '200 of 450 lines', moved: '200.00' });
    const cancelled = await cancel(sid);
    expect(cancelled.json).toMatchObject({ state: 'cancelled', lines_done: 200, ended_at: expect.any(String) });
    expect((await cancel(sid)).json).toEqual(cancelled.json);
    await resumeCorrections(site.house);
    expect(new Set(await balancesOf(wallets))).toEqual(new Set(['1000.00', '850.00', '900.00']));
    expect(await correct({ kind: 'void', category })).toMatchObject({
      lines_total: 250,
      lines_changed: 250,
      moved: '250.00',
    });
    const audit = itemsOf(await site.operator('GET', `/v1/audit-events?subject=${String(sid)}`));
    expect(audit.map(({ action }) => action)).toEqual(['correction.cancel', 'correction.create']);
  });

  test('that is sent again with its key is the first one; without lines to choose, or of nothing there, it is refused', async () => {
    const { category, wallets } = await calls(1, 2);
    const headers = { 'idempotency-key': `once-${category}` };
    const [first, again] = [
      await create({ kind: 'void', category }, headers),
      await create({ kind: 'void', category }, headers),
    ];
    expect([again.status, again.text, again.headers.get('idempotency-hit')]).toEqual([201, first.text, 'true']);
    await resumeCorrections(site.house);
    expect(codeOf(await cancel(correctionOf(first)['sid']))).toBe('state_conflict');
    expect(await balancesOf(wallets)).toEqual(['1000.00']);
    expect(codeOf(await create({ kind: 'void' }))).toBe('invalid_request');
    for (const wrong of [{ node_sid: SID }, { wallet_sid: SID }, { price_sid: SID }])
      expect(codeOf(await create({ kind: 'void', ...wrong }))).toBe('not_found');
    expect(codeOf(await cancel(SID))).toBe('not_found');
    expect((await site.operator('GET', `/v1/corrections/${SID}`)).status).toBe(404);
    const listed = itemsOf(await site.operator('GET', '/v1/corrections?state=done&kind=void&limit=1'));
    expect(listed).toMatchObject([{ sid: correctionOf(first)['sid'], filter: { category } }]);
  });

  test('is no business of users and nodes', async () => {
    const node: Node = await site.node();
    for (const [method, path] of [
      ['POST', '/v1/corrections'],
      ['GET', '/v1/corrections'],
      ['GET', `/v1/corrections/${SID}`],
      ['POST', `/v1/corrections/${SID}/cancel`],
    ] as const) {
      const answers = [{}, node.headers].map((headers) => site.call(method, path, { headers }));
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 403]);
    }
  });
});

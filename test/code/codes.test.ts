import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { closeSound, openProcess, type OtherProcess } from '../usage/reporting.ts';
import { refusalOf, testSite, type TestSite } from '../transport/site.ts';
import { itemsIn, join, openOrganisation, signIn, through, type Person } from '../organisation/people.ts';
import { expectPaidNothing, newCode, newKey, redeem } from './people.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let site: TestSite;
let processes: readonly OtherProcess[];
beforeAll(async () => {
  site = await testSite({ settings: { sessionHours: 9_000, sessionIdleMinutes: 540_000 } });
  processes = [openProcess(site), openProcess(site)];
});
afterAll(async () => {
  for (const { lanes } of processes) await lanes.close();
  await closeSound(site);
});

const inAWhile = (ms: number): string => new Date(site.ports.clock.now().getTime() + ms).toISOString();
const usesOf = async (code: Record<string, unknown>) =>
  (await site.operator('GET', `/v1/codes/${String(code['sid'])}`)).json['uses'];
const grantsOf = async (who: Person) => itemsIn(await who.as('GET', `/v1/grants?wallet_sid=${who.walletSid}`));

describe('a code', () => {
  test('gives its credit, which is not paid, lasts as long as it says, and tells where it came from', async () => {
    const code = await newCode(site, { code: 'welcome 2026', credit_days: 30 });
    expect(code).toMatchObject({ code: 'WELCOME-2026', state: 'open', given: '0.00', given_max: '500.00' });
    const who = await signIn(site);
    const answer = await redeem(who, ' WELC0ME2O26 ');
    expect([answer.status, answer.json]).toEqual([
      201,
      {
        wallet_sid: who.walletSid,
        code: 'WELCOME-2026',
        description: 'A welcome',
        amount: '5.00',
        grant_sid: expect.any(String),
        expires_at: inAWhile(30 * DAY_MS),
      },
    ]);
    await expectPaidNothing(who);
    expect(await grantsOf(who)).toMatchObject([
      {
        sid: answer.json['grant_sid'],
        kind: 'promo',
        amount: '5.00',
        left: '5.00',
        reason: 'A welcome (WELCOME-2026)',
      },
    ]);
    const uses = itemsIn(await site.operator('GET', `/v1/codes/${String(code['sid'])}/uses`));
    expect(uses).toMatchObject([{ number: 1, user_sid: who.userSid, wallet_sid: who.walletSid, amount: '5.00' }]);
    expect(await usesOf(code)).toBe(1);
  });

  test('is redeemed once by one key, whose answer is the same again, and with another key told that it was', async () => {
    const code = await newCode(site);
    const who = await signIn(site);
    const key = newKey();
    const first = await redeem(who, code['code'], key);
    const again = await redeem(who, code['code'], key);
    expect([again.status, again.text, again.headers.get('idempotency-hit')]).toEqual([201, first.text, 'true']);
    expect(refusalOf(await redeem(who, 'something else', key))).toBe('422 idempotency_key_reused');
    expect(refusalOf(await redeem(who, code['code']))).toBe('409 code_already_used');
    expect(await usesOf(code)).toBe(1);
  });

  test('that is not valid now is as unknown as one that never was, word for word', async () => {
    const [closed, ended, early] = [
      await newCode(site),
      await newCode(site, { valid_until: inAWhile(HOUR_MS) }),
      await newCode(site, { valid_from: inAWhile(10 * HOUR_MS) }),
    ];
    const path = `/v1/codes/${String(closed['sid'])}/close`;
    expect((await site.operator('POST', path, { reason: 'it got about' })).json).toMatchObject({ state: 'closed' });
    expect((await site.operator('POST', path, { reason: 'again' })).json).toMatchObject({ state: 'closed' });
    const who = await signIn(site);
    // Up to the last moment it is valid, and at its end not any more.
    await site.ports.clock.advance(HOUR_MS - 1);
    expect((await redeem(await signIn(site), ended['code'])).status).toBe(201);
    await site.ports.clock.advance(1);
    const said = [];
    for (const code of ['NO-SUCH-CODE', 'not even one!', closed['code'], ended['code'], early['code']]) {
      const { status, json, headers } = await redeem(who, code);
      const { request_id: _, ...problem } = json;
      said.push(JSON.stringify([status, problem, headers.get('retry-after')]));
    }
    expect(said[0]).toContain('"code":"code_unknown"');
    expect(new Set(said).size).toBe(1);
    await site.ports.clock.advance(9 * HOUR_MS);
    expect((await redeem(who, early['code'])).status).toBe(201);
  });

  test('can be tried ten times in an hour, also all at once and through several processes, and after that not even rightly', async () => {
    const code = await newCode(site);
    const who = await signIn(site);
    const path = `/v1/billings/${who.walletSid}/codes`;
    const apps = [site.app, ...processes.map(({ app }) => app)];
    const tries = Array.from({ length: 30 }, (_, number) => {
      const app = apps[number % apps.length] ?? site.app;
      return through(app, who, path, { code: `GUESS-${1_000 + number}` }, newKey());
    });
    const answers = (await Promise.all(tries)).map(refusalOf);
    expect(answers.filter((answer) => answer === '404 code_unknown')).toHaveLength(10);
    expect(answers.filter((answer) => answer === '429 rate_limited')).toHaveLength(20);
    const barred = await redeem(who, code['code']);
    expect([refusalOf(barred), barred.headers.get('retry-after')]).toEqual(['429 rate_limited', '3600']);
    // Nobody else waits for it.
    expect((await redeem(await signIn(site), code['code'])).status).toBe(201);
    await site.ports.clock.advance(HOUR_MS);
    expect((await redeem(who, code['code'])).status).toBe(201);
  });

  test('is for whom it says: new customers, or those who have paid enough', async () => {
    const [fresh, loyal] = [
      await newCode(site, { is_for_new_customers: true }),
      await newCode(site, { lifetime_paid_min: '20.00' }),
    ];
    const who = await signIn(site);
    const refused = await redeem(who, loyal['code']);
    expect([refusalOf(refused), refused.json['details']]).toEqual([
      '409 code_not_eligible',
      { lifetime_paid_min: '20.00' },
    ]);
    expect((await redeem(who, fresh['code'])).status).toBe(201);
  });

  test('is an organisation’s through its owner alone, and counts for the person and for the wallet', async () => {
    const code = await newCode(site);
    const [owner, second, member] = [await signIn(site), await signIn(site), await signIn(site)];
    const shared = await openOrganisation(site, owner);
    for (const guest of [second, member]) await join(owner, shared.sid, guest, { role: 'member' });
    await owner.as('PATCH', `/v1/organisations/${shared.sid}/members/${second.userSid}`, { role: 'owner' });
    expect(refusalOf(await redeem(member, code['code'], newKey(), shared.walletSid))).toBe('404 not_found');
    expect((await redeem(owner, code['code'], newKey(), shared.walletSid)).status).toBe(201);
    expect(refusalOf(await redeem(owner, code['code']))).toBe('409 code_already_used');
    expect(refusalOf(await redeem(second, code['code'], newKey(), shared.walletSid))).toBe('409 code_already_used');
    expect((await redeem(second, code['code'])).status).toBe(201);
  });

  test('is for customers: an operator gives credit by another way, and another’s wallet is not there', async () => {
    const code = await newCode(site);
    const [who, other] = [await signIn(site), await signIn(site)];
    const path = `/v1/billings/${who.walletSid}/codes`;
    const byOperator = await site.operator('POST', path, { code: code['code'] }, { 'idempotency-key': newKey() });
    expect(refusalOf(byOperator)).toBe('403 forbidden');
    expect(refusalOf(await redeem(other, code['code'], newKey(), who.walletSid))).toBe('404 not_found');
    expect(await usesOf(code)).toBe(0);
  });

  test('is not taken by a frozen wallet, which is told so, and is not used by that', async () => {
    const code = await newCode(site);
    const who = await signIn(site);
    const freeze = (isFrozen: boolean) =>
      site.operator('POST', `/v1/billings/${who.walletSid}/freeze`, { is_frozen: isFrozen, reason: 'x' });
    await freeze(true);
    expect(refusalOf(await redeem(who, code['code']))).toBe('403 wallet_frozen');
    expect(refusalOf(await redeem(who, 'NO-SUCH-CODE'))).toBe('404 code_unknown');
    await freeze(false);
    expect((await redeem(who, code['code'])).status).toBe(201);
  });

  test('that counts another number of uses than there are is found by the ledger check (L40)', async () => {
    const code = await newCode(site);
    const set = (uses: number) =>
      site.database.owner.query({ name: 'test.set_uses', text: 'update code set uses = $1 where sid = $2' }, [
        uses,
        code['sid'],
      ]);
    await set(1);
    const { results } = await checkLedger(site.database.owner);
    expect(results.filter(({ rows }) => rows.length > 0)).toMatchObject([{ id: 'L40' }]);
    await set(0);
  });

  test('waits for a wallet with thirteen grants that are not used up, and is not used by that', async () => {
    const who = await signIn(site);
    for (let number = 0; number < 13; number += 1)
      expect((await redeem(who, (await newCode(site))['code'])).status).toBe(201);
    const code = await newCode(site);
    expect(refusalOf(await redeem(who, code['code']))).toBe('409 state_conflict');
    expect(await usesOf(code)).toBe(0);
  });
});

describe('making codes', () => {
  const create = (wish: Record<string, unknown>) =>
    site.operator('POST', '/v1/codes', { description: 'x', amount: '5.00', uses_max: 10, ...wish });

  test('one is made up where none is named, and one that is read as another is refused, also when that one is closed', async () => {
    const made = await newCode(site);
    expect(made['code']).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    await newCode(site, { code: 'OIL-2026' });
    expect(refusalOf(await create({ code: '0112 026' }))).toBe('409 state_conflict');
  });

  test('the same key makes one code', async () => {
    const body = { description: 'x', amount: '5.00', uses_max: 10 };
    const headers = { 'idempotency-key': newKey() };
    const first = await site.operator('POST', '/v1/codes', body, headers);
    expect((await site.operator('POST', '/v1/codes', body, headers)).text).toBe(first.text);
  });

  test.each([
    [{ amount: '0' }, '422 amount_out_of_range', undefined],
    [{ amount: '0.001' }, '422 amount_out_of_range', undefined],
    [{ amount: '1000.01' }, '422 amount_out_of_range', undefined],
    [{ code: 'short' }, '400 invalid_request', '#/code'],
    [{ code: 'WELCOME!!' }, '400 invalid_request', '#/code'],
    [{ uses_max: 0 }, '400 invalid_request', '#/uses_max'],
    [{ uses_max: 2, uses_per_user_max: 3 }, '400 invalid_request', '#/uses_per_user_max'],
    [{ valid_until: '2026-01-01T00:00:00Z' }, '400 invalid_request', '#/valid_until'],
    [
      { valid_from: '2031-01-01T00:00:00Z', valid_until: '2030-01-01T00:00:00Z' },
      '400 invalid_request',
      '#/valid_until',
    ],
    [{ is_for_new_customers: true, lifetime_paid_min: '1' }, '400 invalid_request', '#/lifetime_paid_min'],
    [{ lifetime_paid_min: 'x' }, '400 invalid_request', '#/lifetime_paid_min'],
  ])('%j is refused', async (wish, refusal, pointer) => {
    const answer = await create(wish);
    expect(refusalOf(answer)).toBe(refusal);
    if (pointer !== undefined) expect(answer.json['errors']).toMatchObject([{ pointer }]);
  });

  test('is for admins; who it finds, and whose uses it lists, is for operators', async () => {
    const who = await signIn(site);
    expect(refusalOf(await who.as('POST', '/v1/codes', { description: 'x', amount: '5.00', uses_max: 1 }))).toBe(
      '403 forbidden',
    );
    expect(refusalOf(await who.as('GET', '/v1/codes'))).toBe('403 forbidden');
    const code = await newCode(site, { description: 'For the fair in Arusha' });
    expect(itemsIn(await site.operator('GET', '/v1/codes?search=Arusha'))).toMatchObject([{ sid: code['sid'] }]);
    expect(refusalOf(await site.operator('GET', `/v1/codes/${who.userSid}`))).toBe('404 not_found');
    expect(refusalOf(await site.operator('GET', `/v1/codes/${who.userSid}/uses`))).toBe('404 not_found');
    expect(refusalOf(await site.operator('POST', `/v1/codes/${who.userSid}/close`, { reason: 'x' }))).toBe(
      '404 not_found',
    );
  });
});

describe('D17 a code that can be redeemed once, by fifty at once through three processes', () => {
  const outcome = (answers: readonly { readonly status: number }[]) =>
    [201, 409].map((status) => answers.filter((answer) => answer.status === status).length);

  test('fifty requests of one person: one has it, and 49 are told so', async () => {
    const code = await newCode(site, { uses_max: 1 });
    const who = await signIn(site);
    const apps = [site.app, ...processes.map(({ app }) => app)];
    const path = `/v1/billings/${who.walletSid}/codes`;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        through(apps[number % apps.length] ?? site.app, who, path, { code: code['code'] }, newKey()),
      ),
    );
    expect(outcome(answers)).toEqual([1, 49]);
    expect(await grantsOf(who)).toHaveLength(1);
    await expectPaidNothing(who);
  });

  test('fifty people: one has it, 49 are told that it is used up, and nobody has paid', async () => {
    const code = await newCode(site, { uses_max: 1 });
    const apps = [site.app, ...processes.map(({ app }) => app)];
    const people = await Promise.all(Array.from({ length: 50 }, () => signIn(site)));
    const answers = await Promise.all(
      people.map((who, number) =>
        through(
          apps[number % apps.length] ?? site.app,
          who,
          `/v1/billings/${who.walletSid}/codes`,
          { code: code['code'] },
          newKey(),
        ),
      ),
    );
    expect(outcome(answers)).toEqual([1, 49]);
    expect(new Set(answers.filter(({ status }) => status === 409).map(refusalOf))).toEqual(
      new Set(['409 code_used_up']),
    );
    expect(await usesOf(code)).toBe(1);
    const winner = people[answers.findIndex(({ status }) => status === 201)];
    expect(winner).toBeDefined();
    if (winner) await expectPaidNothing(winner);
  });

  test('three for each person, in all seven: ten at once of each of three come to seven', async () => {
    const code = await newCode(site, { uses_max: 7, uses_per_user_max: 3 });
    const apps = [site.app, ...processes.map(({ app }) => app)];
    const people = await Promise.all(Array.from({ length: 3 }, () => signIn(site)));
    const asked = people.flatMap((who) =>
      Array.from({ length: 10 }, (_, number) =>
        through(
          apps[number % apps.length] ?? site.app,
          who,
          `/v1/billings/${who.walletSid}/codes`,
          { code: code['code'] },
          newKey(),
        ),
      ),
    );
    expect(outcome(await Promise.all(asked))).toEqual([7, 23]);
    const each = await Promise.all(people.map(async (who) => (await grantsOf(who)).length));
    expect(each.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(Math.max(...each)).toBeLessThanOrEqual(3);
  });
});

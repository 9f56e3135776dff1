import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvLine, type Cell } from '../../src/domain/export/csv.ts';
import { buildHttp } from '../../src/http/app.ts';
import type { App } from '../../src/http/context.ts';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { bonusSet } from '../../src/operations/bonus/set.ts';
import { codeCreate } from '../../src/operations/code/create.ts';
import { codeRedeem } from '../../src/operations/code/redeem.ts';
import { endpointCreate } from '../../src/operations/endpoint/create.ts';
import { holdRelease } from '../../src/operations/hold/release.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import { keyCreate } from '../../src/operations/key/create.ts';
import { sendDueMails } from '../../src/operations/mail/send.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { organisationCreate } from '../../src/operations/organisation/create.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { issueReceipts } from '../../src/operations/receipt/issue.ts';
import { signOut, type SignedIn } from '../../src/operations/session/open.ts';
import { signInSandbox } from '../../src/operations/session/sign-in.ts';
import { userExport } from '../../src/operations/user/export.ts';
import { userUpdate } from '../../src/operations/user/update.ts';
import { readWalletBySid } from '../../src/store/wallet.ts';
import { fund, post, posting } from '../support/ledger.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { dispute } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { propertySeed } from '../support/property-seed.ts';
import { askRefund, look } from '../support/refund-story.ts';

const HOUR_MS = 3_600_000;

let story: PaymentStory;
let app: App;
let alice: SignedIn;
let bob: SignedIn;
/** An operator who is a person too. */
let carol: SignedIn;
let asCarol: Actor;

const actorOf = ({ userSid }: SignedIn): Actor => ({
  kind: 'user',
  id: `user:${userSid ?? ''}`,
  userSid: userSid ?? '',
});

async function done(operation: Operation, input: unknown, actor: Actor): Promise<Record<string, unknown>> {
  const reply = await story.run(operation, input, { actor, key: `key-${story.ports.ids.sid()}` });
  if (reply.status >= 300) throw new Error(`${operation.name}: ${reply.status} ${reply.body}`);
  return JSON.parse(reply.body) as Record<string, unknown>;
}

/** Everything that can happen to a wallet, with an operator's hand in it. */
async function live(who: SignedIn, name: string): Promise<void> {
  const [actor, walletSid] = [actorOf(who), who.walletSid ?? ''];
  await done(userUpdate, { sid: who.userSid, email: `${name}@example.org` }, actor);
  await done(endpointCreate, { url: `https://${name}.example.org/hook`, description: 'mine' }, actor);
  await done(keyCreate, { name: 'a script', scopes: ['read'] }, actor);
  await done(organisationCreate, { name: `${name} and friends` }, actor);
  const payment = await done(paymentCreate, { provider: story.bank.name, amount: '30.00' }, actor);
  const sid = String(payment['sid']);
  story.bank.pay(sid);
  await look(story, sid);
  const refund = await askRefund(story, { payment: { sid }, amount: '5.00', actor: asCarol });
  expect(refund.status).toBe(201);
  dispute(story.bank, sid, { state: 'inquiry', amount: 1_000_000n });
  await look(story, sid);
  const hold = await done(
    holdReserve,
    { wallet_sid: walletSid, amount: '2.00', description: '=cmd|calc', expires_in_seconds: 600 },
    asCarol,
  );
  await done(holdRelease, { sid: hold['sid'] }, asCarol);
  await done(
    billingAdjust,
    { sid: walletSid, balance_cents: 4_000, reason: '=HYPERLINK("https://evil.example")' },
    asCarol,
  );
  await done(billingFreeze, { sid: walletSid, is_frozen: true, reason: 'looked at' }, asCarol);
  await done(billingFreeze, { sid: walletSid, is_frozen: false, reason: 'fine' }, asCarol);
  const code = `FOR-${name}-2026`;
  await done(codeCreate, { code, description: 'A welcome', amount: '1.00', uses_max: 1 }, OPERATOR);
  await done(codeRedeem, { sid: walletSid, code }, actor);
}

const get = (path: string, token: string): Promise<Response> =>
  Promise.resolve(app.request(path, { headers: { authorization: `Bearer ${token}` } }));

beforeAll(async () => {
  story = await paymentStory();
  const { house } = story;
  app = buildHttp(house, { adminSecrets: [], ping: () => Promise.resolve() });
  const caller = { address: '203.0.113.9', agent: 'test' };
  [alice, bob, carol] = [
    await signInSandbox(house, { name: 'Alice', role: 'user' }, caller),
    await signInSandbox(house, { name: 'Bob', role: 'user' }, caller),
    await signInSandbox(house, { name: 'Carol', role: 'finance' }, caller),
  ];
  asCarol = { kind: 'operator', id: `operator:${carol.userSid ?? ''}`, role: 'finance', userSid: carol.userSid };
  await done(bonusSet, { fixed: '1.00' }, OPERATOR);
  await live(alice, 'alice');
  await live(bob, 'bob');
  await issueReceipts(house);
  await sendDueMails(house);
});
afterAll(() => story.close());

type Document = Record<string, Record<string, unknown>[]>;

describe('everything that is kept of a user', () => {
  it('J05 is one document for that user, in which nobody else occurs', async () => {
    const response = await get(`/v1/users/${alice.userSid}/export.json`, alice.token);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="hero-onboarding-${alice.userSid}.json"`,
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    const told = JSON.parse(text) as Document;
    expect(
      Object.entries(told).flatMap(([part, records]) => (Array.isArray(records) && records.length > 0 ? [part] : [])),
    ).toEqual([
      'profile',
      'notices',
      'identities',
      'sessions',
      'keys',
      'organisations',
      'wallet',
      'standing',
      'statement',
      'payments',
      'receipts',
      'refunds',
      'disputes',
      'grants',
      'codes',
      'bonus',
      'holds',
      'endpoints',
      'events',
      'mails',
      'audit',
    ]);
    for (const other of [bob, carol]) {
      expect(text).not.toContain(other.userSid);
      expect(text).not.toContain(other.walletSid);
    }
    expect(text).not.toContain('bob');
    expect(text).not.toContain(alice.token);
    expect(told['audit']?.find(({ action }) => action === 'billing.freeze')).toMatchObject({
      actor: 'operator',
      reason: 'looked at',
    });
    expect(told['payments']?.[0]?.['changes']).not.toEqual([]);
    expect(told['endpoints']?.[0]).not.toHaveProperty('secret');
  });

  it('is not there for another user, an organisation’s member, or nobody; and not for keys', async () => {
    for (const form of ['export', 'export.json', 'export.csv']) {
      const path = `/v1/users/${alice.userSid}/${form}`;
      expect((await get(path, bob.token)).status).toBe(404);
      expect((await app.request(path)).status).toBe(401);
      const [there, nowhere] = [
        await get(path, bob.token),
        await get(`/v1/users/${'0'.repeat(26)}/${form}`, bob.token),
      ];
      const bare = async (response: Response) => ({ ...((await response.json()) as object), request_id: '' });
      expect(await bare(there)).toEqual(await bare(nowhere));
    }
    const member = { ...actorOf(bob), memberships: new Map([[alice.userSid, 'owner']]) } as Actor;
    expect((await story.run(userExport, { sid: alice.userSid }, { actor: member })).status).toBe(404);
    const key = { ...actorOf(alice), scopes: ['read'] } as Actor;
    expect((await story.run(userExport, { sid: alice.userSid }, { actor: key })).status).toBe(403);
  });

  it('is for operators who may export, and that is audited', async () => {
    expect((await get(`/v1/users/${bob.userSid}/export.json`, carol.token)).status).toBe(200);
    const support: Actor = { kind: 'operator', id: 'operator:x', role: 'support', userSid: null };
    expect((await story.run(userExport, { sid: bob.userSid }, { actor: support })).status).toBe(403);
    const text = `select actor from audit where action = 'user.export' and subject = '${bob.userSid}'`;
    expect(await story.database.owner.query({ name: 'test.audited', text })).toEqual([
      { actor: `operator:${carol.userSid}` },
    ]);
  });

  it('comes in stretches, behind cursors that are of this export and of this hour', async () => {
    const first = await done(userExport, { sid: bob.userSid, part: 'audit' }, OPERATOR);
    expect(first).toMatchObject({ part: 'audit', next_cursor: null });
    const begun = await done(userExport, { sid: bob.userSid }, OPERATOR);
    const follow = (sid: unknown) => story.run(userExport, { sid, cursor: begun['next_cursor'] }, { actor: OPERATOR });
    expect((await follow(bob.userSid)).status).toBe(200);
    expect((await follow(alice.userSid)).status).toBe(400);
    await story.ports.clock.advance(HOUR_MS + 1);
    expect((await follow(bob.userSid)).status).toBe(400);
  });

  it('can be begun five times in an hour', async () => {
    await story.ports.clock.advance(2 * HOUR_MS);
    const { token } = await signInSandbox(story.house, { name: 'Alice', role: 'user' }, { address: null, agent: null });
    const path = `/v1/users/${alice.userSid}/export`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(path, token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
    expect(Number(answers.find(({ status }) => status === 429)?.headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect((await get(`/v1/users/${alice.userSid}/export.csv`, token)).status).toBe(429);
  });
});

describe('K02 a statement as CSV', () => {
  /** RFC 4180, and the apostrophe taken away again. */
  function readCsv(text: string): string[][] {
    const rows: string[][] = [[]];
    for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
      rows.at(-1)?.push((quoted?.replaceAll('""', '"') ?? plain).replace(/^'/, ''));
      if (end === '\r\n') rows.push([]);
    }
    return rows.slice(0, -1);
  }

  it('is read back as it was, whatever a text begins with, and no cell is a formula', () => {
    const unit = fc.constantFrom(...'=+-@\t\r\n\'"＝＋－＠,;|0 aé'.split(''));
    const cell = fc.oneof(
      fc.string({ unit }).map((text): Cell => ({ text })),
      fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map((amount): Cell => ({ number: `${amount}.25` })),
    );
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 5 }), (rows) => {
        const text = rows.map((cells) => csvLine(cells)).join('');
        const plain = rows.map((cells) => cells.map((one) => ('number' in one ? one.number : one.text)));
        expect(readCsv(text)).toEqual(plain);
        for (const cells of rows)
          for (const one of cells) {
            const written = csvLine([one]).slice(0, -2).replace(/^"/, '');
            if ('text' in one) expect(written).not.toMatch(/^[=+\-@\t\r＝＋－＠]/);
            else expect(written).toBe(one.number);
          }
      }),
      { seed: propertySeed('csv'), numRuns: 3_000 },
    );
    expect(csvLine([{ number: '=1+1' }, { text: 'a\0b' }])).toBe("'=1+1,a\uFFFDb\r\n");
  });

  it('has every line of a large wallet, negative amounts as numbers, and no formula of an operator', async () => {
    const wallet = await readWalletBySid(story.database.owner, bob.walletSid ?? '');
    if (!wallet) throw new Error('the wallet is there');
    await fund(story.database.owner, story.ports, wallet, 10_000_000n);
    await story.database.owner.transaction('test.spend', async (tx) => {
      const contra = await ensureSystemAccount(tx, 'revenue:usage', 'USD');
      const debits = Array.from({ length: 700 }, (_, index) =>
        posting({ wallet, amount: -1n, key: `csv-${index}`, contra }),
      );
      await post(tx, story.ports, debits);
    });
    const { token } = await signInSandbox(story.house, { name: 'Bob', role: 'user' }, { address: null, agent: null });
    const response = await get(`/v1/users/${bob.userSid}/export.csv`, token);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const text = new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes);
    const [head, ...lines] = readCsv(text);
    expect(head?.[0]).toBe('seq');
    expect(lines.map(([seq]) => Number(seq))).toEqual(
      Array.from({ length: lines.length }, (_, index) => lines.length - index),
    );
    expect(lines.length).toBeGreaterThan(700);
    expect(lines[0]?.[5]).toBe('-0.000001');
    expect(text).toContain(`"'=HYPERLINK(""https://evil.example"")"`);
    expect(text).not.toMatch(/(^|,)"?[=@]/m);
  });

  it('J21 breaks off when its reader is signed out; nothing else is a stream', async () => {
    await story.ports.clock.advance(2 * HOUR_MS);
    const { token } = await signInSandbox(story.house, { name: 'Bob', role: 'user' }, { address: null, agent: null });
    const response = await get(`/v1/users/${bob.userSid}/export.csv`, token);
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await signOut(story.house, token);
    const readOn = async (): Promise<void> => {
      while ((await reader?.read())?.done === false);
    };
    await expect(readOn()).rejects.toThrow(/bearer|unauthenticated|broke off/i);
    const live = {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      upgrade: 'websocket',
      connection: 'upgrade',
    };
    for (const path of [`/v1/billings/${bob.walletSid}`, `/v1/billings/${bob.walletSid}/statement`, '/v1/events'])
      expect((await app.request(path, { headers: live })).status).toBe(401);
    const again = await signInSandbox(story.house, { name: 'Bob', role: 'user' }, { address: null, agent: null });
    const one = await app.request(`/v1/billings/${bob.walletSid}`, {
      headers: { ...live, authorization: `Bearer ${again.token}` },
    });
    expect(one.headers.get('content-type')).toBe('application/json');
  });
});

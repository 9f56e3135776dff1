import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveIdem } from '../../src/domain/idem.ts';
import { autoRechargeGet } from '../../src/operations/auto-recharge/get.ts';
import { cardList } from '../../src/operations/card/list.ts';
import { cardSetup } from '../../src/operations/card/setup.ts';
import { codeCreate } from '../../src/operations/code/create.ts';
import { codeRedeem } from '../../src/operations/code/redeem.ts';
import { endpointCreate } from '../../src/operations/endpoint/create.ts';
import { erasureGet } from '../../src/operations/erasure/get.ts';
import { sweepErasures } from '../../src/operations/erasure/sweep.ts';
import { keyCreate } from '../../src/operations/key/create.ts';
import { link } from '../../src/operations/identity/admit.ts';
import { sendDueMails } from '../../src/operations/mail/send.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { issueReceipts } from '../../src/operations/receipt/issue.ts';
import { readSession } from '../../src/operations/session/open.ts';
import { signInSandbox } from '../../src/operations/session/sign-in.ts';
import { userEnable } from '../../src/operations/user/enable.ts';
import { userErase } from '../../src/operations/user/erase.ts';
import { userUpdate } from '../../src/operations/user/update.ts';
import { readUser } from '../../src/store/user.ts';
import { cardStory, type CardStory } from '../support/card-story.ts';
import { OPERATOR } from '../support/payment-story.ts';

interface Told {
  readonly status: number;
  readonly json: Record<string, unknown>;
}
/** A prepared statement's name is that of one text. */
const nameOf = (text: string): string => deriveIdem('test', text).slice(0, 13);
const read = ({ status, body }: { status: number; body: string }): Told => ({
  status,
  json: JSON.parse(body) as Record<string, unknown>,
});

describe('K12 a user who is deleted', () => {
  const NAME = 'Ada Lovelace-Okonkwo';
  const PERSONAL = [
    NAME,
    'ada lovelace-okonkwo',
    'ada@okonkwo.example',
    '203.0.113.77',
    'Netscape 4.79',
    'hooks.okonkwo.example',
  ];
  let story: CardStory;
  let actor: Actor;
  let token: string;
  /** A page on which a card is saved, open in a forgotten tab. */
  let openPage: string;

  const ask = async (operation: Operation, input: unknown, as: Actor = actor): Promise<Told> =>
    read(await story.run(operation, input, { actor: as }));
  const rows = (text: string): Promise<Record<string, unknown>[]> =>
    story.told.database.owner.query({ name: `test.${nameOf(text)}`, text });
  /** The whole ledger and audit trail, as text. */
  const books = async (): Promise<unknown> =>
    await rows(
      `select (select md5(string_agg(entry::text, ' ' order by account, seq)) from entry) as entries,
              (select md5(string_agg(batch_leg::text, ' ' order by batch, account)) from batch_leg) as legs,
              (select md5(string_agg(payment_event::text, ' ' order by sid)) from payment_event) as events,
              (select md5(string_agg(receipt::text, ' ' order by sid)) from receipt) as receipts`,
    );
  /** In which tables a text stands. */
  const findAll = async (needles: readonly string[]): Promise<string[]> => {
    const tables = await rows(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const [held] = await rows(`select coalesce(string_agg(t::text, ' '), '') as text from ${String(name)} as t`);
      for (const needle of needles)
        if (String(held?.['text']).includes(needle)) found.push(`${String(name)}: ${needle}`);
    }
    return found;
  };

  beforeAll(async () => {
    story = await cardStory();
    const { told, house } = story;
    const { userSid } = told.wallet;
    actor = told.actor;
    const proof = {
      kind: 'sandbox',
      issuer: 'sandbox',
      subject: NAME.toLowerCase(),
      label: NAME,
      displayName: NAME,
      claimedRole: null,
    } as const;
    const author = { house, actor: { id: 'system:test' }, requestId: 'req_test' };
    await house.db.transaction('test.link', (tx) => link(tx, author, userSid, proof));
    ({ token } = await signInSandbox(
      house,
      { name: NAME, role: 'user' },
      { address: '203.0.113.77', agent: 'Netscape 4.79' },
    ));
    await ask(userUpdate, { sid: userSid, display_name: NAME, email: 'ada@okonkwo.example' });
    await ask(endpointCreate, {
      url: 'https://hooks.okonkwo.example/money',
      description: `${NAME} listens`,
      types: [],
    });
    await ask(keyCreate, { name: `${NAME} "at\\home"`, scopes: ['read'] });
    await story.saveCard();
    const page = await ask(cardSetup, {});
    openPage = String(page.json['setup_url']).split('/').at(-1) ?? '';
    await story.recharge();
    const payment = await story.open('25.00');
    story.stripe.complete(await story.sessionOf(payment), 'paid');
    await story.hear();
    await sendDueMails(house);
    await told.spend('25.00');
  });
  afterAll(() => story.close());

  it('is refused while the wallet holds something, and nothing has changed', async () => {
    await story.told.grant('3.00');
    const { userSid } = story.told.wallet;
    const refused = await ask(userErase, { sid: userSid });
    expect(refused.status).toBe(409);
    expect(refused.json['detail']).toMatch(/holds 3\.00 dollars/);
    expect((await ask(erasureGet, { sid: userSid })).json).toMatchObject({
      erased_at: null,
      obstacles: [{ code: 'balance' }],
    });
    expect((await ask(autoRechargeGet, {})).json).toMatchObject({ state: 'on' });
    expect(await readUser(story.house.db, userSid)).toMatchObject({ displayName: NAME, disabledAt: null });
    await story.told.spend('3.00');
  });

  it('is asked to show once more who they are', async () => {
    const provenAt = new Date(story.told.ports.clock.now().getTime() - 11 * 60_000);
    const credential = { kind: 'session', sid: 'x', provenAt, expiresAt: null, formToken: null } as const;
    const stale = { ...actor, credential } as Actor;
    expect((await ask(userErase, { sid: story.told.wallet.userSid }, stale)).json).toMatchObject({
      code: 'reauth_required',
    });
  });

  it('loses what is personal and keeps what the books need; the same identity is a new user', async () => {
    const { house, told } = story;
    const { userSid } = told.wallet;
    expect(new Set((await findAll(PERSONAL)).map((place) => place.split(':')[0]))).toEqual(
      new Set([
        'app_user',
        'audit',
        'endpoint',
        'event',
        'idempotency',
        'identity',
        'key',
        'mail',
        'receipt',
        'session',
      ]),
    );
    await issueReceipts(house);
    const before = await books();
    const erased = await ask(userErase, { sid: userSid });
    expect(erased).toMatchObject({ status: 200, json: { user_sid: userSid, is_complete: false, obstacles: [] } });
    expect(await books()).toEqual(before);
    expect(await told.brokenPromises()).toEqual([]);
    // A receipt says who paid, as the law wants it; the trail says where events were sent, and what an operator was answered stays the answer.
    expect(await findAll(PERSONAL)).toEqual([
      'audit: hooks.okonkwo.example',
      `idempotency: ${NAME}`,
      `receipt: ${NAME}`,
    ]);
    expect(await readUser(house.db, userSid)).toMatchObject({ displayName: 'Deleted user', email: null });
    expect(await readSession(house, token)).toBeNull();
    const again = await signInSandbox(house, { name: NAME, role: 'user' }, { address: null, agent: null });
    expect(again.userSid).not.toBe(userSid);
    expect(again.walletSid).not.toBe(told.wallet.sid);
    const cards = await ask(cardList, { wallet_sid: told.wallet.sid }, OPERATOR);
    expect(cards.json['items']).toEqual([]);
    expect((await ask(autoRechargeGet, {})).json).toMatchObject({ state: 'off' });
  });

  it('is deleted once, however often one asks', async () => {
    const { userSid } = story.told.wallet;
    expect((await ask(userErase, { sid: userSid }, OPERATOR)).status).toBe(200);
    const audited = await rows(`select 1 from audit where action = 'user.erase' and subject = '${userSid}'`);
    expect(audited).toHaveLength(1);
  });

  it('begins nothing any more: no top-up, no identity, no name; the wallet takes no debit and no code', async () => {
    const { told } = story;
    const { userSid } = told.wallet;
    const topUp = await story.run(paymentCreate, { provider: 'stripe', amount: '10.00' }, { key: 'after', actor });
    expect(topUp.status).toBe(404);
    expect((await ask(userUpdate, { sid: userSid, email: 'ada@okonkwo.example' }, OPERATOR)).status).toBe(404);
    const author = { house: story.house, actor: { id: 'system:test' }, requestId: 'req_test' };
    const proof = {
      kind: 'sandbox',
      issuer: 'sandbox',
      subject: 'another',
      label: 'x',
      displayName: 'x',
      claimedRole: null,
    } as const;
    expect(await story.house.db.transaction('test.link', (tx) => link(tx, author, userSid, proof))).toMatchObject({
      code: 'forbidden',
    });
    expect((await told.spendReply('1.00')).status).toBe(403);
    // Whoever redeems at that very moment waits for the wallet, and finds it so.
    const code = { code: 'TOO-LATE', description: 'x', amount: '1.00', uses_max: 1 };
    expect((await ask(codeCreate, code, OPERATOR)).status).toBe(201);
    const redeemed = { sid: told.wallet.sid, code: 'TOO-LATE' };
    expect(await story.run(codeRedeem, redeemed, { key: 'late', actor })).toMatchObject({ status: 403 });
    expect((await ask(userEnable, { sid: userSid }, OPERATOR)).status).toBe(409);
  });

  it('has a card removed that an open page saves afterwards, a day later', async () => {
    const { told, house } = story;
    expect(story.stripe.complete(openPage, 'paid')).toBe('done');
    const cards = async () => (await ask(cardList, { wallet_sid: told.wallet.sid }, OPERATOR)).json['items'];
    expect(await cards()).toHaveLength(1);
    await told.ports.clock.advance(26 * 3_600_000);
    expect(await sweepErasures(house)).toBe(1);
    expect((await ask(erasureGet, { sid: told.wallet.userSid }, OPERATOR)).json).toMatchObject({ is_complete: true });
    expect(await rows('select 1 from provider_customer')).toEqual([]);
    const kept = story.stripe.journal().payment_methods as { customer: string | null }[];
    expect(kept.map(({ customer }) => customer)).toEqual([null, null]);
    expect(await sweepErasures(house)).toBe(0);
  });
});

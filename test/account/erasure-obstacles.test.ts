import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveIdem } from '../../src/domain/idem.ts';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { erasureGet } from '../../src/operations/erasure/get.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { organisationCreate } from '../../src/operations/organisation/create.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { userErase } from '../../src/operations/user/erase.ts';
import type { Tx } from '../../src/store/db.ts';
import { readErasure } from '../../src/store/erasure.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { insertPayment } from '../../src/store/payment.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { CENT } from '../support/card-story.ts';
import { fund, openWallets, post, posting } from '../support/ledger.ts';
import { dispute } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { asked, look } from '../support/refund-story.ts';

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

describe('an account is not deleted', () => {
  let story: PaymentStory;
  beforeAll(async () => {
    story = await paymentStory();
  });
  afterAll(() => story.close());

  const newWallet = async (cents = 0n): Promise<WalletRow> => {
    const [wallet] = await openWallets(story.house.db, story.ports, 1);
    if (!wallet) throw new Error('a wallet was opened');
    if (cents !== 0n) await fund(story.database.owner, story.ports, wallet, cents * CENT);
    return wallet;
  };
  const erase = async (wallet: WalletRow, actor: Actor = userActor(wallet)): Promise<Told> =>
    read(await story.run(userErase, { sid: wallet.userSid }, { actor }));
  const obstacles = async (wallet: WalletRow): Promise<string[]> => {
    const { json } = read(await story.run(erasureGet, { sid: wallet.userSid }, { actor: userActor(wallet) }));
    const codes = (json['obstacles'] as { code: string }[]).map(({ code }) => code);
    const refused = await erase(wallet);
    expect(refused.status).toBe(codes.length === 0 ? 200 : 409);
    if (codes.length > 0) expect(Object.keys(refused.json['details'] ?? {})).toEqual(expect.arrayContaining(codes));
    return codes;
  };
  /** Asks while another process is in the middle of something, and lets that one end first. */
  const eraseDuring = async (wallet: WalletRow, house: House, work: (tx: Tx) => Promise<void>): Promise<Told> => {
    const { promise: gate, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: inTheMiddle, resolve: isThere } = Promise.withResolvers<void>();
    const working = house.db.transaction('test.work', async (tx) => {
      await work(tx);
      isThere();
      await gate;
    });
    await inTheMiddle;
    const erasing = erase(wallet);
    // Until it waits for the lock, or has passed where there should have been one.
    const text = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    const isWaiting = async () => (await story.database.owner.query({ name: 'test.waiting', text })).length > 0;
    await Promise.race([erasing, vi.waitFor(async () => expect(await isWaiting()).toBe(true), { interval: 5 })]);
    goOn();
    await working;
    return await erasing;
  };
  const owner = (text: string, values: readonly unknown[]): Promise<unknown> =>
    story.database.owner.query({ name: `test.${nameOf(text)}`, text }, values);

  it('by anybody but its owner and operators who may: to others it is not there', async () => {
    const [own, other] = [await newWallet(), await newWallet()];
    expect((await erase(own, userActor(other))).status).toBe(404);
    const member = { ...userActor(other), memberships: new Map([[own.userSid, 'owner']]) } as Actor;
    expect((await erase(own, member)).status).toBe(404);
    const support: Actor = {
      kind: 'operator',
      id: `operator:${other.userSid}`,
      role: 'finance',
      userSid: other.userSid,
    };
    expect((await erase(own, support)).status).toBe(403);
    expect((await erase(own, OPERATOR)).status).toBe(200);
  });

  it('with a debt, a hold, or a fraction of a cent', async () => {
    const owing = await newWallet();
    await story.run(billingAdjust, { sid: owing.sid, balance_cents: -5 }, { actor: OPERATOR });
    expect(await obstacles(owing)).toEqual(['debt']);
    const rest = await newWallet();
    await fund(story.database.owner, story.ports, rest, 1n);
    expect(await obstacles(rest)).toEqual(['balance']);
    const holding = await newWallet(500n);
    const hold = { wallet_sid: holding.sid, amount: '5.00', description: 'a lease', expires_in_seconds: 600 };
    const reserved = await story.run(holdReserve, hold, { key: 'hold-erase', actor: OPERATOR });
    expect(reserved.status).toBe(201);
    expect(await obstacles(holding)).toEqual(['holds']);
  });

  it('while an organisation would be without an owner; other memberships end with it', async () => {
    const [one, two] = [await newWallet(), await newWallet()];
    const made = await story.run(organisationCreate, { name: 'Analytical Engines' }, { actor: userActor(one) });
    const { sid } = JSON.parse(made.body) as { sid: string };
    expect(await obstacles(one)).toEqual(['organisations']);
    const erased = await erase({ ...one, userSid: sid }, OPERATOR);
    expect(erased.status).toBe(404);
    await owner(
      `insert into membership (organisation_sid, user_sid, role, joined_at) values ($1, $2, 'owner', now())`,
      [sid, two.userSid],
    );
    expect(await obstacles(one)).toEqual([]);
    expect(await obstacles(two)).toEqual(['organisations']);
  });

  it('with a payment that is open or that an operator looks at', async () => {
    const wallet = await newWallet();
    const input = { provider: story.bank.name, amount: '10.00' };
    const reply = await story.run(paymentCreate, input, { key: 'open-erase', actor: userActor(wallet) });
    expect(reply.status).toBe(201);
    expect(await obstacles(wallet)).toEqual(['payments']);
    await owner(`update payment set state = 'quarantined' where wallet = $1`, [wallet.id]);
    expect(await obstacles(wallet)).toEqual(['quarantined_payments']);
    await owner(`update payment set state = 'expired' where wallet = $1`, [wallet.id]);
    expect(await obstacles(wallet)).toEqual([]);
  });

  it('with a refund or a dispute under way, or usage that was not charged', async () => {
    const payment = await story.paid('20.00');
    await look(story, payment.sid);
    await asked(story, { payment, amount: '20.00' });
    expect(await obstacles(story.wallet)).toEqual(['refunds']);
    await owner(`update refund set state = 'failed' where wallet = $1`, [story.wallet.id]);
    expect(await obstacles(story.wallet)).toEqual(['holds']);
    await owner(`update refund set state = 'requested' where wallet = $1`, [story.wallet.id]);
    dispute(story.bank, payment.sid, { state: 'inquiry', amount: 20_000_000n });
    await look(story, payment.sid);
    expect(await obstacles(story.wallet)).toEqual(['refunds', 'disputes']);
    const owing = await newWallet();
    await owner(
      `insert into declined_posting (idem, fingerprint, wallet, code, about, recorded_at, kind) values ($1, $1, $2, 'insufficient_balance', '{}', now(), 8)`,
      [deriveIdem('test', 'unbilled'), owing.id],
    );
    expect(await obstacles(owing)).toEqual(['unbilled_usage']);
  });

  it('while a top-up begins: whoever comes second finds the other', async () => {
    const wallet = await newWallet();
    const { house, ports } = story.anotherProcess();
    const now = ports.clock.now();
    const idem = deriveIdem('test', 'race');
    const asOpen = {
      currency: 'USD',
      idem,
      fingerprint: idem,
      createdAt: now,
      expiresAt: now,
      nextCheckAt: now,
    } as const;
    const payment = {
      sid: ports.ids.sid(),
      wallet: wallet.id,
      userSid: wallet.userSid,
      amount: 10_000_000n,
      ...asOpen,
    };
    const erased = await eraseDuring(wallet, house, async (tx) => {
      expect(
        await insertPayment(tx, { ...payment, provider: 'stripe', providerAccount: 'acct_house', isLive: false }),
      ).toBe(true);
    });
    expect(erased.json['details']).toHaveProperty('payments');
  });

  it('while usage is charged that the wallet will owe', async () => {
    const wallet = await newWallet();
    const { house, ports } = story.anotherProcess();
    const erased = await eraseDuring(wallet, house, async (tx) => {
      const contra = await ensureSystemAccount(tx, 'revenue:usage', 'USD');
      await post(tx, ports, [posting({ wallet, amount: -CENT, key: 'owed', contra, mayOverdraw: true })]);
    });
    expect(erased.json['details']).toHaveProperty('debt');
  });

  it('together with a top-up that both succeed, in ten races of two processes', async () => {
    const other = story.anotherProcess();
    const wallets = await Promise.all(Array.from({ length: 10 }, () => newWallet()));
    await Promise.all(
      wallets.map(async (wallet, index) => {
        const input = { provider: story.bank.name, amount: '10.00' };
        const [erased, topUp] = await Promise.all([
          erase(wallet),
          story.run(paymentCreate, input, { key: `race-${index}`, actor: userActor(wallet), house: other.house }),
        ]);
        const row = await readErasure(story.house.db, wallet.userSid);
        expect([erased.status, topUp.status]).not.toEqual([200, 201]);
        expect(row?.erasedAt === null).toBe(erased.status !== 200);
      }),
    );
  });

  it('and thawed by nobody but an operator: money that comes late is credited and stays', async () => {
    const wallet = await newWallet();
    const input = { provider: story.bank.name, amount: '10.00' };
    const reply = await story.run(paymentCreate, input, { key: 'late-erase', actor: userActor(wallet) });
    const { sid } = JSON.parse(reply.body) as { sid: string };
    await owner(`update payment set state = 'expired' where sid = $1`, [sid]);
    expect((await erase(wallet)).status).toBe(200);
    story.bank.pay(sid);
    await look(story, sid);
    expect(await story.payment(sid)).toMatchObject({ state: 'credited' });
    const thawed = await story.run(
      billingFreeze,
      { sid: wallet.sid, is_frozen: false, reason: 'late money' },
      { actor: OPERATOR },
    );
    expect(JSON.parse(thawed.body)).toMatchObject({ credit_balance: '10.00', display_name: 'Deleted user' });
  });
});

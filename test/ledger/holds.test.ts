import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDecimal } from '../../src/domain/money.ts';
import { execute } from '../../src/operations/execute.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { holdCapture } from '../../src/operations/hold/capture.ts';
import { expireHolds } from '../../src/operations/hold/expire.ts';
import { holdGet } from '../../src/operations/hold/get.ts';
import { holdList } from '../../src/operations/hold/list.ts';
import { holdRelease } from '../../src/operations/hold/release.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';
import { propertySeed } from '../support/property-seed.ts';

const OPERATOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;
const HUNDRED = 100_000_000n;

describe('holds', () => {
  let database: TestDatabase;
  let ports: TestPorts;
  let house: House;
  let calls = 0;

  beforeAll(async () => {
    database = await testDatabase();
    ports = testPorts({ seed: 5 });
    house = testHouse({ db: database.db, ports });
  });
  afterAll(async () => {
    await house.lanes.close();
    await database.close();
  });

  async function call(operation: Operation, input: object, actor: Actor = OPERATOR) {
    calls += 1;
    const reply = await execute(house, operation, {
      actor,
      input,
      idempotencyKey: `hold-${calls}`,
      requestId: ports.ids.requestId(),
    });
    return { status: reply.status, json: JSON.parse(reply.body) as Record<string, unknown> };
  }
  async function wallet(funds = HUNDRED): Promise<WalletRow> {
    const [opened] = await openWallets(database.db, ports, 1);
    if (!opened) throw new Error('no wallet');
    if (funds > 0n) await fund(database.db, ports, opened, funds);
    return opened;
  }
  async function reserve(of: WalletRow, amount: string, seconds = 3_600): Promise<string> {
    const input = { wallet_sid: of.sid, amount, description: 'a call', expires_in_seconds: seconds };
    const { status, json } = await call(holdReserve, input);
    expect(status).toBe(201);
    return String(json['sid']);
  }
  async function holdsOf(of: WalletRow): Promise<string> {
    const row = await readWalletBySid(database.db, of.sid);
    return row ? `${formatDecimal(row.balance)} + ${formatDecimal(row.reserved)}` : 'gone';
  }

  it('E04 hold 100, capture 60: the rest returns, and 60 is earned', async () => {
    const of = await wallet();
    const sid = await reserve(of, '100.00');
    expect(await holdsOf(of)).toBe('0.00 + 100.00');
    const { status, json } = await call(holdCapture, { sid, amount: '60.00' });
    expect([status, json['state'], json['captured']]).toEqual([200, 'captured', '60.00']);
    expect(await holdsOf(of)).toBe('40.00 + 0.00');
  });

  it('E04 a second capture, and a release after a capture, answer 409 and move nothing', async () => {
    const of = await wallet();
    const sid = await reserve(of, '50.00');
    await call(holdCapture, { sid, amount: '20.00' });
    for (const [operation, input] of [
      [holdCapture, { sid, amount: '20.00' }],
      [holdRelease, { sid }],
    ] as const) {
      const { status, json } = await call(operation, input);
      expect([status, json['code']]).toEqual([409, 'state_conflict']);
    }
    expect(await holdsOf(of)).toBe('80.00 + 0.00');
  });

  it('E04 a capture above the hold answers 422 and leaves the hold open', async () => {
    const of = await wallet();
    const sid = await reserve(of, '50.00');
    const { status, json } = await call(holdCapture, { sid, amount: '50.000001' });
    expect([status, json['code'], json['details']]).toEqual([422, 'amount_out_of_range', { amount_max: '50.00' }]);
    expect((await call(holdGet, { sid })).json['state']).toBe('open');
    expect(await holdsOf(of)).toBe('50.00 + 50.00');
  });

  it('E04 an expired hold returns its money once, whoever looks how often', async () => {
    const of = await wallet();
    const sid = await reserve(of, '30.00', 60);
    expect(await expireHolds(house)).toMatchObject({ due: 0 });
    await ports.clock.advance(60_001);
    const results = await Promise.all([expireHolds(house), expireHolds(house), expireHolds(house)]);
    expect(results.reduce((sum, { expired }) => sum + expired, 0)).toBe(1);
    expect((await call(holdGet, { sid })).json['state']).toBe('expired');
    expect(await holdsOf(of)).toBe('100.00 + 0.00');
    expect((await call(holdRelease, { sid })).status).toBe(409);
  });

  it('E04 expiry while a capture runs: one of them, never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const of = await wallet();
      const sid = await reserve(of, '30.00', 60);
      await ports.clock.advance(60_001);
      const [captured] = await Promise.all([call(holdCapture, { sid, amount: '10.00' }), expireHolds(house)]);
      expect([captured.status, captured.json['state']]).toEqual([200, 'captured_late']);
      expect(await holdsOf(of)).toBe('90.00 + 0.00');
    }
  });

  it('E05 a capture after the expiry is a late debit when there is money', async () => {
    const of = await wallet();
    const sid = await reserve(of, '30.00', 60);
    await ports.clock.advance(60_001);
    await expireHolds(house);
    const { status, json } = await call(holdCapture, { sid, amount: '10.00' });
    expect([status, json['state']]).toEqual([200, 'captured_late']);
    expect(await holdsOf(of)).toBe('90.00 + 0.00');
  });

  it('E05 without money it becomes a debt, and blocks further holds', async () => {
    const of = await wallet(30_000_000n);
    const sid = await reserve(of, '30.00', 60);
    await ports.clock.advance(60_001);
    await expireHolds(house);
    await reserve(of, '25.00');
    const { status, json } = await call(holdCapture, { sid, amount: '10.00' });
    expect([status, json['state']]).toEqual([200, 'captured_late']);
    expect(await holdsOf(of)).toBe('-5.00 + 25.00');
    const next = await call(holdReserve, { wallet_sid: of.sid, amount: '0.01', description: 'one more' });
    expect([next.status, next.json['code']]).toEqual([402, 'insufficient_balance']);
  });

  it('E01 fifty holds of 10 at once on a wallet of 100 give ten', async () => {
    const of = await wallet();
    const input = { wallet_sid: of.sid, amount: '10.00', description: 'a burst' };
    const replies = await Promise.all(Array.from({ length: 50 }, () => call(holdReserve, input)));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(replies.filter(({ status }) => status === 402)).toHaveLength(40);
    expect(await holdsOf(of)).toBe('0.00 + 100.00');
  });

  it('a frozen wallet takes no new hold, but an open hold can still be captured', async () => {
    const of = await wallet();
    const sid = await reserve(of, '10.00');
    await call(billingFreeze, { sid: of.sid, is_frozen: true, reason: 'a question' });
    const refused = await call(holdReserve, { wallet_sid: of.sid, amount: '1.00', description: 'more' });
    expect([refused.status, refused.json['code']]).toEqual([403, 'wallet_frozen']);
    expect((await call(holdCapture, { sid, amount: '10.00' })).status).toBe(200);
  });

  it('D03 zero, negative and too large amounts are refused', async () => {
    const of = await wallet();
    const asked = ['0', '-1', '0.0000001', '100000.00'];
    const answers = [];
    for (const amount of asked) {
      answers.push((await call(holdReserve, { wallet_sid: of.sid, amount, description: 'odd' })).status);
    }
    expect(answers).toEqual([422, 400, 400, 422]);
  });

  it('J05 a user sees own holds only; another’s answers as if it were not there', async () => {
    const [mine, theirs] = [await wallet(), await wallet()];
    const [own, foreign] = [await reserve(mine, '1.00'), await reserve(theirs, '1.00')];
    const user = { kind: 'user', id: `user:${mine.userSid}`, userSid: mine.userSid } as const;
    expect((await call(holdGet, { sid: own }, user)).status).toBe(200);
    expect((await call(holdGet, { sid: foreign }, user)).status).toBe(404);
    expect((await call(holdList, {}, user)).json['items']).toMatchObject([{ sid: own }]);
    expect((await call(holdList, { wallet_sid: theirs.sid }, user)).json['items']).toEqual([]);
    expect((await call(holdCapture, { sid: own, amount: '1.00' }, user)).status).toBe(403);
  });

  it('available + reserved + earned is what was put in, for any holds in any order', async () => {
    const step = fc.record({
      verb: fc.constantFrom('reserve', 'capture', 'release', 'expire'),
      cents: fc.integer({ min: 1, max: 6_000 }),
      which: fc.nat(5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const of = await wallet();
        const sids: string[] = [];
        let earned = 0n;
        for (const { verb, cents, which } of steps) {
          const amount = formatDecimal(BigInt(cents) * 10_000n);
          const sid = sids[which % Math.max(1, sids.length)];
          if (verb === 'reserve') {
            const input = { wallet_sid: of.sid, amount, description: 'p', expires_in_seconds: 60 };
            const { status, json } = await call(holdReserve, input);
            if (status === 201) sids.push(String(json['sid']));
          } else if (verb === 'expire') {
            await ports.clock.advance(60_001);
            await expireHolds(house);
          } else if (sid !== undefined) {
            const reply =
              verb === 'capture' ? await call(holdCapture, { sid, amount }) : await call(holdRelease, { sid });
            if (verb === 'capture' && reply.status === 200) earned += BigInt(cents) * 10_000n;
          }
        }
        const row = await readWalletBySid(database.db, of.sid);
        expect((row?.balance ?? 0n) + (row?.reserved ?? 0n) + earned).toBe(HUNDRED);
      }),
      { seed: propertySeed('holds'), numRuns: 40 },
    );
    expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  }, 60_000);
});

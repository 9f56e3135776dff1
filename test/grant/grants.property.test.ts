import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deriveIdem, fingerprintOf } from '../../src/domain/idem.ts';
import { micros } from '../../src/domain/money.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { execute } from '../../src/operations/execute.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { expireGrants } from '../../src/operations/grant/expire.ts';
import { giveCredit } from '../../src/operations/grant/give.ts';
import { holdCapture } from '../../src/operations/hold/capture.ts';
import { holdRelease } from '../../src/operations/hold/release.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import type { House } from '../../src/operations/house.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { listOpenGrants } from '../../src/store/grant.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';
import { propertySeed } from '../support/property-seed.ts';

const seed = propertySeed('given credit');
const ACTOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;
const CENT = 10_000n;

/** What a person with a pencil would keep: lists that are searched from the front. */
interface Gift {
  left: bigint;
  readonly end: number;
  readonly priority: number;
  readonly number: number;
}
interface Part {
  /** Null: what was paid. */
  readonly of: Gift | null;
  readonly amount: bigint;
}
interface Model {
  paid: bigint;
  gifts: Gift[];
  holds: { readonly sid: string; readonly parts: Part[] }[];
}

const order = (a: Gift, b: Gift): number => a.end - b.end || a.priority - b.priority || a.number - b.number;

/** What an amount is made of; null: there is not enough. */
function split(model: Model, amount: bigint, now: number): Part[] | null {
  const parts: Part[] = [];
  let wanted = amount;
  for (const gift of model.gifts.filter(({ end }) => end > now).toSorted(order)) {
    const taken = gift.left < wanted ? gift.left : wanted;
    if (taken > 0n) parts.push({ of: gift, amount: taken });
    wanted -= taken;
  }
  if (wanted > model.paid) return null;
  return wanted > 0n ? [...parts, { of: null, amount: wanted }] : parts;
}

function move(model: Model, parts: readonly Part[], sign: 1n | -1n): void {
  for (const { of, amount } of parts) {
    if (of) of.left += sign * amount;
    else model.paid += sign * amount;
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('give' as const),
    cents: fc.integer({ min: 1, max: 300 }),
    days: fc.integer({ min: 0, max: 4 }),
    priority: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({ do: fc.constant('debit' as const), cents: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant('fund' as const), cents: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ do: fc.constant('hold' as const), cents: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant('release' as const) }),
  fc.record({ do: fc.constant('capture' as const), share: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 60 }), looks: fc.boolean() }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let database: TestDatabase;
let ports: TestPorts;
let house: House;
let calls = 0;
beforeAll(async () => {
  database = await testDatabase();
  ports = testPorts({ seed: 11 });
  house = testHouse({ db: database.db, ports });
});
afterAll(async () => {
  expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  await house.lanes.close();
  await database.close();
});

async function call(operation: Operation, input: object): Promise<{ status: number; sid: string }> {
  calls += 1;
  const asked = { actor: ACTOR, input, idempotencyKey: `model-${calls}`, requestId: ports.ids.requestId() };
  const { status, body } = await execute(house, operation, asked);
  return { status, sid: String((JSON.parse(body) as Record<string, unknown>)['sid']) };
}

async function perform(wallet: WalletRow, model: Model, asked: Step): Promise<void> {
  const now = ports.clock.now().getTime();
  const dollars = (amount: bigint): string => `${amount / 1_000_000n}.${String(amount % 1_000_000n).padStart(6, '0')}`;
  switch (asked.do) {
    case 'give': {
      if (model.gifts.length >= 12) return;
      const amount = BigInt(asked.cents) * CENT;
      const end = asked.days === 0 ? Infinity : now + asked.days * 86_400_000;
      calls += 1;
      const given = await house.db.transaction('test.give', (tx) =>
        giveCredit(tx, house, {
          wallet,
          amount: micros(amount),
          kind: 'promo',
          priority: asked.priority,
          expiresAt: end === Infinity ? null : new Date(end),
          reason: 'model',
          idem: deriveIdem('model', `${calls}`),
          fingerprint: fingerprintOf([calls]),
          author: { actor: ACTOR },
        }),
      );
      expect(isRefusal(given)).toBe(false);
      model.gifts.push({ left: amount, end, priority: asked.priority, number: calls });
      return;
    }
    case 'fund':
      await fund(database.db, ports, wallet, BigInt(asked.cents) * CENT);
      model.paid += BigInt(asked.cents) * CENT;
      return;
    case 'debit': {
      const amount = BigInt(asked.cents) * CENT;
      const parts = split(model, amount, now);
      const { status } = await call(billingDebit, { sid: wallet.sid, amount: dollars(amount), description: 'a call' });
      expect(status).toBe(parts ? 200 : 402);
      if (parts) move(model, parts, -1n);
      return;
    }
    case 'hold': {
      const amount = BigInt(asked.cents) * CENT;
      const parts = split(model, amount, now);
      const { status, sid } = await call(holdReserve, {
        wallet_sid: wallet.sid,
        amount: dollars(amount),
        description: 'a call',
        expires_in_seconds: 86_400,
      });
      expect(status).toBe(parts ? 201 : 402);
      if (!parts) return;
      move(model, parts, -1n);
      model.holds.push({ sid, parts });
      return;
    }
    case 'release': {
      const hold = model.holds.pop();
      if (!hold) return;
      expect((await call(holdRelease, { sid: hold.sid })).status).toBe(200);
      move(model, hold.parts, 1n);
      return;
    }
    case 'capture': {
      const hold = model.holds.shift();
      if (!hold) return;
      const total = hold.parts.reduce((sum, { amount }) => sum + amount, 0n);
      let used = (total * BigInt(asked.share) + 99n) / 100n;
      expect((await call(holdCapture, { sid: hold.sid, amount: dollars(used) })).status).toBe(200);
      const rest = hold.parts.map(({ of, amount }) => {
        const taken = amount < used ? amount : used;
        used -= taken;
        return { of, amount: amount - taken };
      });
      move(model, rest, 1n);
      return;
    }
    case 'wait':
      await ports.clock.advance(asked.hours * 3_600_000);
      if (asked.looks) await expireGrants(house);
      return;
  }
}

/** A gift that is over holds nothing that counts, whether or not it was taken back. */
async function compare(wallet: WalletRow, model: Model): Promise<void> {
  const now = ports.clock.now();
  const row = await readWalletBySid(database.db, wallet.sid);
  const grants = await listOpenGrants(database.db, wallet.id);
  const usable = grants.filter(
    ({ expiresAt, left, state }) => state === 'open' && left > 0n && (expiresAt === null || expiresAt > now),
  );
  const expected = model.gifts.filter(({ end, left }) => end > now.getTime() && left > 0n);
  expect([row?.balance, usable.map(({ left }) => left)]).toEqual([model.paid, expected.map(({ left }) => left)]);
}

test(`whatever is given, spent, held and waited for, a pencil comes to the same (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const [wallet] = await openWallets(database.db, ports, 1);
      if (!wallet) throw new Error('no wallet');
      const model: Model = { paid: 0n, gifts: [], holds: [] };
      for (const asked of steps) {
        await perform(wallet, model, asked);
        await compare(wallet, model);
      }
      for (const { sid } of model.holds) await call(holdRelease, { sid });
    }),
    { seed, numRuns: Number(process.env['GRANT_RUNS'] ?? 12), endOnFailure: true },
  );
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { POSTING_KINDS } from '../../src/domain/ledger/posting.ts';
import { billingGet } from '../../src/operations/billing/get.ts';
import { movementAssign } from '../../src/operations/movement/assign.ts';
import { movementList } from '../../src/operations/movement/list.ts';
import { movementSuspend } from '../../src/operations/movement/suspend.ts';
import type { Movement } from '../../src/operations/movement/movement.ts';
import { readKey } from '../../src/operations/key/read-key.ts';
import { nodeRegister } from '../../src/operations/node/register.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { reconciliationReport } from '../../src/operations/reconciliation/report.ts';
import type { AccountReport } from '../../src/operations/reconciliation/unexplained.ts';
import { usageRecord } from '../../src/operations/usage/record.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { dispute } from '../support/paper-dispute.ts';

const HOUR = 3_600_000;
const USD = 1_000_000n;

/** What happened, and the house that was restored from the dump of the night before. */
let lived: PaymentStory;
let restored: PaymentStory;
let other: WalletRow;
let nodeKey: string;
let before: Payment[];
let lost: Payment[];

beforeAll(async () => {
  lived = await paymentStory();
  lived.bank.fee = 300_000n;
  const [second] = await openWallets(lived.database.owner, lived.ports, 1);
  if (!second) throw new Error('a wallet was opened');
  other = second;
  const node = await lived.run(nodeRegister, { name: 'node-1' }, { actor: OPERATOR });
  nodeKey = (JSON.parse(node.body) as { key: string }).key;
  const [open, returned, disputed] = [
    await lived.opened('25.00'),
    await lived.paid('40.00'),
    await lived.paid('60.00'),
  ];
  before = [open, returned, disputed];
  await reconcileAll(lived.house);
  await use(lived, ['hour-1']);

  const dump = await lived.dump();

  await lived.ports.clock.advance(HOUR);
  lived.bank.pay(open.sid);
  lived.bank.giveBack(returned.sid, { amount: micros(15n * USD) });
  dispute(lived.bank, disputed.sid);
  const [kept, gone] = [await topUp(lived, '30.00'), await topUp(lived, '10.00')];
  lost = [kept, gone];
  for (const { sid } of lost) lived.bank.pay(sid);
  await reconcileAll(lived.house);
  lived.bank.giveBack(gone.sid, { amount: micros(10n * USD) });
  await use(lived, ['hour-2', 'hour-3']);
  await lived.ports.clock.advance(24 * HOUR);
  await reconcileAll(lived.house);

  restored = lived.restoredOn(dump);
});
afterAll(async () => {
  await restored.close();
  await lived.close();
});

/** A top-up of the other user. */
async function topUp(story: PaymentStory, amount: string): Promise<Payment> {
  const how = { key: `key-${story.ports.ids.sid()}`, actor: userActor(other) };
  const reply = await story.run(paymentCreate, { provider: story.bank.name, amount }, how);
  return JSON.parse(reply.body) as Payment;
}

/** A node reports hours under its own keys. Shape: what became of each. */
async function use(story: PaymentStory, keys: readonly string[]): Promise<string[]> {
  const actor = await readKey(story.house, nodeKey);
  if (!actor) throw new Error('the node has a key');
  const occurredAt = story.ports.clock.now().toISOString();
  const records = keys.map((key) => ({
    idempotency_key: key,
    user_sid: other.userSid,
    applies_to: 'hero_os_hourly',
    resource_kind: 'small',
    quantity: '1',
    occurred_at: USED_AT.get(key) ?? occurredAt,
  }));
  for (const key of keys) if (!USED_AT.has(key)) USED_AT.set(key, occurredAt);
  const { body } = await story.run(usageRecord, { records }, { actor });
  return (JSON.parse(body) as { items: { outcome: string }[] }).items.map(({ outcome }) => outcome);
}

/** A node that sends again sends what it sent. */
const USED_AT = new Map<string, string>();

async function balances(story: PaymentStory): Promise<unknown[]> {
  const wallets = [story.wallet, other];
  return await Promise.all(
    wallets.map(async ({ sid }) => {
      const { body } = await story.run(billingGet, { sid }, { actor: OPERATOR });
      const { credit_balance_cents: balance, lifetime_paid_cents: lifetime } = JSON.parse(body) as Record<
        string,
        unknown
      >;
      return { balance, lifetime };
    }),
  );
}

async function charges(story: PaymentStory): Promise<bigint | undefined> {
  const text = 'select count(*) as charges from entry where kind = $1';
  const rows = await story.database.owner.query<{ charges: bigint }>({ name: 'test.charges', text }, [
    POSTING_KINDS.usage,
  ]);
  return rows[0]?.charges;
}

async function report(): Promise<AccountReport | undefined> {
  const { body } = await restored.run(reconciliationReport, {}, { actor: OPERATOR });
  return (JSON.parse(body) as { accounts: AccountReport[] }).accounts[0];
}

async function unmatched(): Promise<Movement[]> {
  const { body } = await restored.run(movementList, { state: 'unmatched' }, { actor: OPERATOR });
  return (JSON.parse(body) as { items: Movement[] }).items;
}

const byRef = (one: Movement, another: Movement): number => (one.ref < another.ref ? -1 : 1);

describe('L01 restored from last night’s dump while the provider moved on', () => {
  it('L01 posts what came of the orders that it knows, and tells of the rest', async () => {
    expect(await restored.payment(before[0]?.sid ?? '')).toMatchObject({ state: 'open' });
    await reconcileAll(restored.house);
    for (const { sid } of before) {
      const ours = await restored.payment(sid);
      expect(ours).toMatchObject({ state: 'credited', credited: (await lived.payment(sid)).credited });
    }
    expect((await balances(restored))[0]).toEqual((await balances(lived))[0]);
    const [kept, gone] = lost.map(({ sid }) => restored.bank.orderOf(sid));
    const queue = (await unmatched()).toSorted(byRef);
    expect(queue).toMatchObject([
      { ref: `in_${kept?.paymentRef}`, kind: 'payment', amount: '30.00' },
      { ref: `in_${gone?.paymentRef}`, kind: 'payment', amount: '10.00' },
      { ref: `out_${gone?.refunds[0]?.refundRef}`, kind: 'refund', amount: '-10.00' },
    ]);
    expect(await report()).toMatchObject({ unexplained: '30.00', remainder: '0.00', items: { length: 3 } });
    const warned = restored.ports.log.lines.filter(({ message }) => message.includes('names a payment we do not have'));
    expect(warned.map(({ facts }) => facts['user_sid'])).toEqual([other.userSid, other.userSid]);
  });

  it('L01 charges usage that is sent again once, whether or not it was in the dump', async () => {
    expect(await charges(restored)).toBe(1n);
    for (let time = 0; time < 2; time += 1) {
      expect(await use(restored, ['hour-1', 'hour-2', 'hour-3'])).toEqual(['applied', 'applied', 'applied']);
      expect(await charges(restored)).toBe(3n);
    }
  });

  it('L01 agrees to the cent once the operator has decided about the rest', async () => {
    const [kept, gone, back] = (await unmatched()).toSorted(byRef);
    const decide = async (operation: typeof movementAssign | typeof movementSuspend, input: object) => {
      const reply = await restored.run(operation, input, { key: `key-${restored.ports.ids.sid()}`, actor: OPERATOR });
      expect(reply).toMatchObject({ status: 200 });
    };
    const reason = 'paid after the dump';
    await decide(movementAssign, { sid: kept?.sid, wallet_sid: other.sid, reason });
    // What came and went back again concerns nobody's wallet.
    for (const line of [gone, back]) await decide(movementSuspend, { sid: line?.sid, reason });
    await reconcileAll(restored.house);
    expect(await report()).toMatchObject({ unexplained: '0.00', remainder: '0.00', items: [] });
    expect(await balances(restored)).toEqual(await balances(lived));
    expect(await restored.brokenPromises()).toEqual([]);
  });
});

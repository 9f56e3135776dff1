import { afterAll, beforeAll, expect, it } from 'vitest';
import type { House } from '../../src/operations/house.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import type { Db, Row, Tx } from '../../src/store/db.ts';
import { openWallets } from '../support/ledger.ts';
import { paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { after, expectedOf, keyOf, tell, UNTOUCHED } from './bank-deeds.ts';
import { readingsWithin, type Look } from './bank-stories.ts';

/** Deeds of the bank in one story, at most. Four take the tests some seconds; `TRUTH_EVENTS=6` is the whole of it. */
const DEEDS_MAX = Number(process.env['TRUTH_EVENTS'] ?? 4);
/** Payments that are lived at once: one for the server and one for us. */
const LANES = 2;
const USD = 1_000_000n;

let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory();
});
afterAll(() => told.close(), 120_000);

it(`B08 C08 every story of up to ${DEEDS_MAX} events, their news in every order, each twice, ends at the bank’s truth`, async () => {
  const { stories, timings, first } = readingsWithin(DEEDS_MAX);
  // The accounts of the house are opened by the first payment of all: opened in a long transaction they would hold up the others.
  const opening = await open();
  tell(told.bank, opening.sid, after(after(UNTOUCHED, 'pay'), 'lost'));
  await settlePayment(told.house, opening.sid, ownCause(told.house, 'webhook'));
  const looks = [...first.values()].flatMap((look) => branchesOf(look)).values();
  const counts = await Promise.all(Array.from({ length: LANES }, () => liveAll(looks)));
  const looked = counts.reduce((sum, count) => sum + count, 0);
  console.info(`${stories} stories, ${timings} timings: ${looked} looks, each of them twice`);
  expect(await told.brokenPromises()).toEqual([]);
}, 300_000);

/** A first look with one of the looks after it: what one payment lives, so that payments are many and short. */
const branchesOf = (look: Look): Look[] =>
  look.next.size === 0 ? [look] : [...look.next].map((then) => ({ ...look, next: new Map([then]) }));

async function liveAll(looks: Iterable<Look>): Promise<number> {
  let looked = 0;
  for (const look of looks) looked += await live(look);
  return looked;
}

interface Life {
  readonly sid: string;
  readonly tx: Tx;
  /** The house, all of whose transactions are part of one. */
  readonly house: House;
  looked: number;
}

/**
 * One payment lives every continuation of a look. All of it is one transaction: after a look the next one goes on from it, and what comes
 * in its place begins at the savepoint before it. So a story that begins like another need not begin again. The last one is kept.
 */
async function live(look: Look): Promise<number> {
  const { sid } = await open();
  return await told.database.db.transaction('test.live', async (tx) => {
    const query: Tx['query'] = (statement, values) => tx.query(statement, values);
    const db: Db = { query, transaction: (_label, body) => body(tx), close: () => Promise.resolve() };
    const life: Life = { sid, tx, house: { ...told.house, db }, looked: 0 };
    await goOn(life, [look], []);
    return life.looked;
  });
}

async function goOn(life: Life, looks: Iterable<Look>, read: readonly string[]): Promise<void> {
  const point = `point_${read.length}`;
  await life.tx.query({ name: `test.${point}`, text: `savepoint ${point}` });
  let isFirst = true;
  for (const { books, next } of looks) {
    if (!isFirst) await life.tx.query({ name: `test.back_to_${point}`, text: `rollback to savepoint ${point}` });
    isFirst = false;
    const hasRead = [...read, keyOf(books)];
    Object.assign(told.bank.orderOf(life.sid), { state: 'open', refunds: [], disputes: [] });
    tell(told.bank, life.sid, books);
    const stands = await lookAt(life);
    const { balance, frozen, lifetime, excess } = stands;
    expect({ hasRead, balance, frozen, lifetime, excess }).toEqual({ hasRead, ...expectedOf(books) });
    expect({ hasRead, ...(await lookAt(life)) }).toEqual({ hasRead, ...stands });
    life.looked += 1;
    await goOn(life, next.values(), hasRead);
  }
}

async function lookAt({ house, tx, sid }: Life): Promise<Stands> {
  await settlePayment(house, sid, ownCause(house, 'webhook'));
  const [stands] = await tx.query<Stands>(standsStatement, [sid]);
  if (!stands) throw new Error('the payment is there');
  return stands;
}

/** An open payment of 100.00 in a wallet of its own. */
async function open(): Promise<Payment> {
  const [wallet] = await openWallets(told.database.owner, told.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const how = { key: told.ports.ids.sid(), actor: userActor(wallet) };
  const reply = await told.run(paymentCreate, { provider: told.bank.name, amount: '100.00' }, how);
  return JSON.parse(reply.body) as Payment;
}

interface Stands extends Row {
  readonly balance: bigint;
  readonly frozen: bigint;
  readonly lifetime: bigint;
  readonly excess: bigint;
}

/** What a customer has, and everything that a look could have added without anybody seeing it. */
const standsStatement = {
  name: 'test.stands',
  text: `select payment.sid, main.balance / 1000000 as balance, frozen.balance / 1000000 as frozen,
           told.lifetime::int8 / 1000000 as lifetime, coalesce(taken.excess, 0) / 1000000 as excess,
           main.seq, frozen.seq as frozen_seq, payment.moves, payment.state, coalesce(taken.step, 0) as step, told.events
         from payment join wallet on wallet.id = payment.wallet
         join account main on main.id = wallet.id * 16 join account frozen on frozen.id = wallet.id * 16 + 2
         left join dispute taken on taken.payment_sid = payment.sid
         left join lateral (
           select count(*) as events, coalesce(
             sum(amount) filter (where kind in ('top_up', 'refund', 'refund_returned', 'reversal', 'dispute_lost')), 0) as lifetime
           from payment_event where payment_sid = payment.sid) told on true
         where payment.sid = $1`,
};

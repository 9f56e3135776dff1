import { expect } from 'vitest';
import type { House } from '../../src/operations/house.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import type { Db, Row, Tx } from '../../src/store/db.ts';
import { openWallets } from '../support/ledger.ts';
import { userActor, type PaymentStory } from '../support/payment-story.ts';
import { after, expectedOf, keyOf, tell, UNTOUCHED, type Books } from './bank-deeds.ts';

/** A look at the bank's books, and the looks that can come after it. */
export interface Look {
  readonly books: Books;
  /** By what they read. */
  readonly next: Looks;
}

export type Looks = Map<string, Look>;

/** Payments that are lived at once: while the database works for one, or another test has the processor, we work for another. */
const LANES = 6;

export interface LookOptions {
  /** Whether each look comes a second time, which must change nothing at all. */
  readonly isTwice: boolean;
}

/** Looks at the books as told and holds what then stands against the table. Shape: how many looks there were. */
export async function liveLooks(story: PaymentStory, first: Looks, options: LookOptions): Promise<number> {
  // The accounts of the house are opened by a payment of its own: opened in a long transaction they would hold up the others.
  const opening = await openPayment(story);
  tell(story.bank, opening.sid, after(after(UNTOUCHED, 'pay'), 'lost'));
  await settlePayment(story.house, opening.sid, ownCause(story.house, 'webhook'));
  const looks = first.values();
  const lane = async () => {
    let looked = 0;
    for (const look of looks) looked += await live(story, look, options);
    return looked;
  };
  const counts = await Promise.all(Array.from({ length: LANES }, lane));
  return counts.reduce((sum, count) => sum + count, 0);
}

interface Life extends LookOptions {
  readonly story: PaymentStory;
  readonly sid: string;
  readonly tx: Tx;
  /** The house, all of whose transactions are part of one. */
  readonly house: House;
  looked: number;
}

/**
 * One payment lives a first look and everything that can come after it. All of it is one transaction: after a look the next one goes
 * on from it, and what comes in its place begins at the savepoint before it. So a story that begins like another need not begin again.
 * The last one is kept.
 */
async function live(story: PaymentStory, look: Look, options: LookOptions): Promise<number> {
  const { sid } = await openPayment(story);
  return await story.database.db.transaction('test.live', async (tx) => {
    const query: Tx['query'] = (statement, values) => tx.query(statement, values);
    const db: Db = { query, transaction: (_label, body) => body(tx), close: () => Promise.resolve() };
    const life: Life = { ...options, story, sid, tx, house: { ...story.house, db }, looked: 0 };
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
    Object.assign(life.story.bank.orderOf(life.sid), { state: 'open', refunds: [], disputes: [] });
    tell(life.story.bank, life.sid, books);
    const stands = await lookAt(life);
    const { balance, frozen, lifetime, excess } = stands;
    expect({ hasRead, balance, frozen, lifetime, excess }).toEqual({ hasRead, ...expectedOf(books) });
    if (life.isTwice) expect({ hasRead, ...(await lookAt(life)) }).toEqual({ hasRead, ...stands });
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
export async function openPayment(story: PaymentStory): Promise<Payment> {
  const [wallet] = await openWallets(story.database.owner, story.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const how = { key: story.ports.ids.sid(), actor: userActor(wallet) };
  const reply = await story.run(paymentCreate, { provider: story.bank.name, amount: '100.00' }, how);
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

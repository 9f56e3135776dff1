import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { readDisputesOfPayment } from '../../src/store/dispute.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { openWallets } from '../support/ledger.ts';
import { paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { propertySeed } from '../support/property-seed.ts';
import { after, DEEDS, expectedOf, tell, UNTOUCHED, type Books, type Deed } from './bank-deeds.ts';
import { liveLooks } from './look-tree.ts';
import { everyStep, explore } from './truth-walk.ts';

const USD = 1_000_000n;

let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory({ settings: { openPaymentsMax: 1_000 } });
});
afterAll(() => told.close());

interface Customer {
  readonly wallet: WalletRow;
  readonly payment: Payment;
}

async function customer(): Promise<Customer> {
  const [wallet] = await openWallets(told.database.owner, told.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const how = { key: told.ports.ids.sid(), actor: userActor(wallet) };
  const reply = await told.run(paymentCreate, { provider: told.bank.name, amount: '100.00' }, how);
  return { wallet, payment: JSON.parse(reply.body) as Payment };
}

async function standsOf({ wallet, payment }: Customer) {
  const now = await readWalletBySid(told.database.owner, wallet.sid);
  const disputes = await readDisputesOfPayment(told.database.owner, payment.sid);
  const dollars = (amount: bigint | undefined): bigint => (amount ?? 0n) / USD;
  return {
    balance: dollars(now?.balance),
    frozen: dollars(now?.frozen),
    lifetime: dollars(now?.lifetimePaid),
    excess: dollars(disputes[0]?.excess),
  };
}

describe('the bank’s truth is ours in the end', () => {
  it('C08 B08 every step from one state of its books to another, whatever news between them was lost', async () => {
    const land = explore();
    const looked = await liveLooks(told, everyStep(land), { isTwice: false });
    console.info(`B08 ${land.places.size} states, ${looked} steps`);
    expect(looked).toBe([...land.next.values()].reduce((sum, { size }) => sum + size, 0));
    expect(await told.brokenPromises()).toEqual([]);
  }, 120_000);

  it('B07 B08 C08 up to six deeds in any order, their news lost, doubled and late', async () => {
    const deeds = fc.uniqueArray(fc.constantFrom(...DEEDS), { minLength: 1, maxLength: 6 });
    const news = fc.array(fc.constantFrom('at once', 'twice', 'late', 'lost'), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(deeds, news, async (done, how) => {
        const one = await customer();
        await live(one, done, how);
      }),
      { numRuns: 30, seed: propertySeed('deeds of a bank') },
    );
    expect(await told.brokenPromises()).toEqual([]);
  });
});

/** The bank does its deeds; news of them comes as it comes. At the end one look, as of a job that heals, finds the rest. */
async function live(one: Customer, done: readonly Deed[], how: readonly string[]): Promise<void> {
  let books: Books = UNTOUCHED;
  const late: Array<() => Promise<unknown>> = [];
  for (const [index, deed] of done.entries()) {
    books = after(books, deed);
    tell(told.bank, one.payment.sid, books);
    const webhook = told.bank.webhook(`deed.${deed}`, told.bank.orderOf(one.payment.sid));
    const deliver = async () => {
      await told.deliver(webhook);
      await told.drain();
    };
    if (how[index] === 'late' || how[index] === 'twice') late.push(deliver);
    if (how[index] === 'at once' || how[index] === 'twice') await deliver();
  }
  for (const deliver of late.toReversed()) await deliver();
  await settlePayment(told.house, one.payment.sid, ownCause(told.house, 'reconciler'));
  expect({ done, ...(await standsOf(one)) }).toEqual({ done, ...expectedOf(books) });
}

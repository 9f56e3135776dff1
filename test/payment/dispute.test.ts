import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { pollDisputes } from '../../src/operations/dispute/poll.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import type { DisputeState } from '../../src/domain/dispute/state.ts';
import { readDisputesOfPayment } from '../../src/store/dispute.ts';
import { micros } from '../../src/domain/money.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { statement } from '../../src/store/db.ts';
import { listEvents } from '../../src/store/event.ts';
import { openWallets } from '../support/ledger.ts';
import { dispute, type DisputeNews } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';

const USD = 1_000_000n;
const ALL_EVENTS = { before: null, owners: null, type: null, limit: 100 } as const;
const systemStatement = statement(
  'test.system_accounts',
  `select code, coalesce(sum(amount), 0)::int8 as sum from system_account left join batch_leg on account = id group by code`,
);

let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory({ settings: { openPaymentsMax: 1_000 } });
});
afterAll(() => told.close());

/** A customer of their own, who has paid 25.00 that is credited. */
async function customer(amount = '25.00'): Promise<Customer> {
  const [wallet] = await openWallets(told.database.owner, told.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const reply = await told.run(
    paymentCreate,
    { provider: told.bank.name, amount },
    { key: told.ports.ids.sid(), actor: userActor(wallet) },
  );
  const payment = JSON.parse(reply.body) as Payment;
  told.bank.pay(payment.sid);
  const made = new Customer(wallet, payment);
  await made.settle();
  return made;
}

class Customer {
  readonly wallet: WalletRow;
  readonly payment: Payment;
  constructor(wallet: WalletRow, payment: Payment) {
    this.wallet = wallet;
    this.payment = payment;
  }

  /** The bank says so from now on, and a webhook tells us to look. */
  async disputes(news: DisputeNews = {}, type = 'charge.dispute.updated'): Promise<void> {
    dispute(told.bank, this.payment.sid, news);
    await this.hears(type);
  }

  async hears(type: string): Promise<void> {
    await told.deliver(told.bank.webhook(type, told.bank.orderOf(this.payment.sid)));
    await told.drain();
  }

  async settle(): Promise<void> {
    await settlePayment(told.house, this.payment.sid, ownCause(told.house, 'webhook'));
  }

  async now(): Promise<WalletRow> {
    const wallet = await readWalletBySid(told.database.owner, this.wallet.sid);
    if (!wallet) throw new Error('the wallet is there');
    return wallet;
  }

  /** Balance, set aside, paid for good: in dollars. */
  async stands(): Promise<readonly [bigint, bigint, bigint]> {
    const { balance, frozen, lifetimePaid } = await this.now();
    return [balance / USD, frozen / USD, lifetimePaid / USD];
  }

  async moved(): Promise<string[]> {
    const events = await told.events();
    return events
      .filter((event) => event.paymentSid === this.payment.sid && event.kind !== 'top_up')
      .map((event) => `${event.kind} ${event.externalRef.replace(/_cs_\d+/, '')} ${event.amount / USD}`)
      .toReversed();
  }

  async one() {
    const [row, ...others] = await readDisputesOfPayment(told.database.owner, this.payment.sid);
    if (!row || others.length > 0) throw new Error('there is one dispute');
    return row;
  }

  debit(amount: string): Promise<{ status: number }> {
    const input = { sid: this.wallet.sid, amount, description: 'used' };
    return told.run(billingDebit, input, { key: told.ports.ids.sid(), actor: OPERATOR });
  }

  freeze(isFrozen: boolean): Promise<{ status: number }> {
    const input = { sid: this.wallet.sid, is_frozen: isFrozen, reason: 'an operator says so' };
    return told.run(billingFreeze, input, { actor: OPERATOR });
  }
}

const system = async (code: string): Promise<bigint> => {
  const rows = await told.database.owner.query<{ code: string; sum: bigint }>(systemStatement);
  return rows.find((row) => row.code === code)?.sum ?? 0n;
};

describe('C08 a disputed payment', () => {
  it('C08 is set aside once, however often and by whatever event it is told', async () => {
    const one = await customer();
    const before = await system('provider:stripe:clearing');
    for (const type of ['charge.dispute.created', 'charge.dispute.funds_withdrawn', 'charge.dispute.created']) {
      await one.disputes({}, type);
    }
    expect(await one.stands()).toEqual([0n, 25n, 25n]);
    expect(await one.moved()).toEqual(['dispute_opened dp_1 -25']);
    expect((await system('provider:stripe:clearing')) - before).toBe(25n * USD);
  });

  it('C08 created, then won: the money is back, once', async () => {
    const one = await customer();
    await one.disputes();
    await one.disputes({ state: 'won' });
    await one.disputes({ state: 'won' });
    expect(await one.stands()).toEqual([25n, 0n, 25n]);
    expect(await one.moved()).toEqual(['dispute_opened dp_1 -25', 'dispute_won dp_1 25']);
    expect(await one.one()).toMatchObject({ state: 'won', frozen: 0n, lost: 0n, freezesWallet: false });
  });

  it('C08 created, then lost: written off; spent money leaves the wallet below zero', async () => {
    const one = await customer();
    const before = {
      disputed: await system('provider:stripe:disputed'),
      clearing: await system('provider:stripe:clearing'),
    };
    expect((await one.debit('20.00')).status).toBe(200);
    await one.disputes({ fee: micros(15n * USD) });
    await one.disputes({ state: 'lost', fee: micros(15n * USD) });
    expect(await one.stands()).toEqual([-20n, 0n, 0n]);
    expect(await one.moved()).toEqual(['dispute_opened dp_1 -25', 'dispute_lost dp_1 -25']);
    expect((await system('provider:stripe:disputed')) - before.disputed).toBe(0n);
    expect((await system('provider:stripe:clearing')) - before.clearing).toBe(25n * USD);
  });

  it('C08 an inquiry moves nothing; when it becomes a dispute that does', async () => {
    const one = await customer();
    await one.disputes({ state: 'inquiry' });
    expect(await one.stands()).toEqual([25n, 0n, 25n]);
    expect((await one.debit('1.00')).status).toBe(200);
    await one.disputes({ state: 'open' });
    expect(await one.stands()).toEqual([-1n, 25n, 25n]);
    await one.disputes({ state: 'won' });
    expect(await one.moved()).toEqual(['dispute_opened dp_1 -25', 'dispute_won dp_1 25']);
  });

  it('C08 tells the customer once of each change: opened, lost, opened again, won; and not of an inquiry', async () => {
    const one = await customer();
    for (const state of ['inquiry', 'open', 'open', 'lost', 'open', 'won', 'won'] as const)
      await one.disputes({ state });
    const heard = await listEvents(told.database.owner, { ...ALL_EVENTS, owners: [one.wallet.userSid] });
    const types = heard.map(({ type }) => type).filter((type) => type.startsWith('dispute.'));
    expect(types.toReversed()).toEqual(['dispute.opened', 'dispute.lost', 'dispute.opened', 'dispute.won']);
  });

  it('C08 an inquiry that is closed has moved nothing at all', async () => {
    const one = await customer();
    await one.disputes({ state: 'inquiry' });
    await one.disputes({ state: 'won' });
    expect(await one.stands()).toEqual([25n, 0n, 25n]);
    expect(await one.moved()).toEqual([]);
  });

  it('C08 closed before created: a dispute first heard of when it was lost was opened before', async () => {
    const one = await customer();
    await one.disputes({ state: 'lost' }, 'charge.dispute.closed');
    await one.hears('charge.dispute.created');
    expect(await one.stands()).toEqual([0n, 0n, 0n]);
    expect(await one.moved()).toEqual(['dispute_opened dp_1 -25', 'dispute_lost dp_1 -25']);
  });

  it('C08 disputed before we heard that it was paid: credited and set aside in one go', async () => {
    const [wallet] = await openWallets(told.database.owner, told.ports, 1);
    if (!wallet) throw new Error('a wallet was opened');
    const how = { key: told.ports.ids.sid(), actor: userActor(wallet) };
    const reply = await told.run(paymentCreate, { provider: told.bank.name, amount: '25.00' }, how);
    const payment = JSON.parse(reply.body) as Payment;
    told.bank.pay(payment.sid);
    const one = new Customer(wallet, payment);
    await one.disputes({}, 'charge.dispute.created');
    expect(await one.stands()).toEqual([0n, 25n, 25n]);
  });

  it('C08 a part is disputed, and then another part', async () => {
    const one = await customer();
    await one.disputes({ amount: 10n * USD });
    await one.disputes({ disputeRef: 'dp_2', amount: 5n * USD });
    expect(await one.stands()).toEqual([10n, 15n, 25n]);
    await one.disputes({ state: 'lost' });
    await one.disputes({ disputeRef: 'dp_2', state: 'won' });
    expect(await one.stands()).toEqual([15n, 0n, 15n]);
  });

  it('C08 the amount in dispute changes', async () => {
    const one = await customer();
    await one.disputes({ amount: 20n * USD });
    await one.disputes({ amount: 5n * USD });
    expect(await one.stands()).toEqual([20n, 5n, 25n]);
    await one.disputes({ amount: 8n * USD, state: 'lost' });
    expect(await one.stands()).toEqual([17n, 0n, 17n]);
  });

  it('C08 lost, won after an appeal, opened again, lost for good', async () => {
    const one = await customer();
    const places: Array<readonly [DisputeState, readonly [bigint, bigint, bigint]]> = [
      ['lost', [0n, 0n, 0n]],
      ['won', [25n, 0n, 25n]],
      ['open', [0n, 25n, 25n]],
      ['lost', [0n, 0n, 0n]],
      ['open', [0n, 25n, 25n]],
      ['won', [25n, 0n, 25n]],
    ];
    for (const [state, stands] of places) {
      await one.disputes({ state });
      await one.hears('charge.dispute.updated');
      expect(await one.stands()).toEqual(stands);
    }
  });

  it('C08 a refund during a dispute: together they never take more than was paid, and the excess is told', async () => {
    const one = await customer();
    told.ports.log.lines.length = 0;
    const order = told.bank.orderOf(one.payment.sid);
    order.refunds = [
      {
        refundRef: 're_1',
        refundSid: null,
        amount: micros(10n * USD),
        state: 'pending',
        fee: null,
        claimUrl: null,
        detail: null,
      },
    ];
    await one.disputes();
    const { frozen } = await one.now();
    expect(frozen).toBe(15n * USD);
    expect(await one.one()).toMatchObject({ amount: 25n * USD, frozen: 15n * USD, excess: 10n * USD });
    expect(told.ports.log.lines.some(({ message }) => message.startsWith('a dispute takes more'))).toBe(true);
    // The refund fails: what it held is the dispute's.
    order.refunds = order.refunds.map((refund) => ({ ...refund, state: 'failed' }));
    await one.hears('refund.failed');
    expect((await one.now()).frozen).toBe(25n * USD);
    await one.disputes({ state: 'won' });
    expect(await one.stands()).toEqual([25n, 0n, 25n]);
  });

  it('C08 withheld and given back before we heard of it: both movements are in our books, as they are on the statement', async () => {
    const one = await customer();
    await one.debit('20.00');
    await one.disputes({ state: 'won', fee: micros(15n * USD) });
    await one.hears('charge.dispute.closed');
    expect(await one.stands()).toEqual([5n, 0n, 25n]);
    expect(await one.moved()).toEqual(['dispute_opened dp_1 -25', 'dispute_won dp_1 25']);
  });

  it('C08 a dispute that the provider names for two payments stays with the first', async () => {
    const [first, second] = [await customer(), await customer()];
    await first.disputes({ state: 'open' });
    const claimed = told.bank.orderOf(first.payment.sid).disputes;
    told.bank.orderOf(second.payment.sid).disputes = claimed;
    told.ports.log.lines.length = 0;
    await second.hears('charge.dispute.created');
    expect(await second.stands()).toEqual([25n, 0n, 25n]);
    expect(told.ports.log.lines.map(({ message }) => message).join()).toContain('one dispute for two payments');
    expect((await told.inbox()).at(-1)).toMatchObject({ state: 'applied' });
  });
});

describe('a dispute of which the news is lost', () => {
  it('B09 is followed by the job that asks about what is under way, also when the bank is away at times', async () => {
    const one = await customer();
    const other = await customer();
    await one.disputes();
    await other.disputes({ state: 'inquiry' });
    dispute(told.bank, one.payment.sid, { state: 'lost' });
    dispute(told.bank, other.payment.sid, { state: 'won' });
    told.bank.fault = 'broken';
    expect(await pollDisputes(told.house)).toBeGreaterThanOrEqual(2);
    expect(await one.stands()).toEqual([0n, 25n, 25n]);
    told.bank.fault = 'none';
    await pollDisputes(told.house);
    expect(await one.stands()).toEqual([0n, 0n, 0n]);
    expect(await other.one()).toMatchObject({ state: 'won' });
    dispute(told.bank, one.payment.sid, { state: 'open' });
    await pollDisputes(told.house);
    // What is over is not asked about any more: it takes news to open it again.
    expect(await one.one()).toMatchObject({ state: 'lost' });
  });
});

describe('a dispute stops spending', () => {
  it('freezes the whole wallet until it is won', async () => {
    const one = await customer('50.00');
    await one.disputes({ amount: 10n * USD });
    expect((await one.debit('1.00')).status).toBe(403);
    const hold = { wallet_sid: one.wallet.sid, amount: '1.00', description: 'work', expires_in_seconds: 60 };
    const reserved = await told.run(holdReserve, hold, { key: told.ports.ids.sid(), actor: OPERATOR });
    expect(reserved.status).toBe(403);
    await one.disputes({ state: 'won' });
    expect((await one.debit('1.00')).status).toBe(200);
  });

  it('a lost one leaves it frozen, until an operator thaws it', async () => {
    const one = await customer();
    await one.disputes({ amount: 10n * USD });
    await one.disputes({ state: 'lost' });
    expect((await one.debit('1.00')).status).toBe(403);
    await one.freeze(false);
    expect((await one.debit('1.00')).status).toBe(200);
    await one.hears('charge.dispute.updated');
    expect((await one.now()).isFrozen).toBe(false);
  });

  it('of two the last one thaws it', async () => {
    const one = await customer();
    await one.disputes({ amount: 1n * USD });
    await one.disputes({ disputeRef: 'dp_2', amount: 1n * USD });
    await one.disputes({ state: 'won' });
    expect((await one.now()).isFrozen).toBe(true);
    await one.disputes({ disputeRef: 'dp_2', state: 'won' });
    expect((await one.now()).isFrozen).toBe(false);
  });

  it('never thaws what an operator has frozen, before it or meanwhile', async () => {
    const one = await customer();
    await one.freeze(true);
    await one.disputes({ amount: 1n * USD });
    await one.disputes({ state: 'won' });
    expect((await one.now()).isFrozen).toBe(true);

    const other = await customer();
    await other.disputes({ amount: 1n * USD });
    await other.freeze(true);
    await other.disputes({ state: 'won' });
    expect((await other.now()).isFrozen).toBe(true);
  });

  it('stops only the amount where the policy says so', async () => {
    const one = await customer();
    const { settings } = told.house;
    const house = { ...told.house, settings: { ...settings, disputeFreeze: 'amount' as const } };
    dispute(told.bank, one.payment.sid, { amount: 20n * USD });
    await settlePayment(house, one.payment.sid, ownCause(house, 'webhook'));
    expect((await one.debit('6.00')).status).toBe(402);
    expect((await one.debit('5.00')).status).toBe(200);
  });
});

describe('C14 a dispute that comes when the customer is gone', () => {
  it('C14 posts to a wallet that is closed to spending and empty, and says so in the log', async () => {
    const one = await customer();
    await one.debit('25.00');
    await one.freeze(true);
    told.ports.log.lines.length = 0;
    await one.disputes({ state: 'lost' });
    expect(await one.stands()).toEqual([-25n, 0n, 0n]);
    const line = told.ports.log.lines.find(({ message }) => message.startsWith('dispute lost'));
    expect(line).toMatchObject({ level: 'error', facts: { was_wallet_frozen: true, balance: '-25.00' } });
  });
});

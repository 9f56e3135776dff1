import { afterEach, describe, expect, it } from 'vitest';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { readDisputesOfPayment } from '../../src/store/dispute.ts';
import { readWalletBySid } from '../../src/store/wallet.ts';
import { dispute } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, type PaymentStory, type Process } from '../support/payment-story.ts';

let told: PaymentStory;
afterEach(() => told.close());

const look = ({ house }: Pick<Process, 'house'>, sid: string) => settlePayment(house, sid, ownCause(house, 'webhook'));

describe('disputes among others', () => {
  it('E02 debits, adjustments and freezes race disputes of four payments in three processes: sums are exact, nobody waits for ever', async () => {
    told = await paymentStory({ settings: { openPaymentsMax: 100, disputeFreeze: 'amount' } });
    const processes = [told, told.anotherProcess(), told.anotherProcess()];
    const payments = await Promise.all([1, 2, 3, 4].map(() => told.paid()));
    for (const { sid } of payments) await look(told, sid);
    const startedAt = Date.now();
    let debited = 0n;
    const debits = Array.from({ length: 120 }, async (_, index) => {
      const house = processes[index % 3]?.house ?? told.house;
      const input = { sid: told.wallet.sid, amount: '0.50', description: 'used' };
      const reply = await told.run(billingDebit, input, { house, actor: OPERATOR, key: `debit-${index}` });
      expect([200, 402, 403]).toContain(reply.status);
      if (reply.status === 200) debited += 500_000n;
    });
    const freezes = Array.from({ length: 10 }, async () => {
      const input = { sid: told.wallet.sid, is_frozen: false, reason: 'race' };
      expect((await told.run(billingFreeze, input, { actor: OPERATOR })).status).toBe(200);
    });
    const states = ['open', 'won', 'open', 'lost', 'open', 'won'] as const;
    const disputes = payments.map(async ({ sid }, number) => {
      for (const state of states) {
        dispute(told.bank, sid, { state });
        await Promise.all(processes.map((process) => look(process, sid)));
      }
      dispute(told.bank, sid, { state: number < 2 ? 'won' : 'lost' });
      await look(told, sid);
    });
    await Promise.all([...debits, ...freezes, ...disputes]);
    expect(Date.now() - startedAt).toBeLessThan(20_000);
    const wallet = await readWalletBySid(told.database.owner, told.wallet.sid);
    expect(wallet).toMatchObject({ balance: 50_000_000n - debited, frozen: 0n, lifetimePaid: 50_000_000n });
    expect(await told.brokenPromises()).toEqual([]);
    // The adjustment counts from what is there, whatever a dispute has left.
    const input = { sid: told.wallet.sid, balance_cents: 100, reason: 'settled by hand' };
    expect((await told.run(billingAdjust, input, { actor: OPERATOR })).status).toBe(200);
    expect(await told.cents()).toBe(100n);
  }, 30_000);

  it('B08 an answer that was read before another was applied is thrown away and asked for again', async () => {
    told = await paymentStory();
    const { sid } = await told.paid();
    await look(told, sid);
    dispute(told.bank, sid);
    // The slow process has read "open" and is held back behind the bank's door; meanwhile the dispute is won, and another applies it.
    const slow = told.anotherProcess();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
    const provider = slow.house.providers.get(told.bank.name);
    if (!provider) throw new Error('the bank is connected');
    let asked = 0;
    const held = {
      ...provider,
      readOrder: async (orderRef: string) => {
        const order = await provider.readOrder(orderRef);
        asked += 1;
        if (asked > 1) return order;
        hasRead();
        await opened;
        return order;
      },
    };
    const late = look({ house: { ...slow.house, providers: new Map([[told.bank.name, held]]) } }, sid);
    await read;
    await look(told, sid);
    dispute(told.bank, sid, { state: 'won' });
    await look(told, sid);
    open();
    await late;
    expect(asked).toBe(2);
    expect((await readDisputesOfPayment(told.database.owner, sid)).map(({ state }) => state)).toEqual(['won']);
    expect(await told.cents()).toBe(2500n);
  });

  it('B02 the same news in three processes at once is one posting', async () => {
    told = await paymentStory();
    const { sid } = await told.paid();
    await look(told, sid);
    const processes = [told, told.anotherProcess(), told.anotherProcess()];
    dispute(told.bank, sid);
    await Promise.all(Array.from({ length: 30 }, (_, index) => look(processes[index % 3] ?? told, sid)));
    dispute(told.bank, sid, { state: 'lost' });
    await Promise.all(Array.from({ length: 30 }, (_, index) => look(processes[index % 3] ?? told, sid)));
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['dispute_lost', 'dispute_opened', 'top_up']);
    expect(await told.cents()).toBe(0n);
  });
});

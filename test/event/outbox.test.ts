import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_BYTES_MAX, eventBody } from '../../src/domain/event/types.ts';
import { emit } from '../../src/operations/event/emit.ts';
import { listEvents, type EventRow } from '../../src/store/event.ts';
import { levelOf, newsOf } from '../../src/domain/standing/level.ts';
import { watchStandings } from '../../src/operations/standing/watch.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';

let story: PaymentStory;
beforeAll(async () => {
  story = await paymentStory();
});
afterAll(() => story.close());

/** In the order of their numbers; the ids of two processes that share a clock that stands still are in no order. */
async function eventsOf(userSid: string): Promise<EventRow[]> {
  const page = { before: null, owners: [userSid], type: null, limit: 1_000 };
  return (await listEvents(story.database.owner, page)).toSorted((a, b) =>
    Number((a.sequence ?? 0n) - (b.sequence ?? 0n)),
  );
}
const typesOf = async (userSid: string): Promise<string[]> => (await eventsOf(userSid)).map(({ type }) => type);

describe('a credited payment', () => {
  it('is told of once, however often its news come', async () => {
    const payment = await story.paid('25.00');
    const [order] = [...story.bank.orders.values()];
    if (!order) throw new Error('there is an order');
    for (const id of ['evt_1', 'evt_1', 'evt_2']) {
      await story.deliver(story.bank.webhook('checkout.session.completed', order, { id }));
      await story.drain();
    }
    const [event, ...more] = await eventsOf(story.wallet.userSid);
    expect(more).toEqual([]);
    expect(JSON.parse(event?.body ?? '')).toEqual({
      type: 'payment.credited',
      timestamp: '2026-03-01T12:00:00.000Z',
      data: {
        wallet_sid: story.wallet.sid,
        user_sid: story.wallet.userSid,
        sequence: 1,
        payment_sid: payment.sid,
        provider: 'stripe',
        external_ref: order.paymentRef,
        amount: '25.00',
        currency: 'USD',
      },
    });
  });

  it('I10 is told of when it is committed and not before: a process that dies in between tells nothing', async () => {
    const told = await typesOf(story.wallet.userSid);
    const payment = await story.paid('30.00');
    const dying = story.anotherProcess();
    dying.ports.crash.on((label) => {
      if (label === 'commit:before:payment.settle') throw new Crash(label);
    });
    const cause = { kind: 'poller', actorId: 'system:poller', requestId: 'req_1' } as const;
    await expect(settlePayment(dying.house, payment.sid, cause)).rejects.toThrow(Crash);
    expect(dying.ports.crash.reached).toContain('sql:after:event.insert');
    expect(await typesOf(story.wallet.userSid)).toEqual(told);
    await settlePayment(story.house, payment.sid, cause);
    expect(await typesOf(story.wallet.userSid)).toEqual([...told, 'payment.credited']);
  });
});

describe('a wallet that sinks', () => {
  const holds = async (wallet: WalletRow, amount: bigint): Promise<void> => {
    await fund(story.house.db, story.ports, wallet, amount);
    await Promise.all([watchStandings(story.house), watchStandings(story.anotherProcess().house)]);
  };

  it('is told of once for each level, also by two processes at once, and again after it was filled up', async () => {
    const [wallet] = await openWallets(story.house.db, story.ports, 1);
    if (!wallet) throw new Error('a wallet was opened');
    const steps: [amount: bigint, types: string[]][] = [
      [0n, []],
      [10_000_000n, []],
      [-8_000_000n, []],
      [-1n, ['wallet.low_balance']],
      [-1_000_000n, []],
      [-999_999n, ['wallet.empty']],
      [0n, []],
      [10_000_000n, []],
      [-10_000_000n, ['wallet.low_balance', 'wallet.empty']],
    ];
    const expected: string[] = [];
    for (const [amount, types] of steps) {
      if (amount !== 0n) await holds(wallet, amount);
      else await watchStandings(story.house);
      expected.push(...types);
      expect(await typesOf(wallet.userSid)).toEqual(expected);
    }
    const events = await eventsOf(wallet.userSid);
    expect(events.map(({ sequence }) => sequence)).toEqual([1n, 2n, 3n, 4n]);
    expect(JSON.parse(events[0]?.body ?? '')).toMatchObject({ data: { balance: '1.999999', limit: '2.00' } });
  });

  it('has levels that count what is set aside', () => {
    const lowBalance = 2_000_000n;
    expect([-1n, 0n, 1n, 1_999_999n, 2_000_000n].map((held) => levelOf({ held, lowBalance }))).toEqual([
      'empty',
      'empty',
      'low',
      'low',
      'ok',
    ]);
    expect(newsOf('low', 'ok')).toEqual([]);
    expect(newsOf('empty', 'low')).toEqual([]);
  });
});

describe('the outbox', () => {
  it('numbers the events of a wallet without a gap, however many are told at once', async () => {
    const [wallet] = await openWallets(story.house.db, story.ports, 1);
    if (!wallet) throw new Error('a wallet was opened');
    const of = { wallet: wallet.id, walletSid: wallet.sid, userSid: wallet.userSid };
    const tell = (number: number) =>
      story.house.db.transaction('test.emit', (tx) =>
        emit(tx, story.house, { type: 'refund.requested', of, facts: { number } }),
      );
    await Promise.all(Array.from({ length: 3 }, (_, number) => tell(number)));
    expect(new Set((await eventsOf(wallet.userSid)).map(({ sequence }) => sequence))).toEqual(new Set([1n, 2n, 3n]));
  });

  it('leaves out facts that are too long rather than stop what they tell of', () => {
    const text = { type: 'refund.failed', occurredAt: new Date(0), about: { sequence: 1 } } as const;
    const body = eventBody({ ...text, facts: { reason: 'é'.repeat(EVENT_BYTES_MAX) } });
    expect(JSON.parse(body)).toMatchObject({ data: { sequence: 1, is_cut: true } });
  });
});

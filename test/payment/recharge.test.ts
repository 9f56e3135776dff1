import { afterEach, describe, expect, it } from 'vitest';
import { autoRechargeDisable } from '../../src/operations/auto-recharge/disable.ts';
import { autoRechargeSet } from '../../src/operations/auto-recharge/set.ts';
import { runAutoRecharges } from '../../src/operations/auto-recharge/run.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { cardList } from '../../src/operations/card/list.ts';
import { cardMakeDefault } from '../../src/operations/card/make-default.ts';
import { cardRemove } from '../../src/operations/card/remove.ts';
import type { CardList } from '../../src/operations/card/card.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { RECHARGE_CONSENT_VERSION } from '../../src/domain/card/consent.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, userActor } from '../support/payment-story.ts';
import { cardStory, type CardStory } from '../support/card-story.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
async function story(...settings: Parameters<typeof cardStory>): Promise<CardStory> {
  const made = await cardStory(...settings);
  ends.push(() => made.close());
  return made;
}
const HOUR_MS = 3_600_000;
/** What others were told of it, oldest first. */
const toldOf = async ({ told }: CardStory): Promise<string[]> => {
  const text = `select type from event where type like 'auto_recharge.%' order by sequence`;
  const rows = await told.database.owner.query<{ type: string }>({ name: 'test.told_of', text });
  return rows.map(({ type }) => type);
};
const cardsOf = async ({ run }: CardStory) => (JSON.parse((await run(cardList, {})).body) as CardList).items;

describe('saved cards', () => {
  it('are saved, listed, chosen and removed by their owner; nothing of a card is stored here', async () => {
    const told = await story();
    expect(await cardsOf(told)).toEqual([]);
    await told.saveCard('visa');
    await told.saveCard('mastercard');
    const [newest, oldest] = await cardsOf(told);
    expect([newest, oldest]).toMatchObject([
      { brand: 'mastercard', last4: '4444', expires_month: 8, expires_year: 2030, is_default: false },
      { brand: 'visa', last4: '4242', is_default: false },
    ]);
    const chosen = await told.run(cardMakeDefault, { card_ref: newest?.card_ref });
    expect((JSON.parse(chosen.body) as CardList).items.map((card) => card.is_default)).toEqual([true, false]);
    const left = await told.run(cardRemove, { card_ref: newest?.card_ref });
    expect((JSON.parse(left.body) as CardList).items).toMatchObject([{ last4: '4242', is_default: false }]);
    expect(await told.run(cardRemove, { card_ref: newest?.card_ref })).toMatchObject({ status: 404 });
    const dump = await told.told.database.owner.query<{ text: string }>({
      name: 'test.dump_customers',
      text: `select to_jsonb(provider_customer)::text as text from provider_customer union all select to_jsonb(payment)::text from payment`,
    });
    expect(dump.map(({ text }) => text).join()).not.toMatch(/4242|4444|mastercard/);
  });

  it('of another user answer as if they were not there', async () => {
    const told = await story();
    await told.saveCard();
    const [card] = await cardsOf(told);
    const [other] = await openWallets(told.told.database.owner, told.told.ports, 1);
    if (!other || !card) throw new Error('there are two users and a card');
    const actor = userActor(other);
    for (const operation of [cardRemove, cardMakeDefault]) {
      expect(await told.run(operation, { card_ref: card.card_ref }, { actor })).toMatchObject({ status: 404 });
      const byWallet = { card_ref: card.card_ref, wallet_sid: told.told.wallet.sid };
      expect(await told.run(operation, byWallet, { actor })).toMatchObject({ status: 404 });
    }
    expect(await told.run(cardList, { wallet_sid: told.told.wallet.sid }, { actor })).toMatchObject({ status: 404 });
    expect(await cardsOf(told)).toHaveLength(1);
  });

  it('are saved by a top-up only if its payer says so; the payment stays what it was ordered as', async () => {
    const told = await story();
    const input = { provider: 'stripe', amount: '20.00', save_card: true };
    const reply = await told.run(paymentCreate, input, { key: 'saving' });
    const payment = JSON.parse(reply.body) as { sid: string };
    told.stripe.complete(await told.sessionOf(payment), 'paid', 'mastercard');
    await told.hear();
    expect(await told.told.cents()).toBe(2_000n);
    expect(await cardsOf(told)).toMatchObject([{ last4: '4444' }]);
    const plain = await told.open('20.00');
    told.stripe.complete(await told.sessionOf(plain), 'paid', 'visa');
    await told.hear();
    expect(await cardsOf(told)).toHaveLength(1);
  });

  it('a provider that is away is told, and nothing has changed', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge();
    told.stripe.turn({ faults: [{ kind: 'rate-limit', retryAfterSeconds: 60, path: '/v1/customers' }] });
    expect(await told.run(cardList, {})).toMatchObject({ status: 502 });
    told.stripe.turn({ faults: [{ kind: 'rate-limit', retryAfterSeconds: 60, path: '/v1/payment_methods' }] });
    const [card] = await cardsOf(told);
    expect(await told.run(cardRemove, { card_ref: card?.card_ref })).toMatchObject({ status: 502 });
    // It could not be removed there, and is charged no more all the same.
    expect(await told.standing()).toMatchObject({ state: 'off', reason: 'card_removed' });
    told.stripe.turn({ faults: [] });
    expect(await told.run(cardRemove, { card_ref: card?.card_ref })).toMatchObject({ status: 200 });
    expect(await cardsOf(told)).toEqual([]);
  });
});

describe('auto-recharge', () => {
  it('fills a wallet that fell below its threshold, once, by a payment like any other', async () => {
    const told = await story();
    await told.saveCard();
    await told.move(1_000n);
    expect(await told.recharge()).toMatchObject({ state: 'on', reason: null, last_payment: null });
    expect(await runAutoRecharges(told.house)).toBe(0);
    await told.move(-1n);
    expect(await runAutoRecharges(told.house)).toBe(1);
    expect(await told.told.cents()).toBe(3_000n);
    expect(await runAutoRecharges(told.house)).toBe(0);
    await told.hear();
    const [charge] = await told.charges();
    expect(charge).toMatchObject({
      state: 'credited',
      amount: 20_010_000n,
      orderRef: expect.stringMatching(/^pi_/) as string,
    });
    expect(await told.told.events()).toMatchObject([{ kind: 'top_up', externalRef: charge?.orderRef }]);
    expect(await told.standing()).toMatchObject({
      charged_this_month: '20.01',
      last_payment: { state: 'credited', is_automatic: true, decline: null },
    });
    expect((await told.told.inbox()).every((row) => row.state === 'applied' || row.state === 'ignored')).toBe(true);
    expect(told.taken()).toBe(2_001);
  });

  it('H08 threshold crossed by ten debits at once, seen by two processes at once: one charge covers it all', async () => {
    const told = await story();
    await told.saveCard();
    await told.move(1_500n);
    await told.recharge();
    await Promise.all(Array.from({ length: 10 }, () => told.move(-100n)));
    const houses = [told.house, told.another(), told.another()];
    const begun = await Promise.all(houses.flatMap((house) => [runAutoRecharges(house), runAutoRecharges(house)]));
    expect(begun.reduce((sum, one) => sum + one, 0)).toBe(1);
    await told.hear();
    expect(await told.charges()).toHaveLength(1);
    expect(await told.told.cents()).toBe(3_000n);
    expect(told.taken()).toBe(2_500);
  });

  it('H08 a declined card waits an hour, then two, then four; the fourth refusal switches it off and says why', async () => {
    const told = await story();
    await told.saveCard('no-funds');
    await told.recharge();
    const hours: number[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      for (let quarter = 0; quarter < 4; quarter += 1) {
        const begun = await runAutoRecharges(told.house);
        if (begun > 0) hours.push(hour);
        await told.told.ports.clock.advance(HOUR_MS / 4);
      }
    }
    expect(hours).toEqual([0, 1, 3, 7]);
    await told.hear();
    expect(await told.standing()).toMatchObject({ state: 'off', reason: 'declined', declines: 4 });
    const failed = 'auto_recharge.failed';
    expect(await toldOf(told)).toEqual([failed, failed, failed, failed, 'auto_recharge.disabled']);
    const charges = await told.charges();
    expect(charges).toHaveLength(4);
    expect(charges.every(({ state, decline }) => state === 'failed' && decline === 'declined')).toBe(true);
    expect(charges[0]?.problem).toBe(
      'The saved card was declined: there is not enough money on it. Nothing was charged.',
    );
    expect(await told.told.cents()).toBe(0n);
    // What Stripe was asked for cannot be charged later either.
    const intents = told.stripe.journal().payment_intents as { status: string }[];
    expect(intents.every(({ status }) => status === 'canceled')).toBe(true);
    // The owner puts it right: at once.
    told.turnCards('pays');
    expect(await told.recharge()).toMatchObject({ state: 'on', reason: null, declines: 0 });
    expect(await runAutoRecharges(told.house)).toBe(1);
    expect(await told.told.cents()).toBe(3_000n);
  });

  it('a bank that wants its owner stops it; a payment on a page answers, and it goes on', async () => {
    const told = await story();
    await told.saveCard('authenticate');
    await told.recharge();
    expect(await runAutoRecharges(told.house)).toBe(1);
    const standing = await told.standing();
    expect(standing).toMatchObject({
      state: 'action_required',
      reason: 'authentication',
      last_payment: { state: 'failed', decline: 'authentication_required', amount: '30.00' },
    });
    expect(await toldOf(told)).toEqual(['auto_recharge.action_required']);
    await told.told.ports.clock.advance(48 * HOUR_MS);
    expect(await runAutoRecharges(told.house)).toBe(0);
    const payment = await told.open('30.00');
    told.stripe.complete(await told.sessionOf(payment), 'paid');
    await told.hear();
    expect(await told.told.cents()).toBe(3_000n);
    expect(await told.standing()).toMatchObject({ state: 'on', reason: null });
    expect(told.taken()).toBe(0);
  });

  it.each([
    ['pays-later', 'credited', 3_000n, 'on', null],
    ['fails-later', 'failed', 0n, 'on', 'declined'],
  ] as const)(
    'a charge that is decided later (%s) keeps others away until it is',
    async (name, state, cents, after, reason) => {
      const told = await story();
      await told.saveCard(name);
      await told.recharge();
      told.stripe.turn({ settleAfterMs: 3 * 24 * HOUR_MS });
      expect(await runAutoRecharges(told.house)).toBe(1);
      expect((await told.charges())[0]?.state).toBe('processing');
      await told.told.ports.clock.advance(2 * 24 * HOUR_MS);
      expect(await runAutoRecharges(told.house)).toBe(0);
      await told.told.ports.clock.advance(2 * 24 * HOUR_MS);
      await told.hear();
      expect((await told.charges())[0]?.state).toBe(state);
      expect(await told.told.cents()).toBe(cents);
      expect(await told.standing()).toMatchObject({ state: after, reason });
    },
  );

  it('stops at the month’s cap and goes on in the next month', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge({ monthly_cap: '52.00' });
    for (let round = 0; round < 4; round += 1) {
      await runAutoRecharges(told.house);
      const cents = await told.told.cents();
      if (cents > 0n) await told.move(-cents);
    }
    // 30.00 and 22.00: the cap, and no cent more.
    expect((await told.charges()).map(({ amount }) => amount)).toEqual([30_000_000n, 22_000_000n]);
    expect(await told.standing()).toMatchObject({
      state: 'on',
      reason: 'monthly_cap',
      charged_this_month: '52.00',
      not_before: '2026-04-01T00:00:00.000Z',
    });
    await told.told.ports.clock.advance(31 * 24 * HOUR_MS);
    expect(await runAutoRecharges(told.house)).toBe(1);
    expect(await told.standing()).toMatchObject({ reason: null, charged_this_month: '30.00' });
  });

  it('H09 while a page is open: both pay, both are credited, and both are told', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge();
    const page = await told.open('25.00');
    expect(await runAutoRecharges(told.house)).toBe(1);
    told.stripe.complete(await told.sessionOf(page), 'paid');
    await told.hear();
    expect(await told.told.cents()).toBe(5_500n);
    expect(await told.told.events()).toHaveLength(2);
    expect((await told.told.payment(page.sid)).state).toBe('credited');
    expect(await told.standing()).toMatchObject({ state: 'on', last_payment: { state: 'credited' } });
  });

  it('charges nothing while the wallet is frozen, or once it is off', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge();
    const freeze = (isFrozen: boolean) =>
      told.run(billingFreeze, { sid: told.told.wallet.sid, is_frozen: isFrozen, reason: 'x' }, { actor: OPERATOR });
    await freeze(true);
    expect(await runAutoRecharges(told.house)).toBe(0);
    await freeze(false);
    await told.run(autoRechargeDisable, {});
    expect(await runAutoRecharges(told.house)).toBe(0);
    expect(await told.standing()).toMatchObject({ state: 'off', reason: 'by_user' });
    await told.recharge();
    expect(await runAutoRecharges(told.house)).toBe(1);
  });

  it('I02 a charge whose answer was lost is asked for under its own key: one charge at the provider', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge();
    told.stripe.turn({ lossRate: 1, faults: [{ kind: 'error-after-effect', path: '/v1/payment_intents' }] });
    const over = { is: false };
    const running = runAutoRecharges(told.house).finally(() => (over.is = true));
    while (!over.is) await told.told.ports.clock.advance(told.told.ports.clock.sleeping > 0 ? 500 : 0);
    await running;
    expect(await told.told.cents()).toBe(0n);
    expect(told.taken()).toBe(3_000);
    told.stripe.turn({ faults: [] });
    expect(await runAutoRecharges(told.house)).toBe(0);
    await told.told.ports.clock.advance(60_000);
    await pollPayments(told.house);
    expect(await told.told.cents()).toBe(3_000n);
    expect(told.taken()).toBe(3_000);
    expect(await told.charges()).toHaveLength(1);
  });

  it('a charge that was never made is withdrawn after an hour, or once it is switched off, and another one may come', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge();
    const away = () =>
      told.stripe.turn({ faults: [{ kind: 'rate-limit', retryAfterSeconds: 60, path: '/v1/payment_intents' }] });
    away();
    expect(await runAutoRecharges(told.house)).toBe(1);
    await told.told.ports.clock.advance(2 * HOUR_MS);
    told.stripe.turn({ faults: [] });
    await pollPayments(told.house);
    expect((await told.charges()).map(({ state }) => state)).toEqual(['failed']);
    expect(await told.standing()).toMatchObject({ state: 'on', reason: 'not_possible', declines: 1 });
    await told.told.ports.clock.advance(HOUR_MS);
    away();
    expect(await runAutoRecharges(told.house)).toBe(1);
    await told.run(autoRechargeDisable, {});
    told.stripe.turn({ faults: [] });
    await told.told.ports.clock.advance(60_000);
    await pollPayments(told.house);
    expect((await told.charges()).map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(told.taken()).toBe(0);
  });

  it('a default card that is gone at the provider is refused, told, and charged no more', async () => {
    const told = await story();
    await told.saveCard();
    await told.recharge();
    for (const method of told.stripe.vault.methods.values()) method.customerId = null;
    expect(await runAutoRecharges(told.house)).toBe(1);
    expect(await told.standing()).toMatchObject({ state: 'on', reason: 'not_possible', declines: 1 });
    expect(await runAutoRecharges(told.house)).toBe(0);
    expect(await told.run(autoRechargeSet, { ...WISH })).toMatchObject({ status: 404 });
  });

  it('is refused to whoever is not the owner, without agreement, and for amounts that do not fit', async () => {
    const told = await story();
    expect(await told.run(autoRechargeSet, WISH)).toMatchObject({ status: 404 });
    await told.saveCard();
    expect(await told.run(autoRechargeSet, WISH, { actor: OPERATOR })).toMatchObject({ status: 403 });
    expect(await told.run(autoRechargeSet, { ...WISH, agrees_to: 'yes' })).toMatchObject({ status: 400 });
    for (const wrong of [{ target: '14.99' }, { monthly_cap: '4.99' }, { threshold: '1.001' }, { target: '2000.00' }]) {
      const { status, body } = await told.run(autoRechargeSet, { ...WISH, ...wrong });
      expect([status, JSON.parse(body).errors[0].pointer]).toEqual([422, `#/${Object.keys(wrong)[0] ?? ''}`]);
    }
    expect(await told.run(autoRechargeSet, WISH)).toMatchObject({ status: 200 });
    const wallet = { wallet_sid: told.told.wallet.sid };
    expect(await told.run(autoRechargeDisable, wallet, { actor: OPERATOR })).toMatchObject({ status: 200 });
    expect(await told.standing()).toMatchObject({ state: 'off', reason: 'by_operator' });
  });
});

const WISH = { threshold: '10.00', target: '30.00', monthly_cap: '100.00', agrees_to: RECHARGE_CONSENT_VERSION };

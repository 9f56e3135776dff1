import { cents, choose, control, created, key, read, sessionOf, type PaymentAnswer } from './payment-steps.ts';
import { equal, eventually, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

/** A person of their own, because only the owner of a wallet may have a card charged. */
async function asOwner(
  smoke: Smoke,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<SmokeAnswer> {
  return smoke.request(path, {
    isOperator: false,
    headers: { ...headers, authorization: `Bearer ${smoke.recall('owner')}` },
    ...(body === undefined ? {} : { body }),
  });
}

const itemsOf = (answer: SmokeAnswer) =>
  answer.json['items'] as { card_ref: string; last4: string; is_default: boolean }[];

/** Methods that take time, events that are lost, saved cards and what charges them. */
export const cardChecks: readonly SmokeCheck[] = [
  {
    name: 'a bank transfer is shown as processing, and credited when the money arrives',
    async run(smoke) {
      const before = await cents(smoke);
      await control(smoke, 'switches', { settleAfterMs: 600_000 });
      const payment = await created(smoke, '13.00');
      await choose(smoke, payment, 'later-succeeds');
      await eventually(
        'the payment is processing',
        () => read(smoke, payment.sid),
        ({ state }) => state === 'processing',
      );
      equal(await cents(smoke), before, 'the balance before the money');
      await control(smoke, `sessions/${sessionOf(payment)}/settle`, { paid: true });
      await eventually(
        'the payment is credited',
        () => read(smoke, payment.sid),
        ({ state }) => state === 'credited',
      );
      equal(await cents(smoke), before + 1300, 'the balance');
    },
  },
  {
    name: 'a bank transfer that never arrives fails, and credits nothing',
    async run(smoke) {
      const before = await cents(smoke);
      const payment = await created(smoke, '14.00');
      await choose(smoke, payment, 'later-fails');
      await control(smoke, `sessions/${sessionOf(payment)}/settle`, { paid: false });
      await eventually(
        'the payment has failed',
        () => read(smoke, payment.sid),
        ({ state }) => state === 'failed',
      );
      equal(await cents(smoke), before, 'the balance');
      await control(smoke, 'switches', undefined, 'DELETE');
    },
  },
  {
    name: 'a card is saved by a top-up whose payer wants it, and is listed without its number',
    async run(smoke) {
      const session = await smoke.request('/login/sandbox', {
        body: { name: `Smoke cards ${crypto.randomUUID()}` },
        isOperator: false,
      });
      smoke.keep('owner', session.json['token']);
      const body = { provider: 'stripe', amount: '5.00', save_card: true };
      const payment = (await asOwner(smoke, '/v1/payments', body, key())).json as unknown as PaymentAnswer;
      await choose(smoke, payment, 'pay');
      await eventually(
        'the card is listed',
        () => asOwner(smoke, '/v1/cards'),
        (answer) => itemsOf(answer).length === 1,
      );
      const cards = await asOwner(smoke, '/v1/cards');
      equal(itemsOf(cards)[0]?.last4, '4242', 'the last four digits');
      holds(!/\d{13,}/.test(cards.text), 'a number of a card is in the answer');
      smoke.keep('card', itemsOf(cards)[0]?.card_ref);
    },
  },
  {
    name: 'auto-recharge is refused to an operator, and without agreement',
    async run(smoke) {
      const wish = { threshold: '10.00', target: '30.00', monthly_cap: '100.00', agrees_to: 'anything' };
      equal((await smoke.request('/v1/auto-recharge', { body: wish })).status, 403, 'status for an operator');
      equal((await asOwner(smoke, '/v1/auto-recharge', wish)).status, 400, 'status without agreement');
    },
  },
  {
    name: 'a wallet below its threshold is filled from the saved card, once',
    async run(smoke) {
      const standing = await asOwner(smoke, '/v1/auto-recharge');
      const { version } = standing.json['consent'] as { version: string };
      const wish = { threshold: '10.00', target: '30.00', monthly_cap: '100.00', agrees_to: version };
      equal((await asOwner(smoke, '/v1/auto-recharge', wish)).status, 200, 'status of auto-recharge.set');
      const filled = await eventually(
        'the card is charged',
        () => asOwner(smoke, '/v1/auto-recharge'),
        ({ json }) => (json['last_payment'] as { state?: string } | null)?.state === 'credited',
      );
      equal(filled.json['charged_this_month'], '25.00', 'what was charged');
      const billing = await asOwner(smoke, `/v1/billings/${String(standing.json['wallet_sid'])}`);
      equal(billing.json['credit_balance_cents'], 3000, 'the balance');
    },
  },
  {
    name: 'a removed card is charged no more, and auto-recharge says why it is off',
    async run(smoke) {
      const answer = await asOwner(smoke, '/v1/cards/remove', { card_ref: smoke.recall('card') });
      equal([answer.status, itemsOf(answer).length], [200, 0], 'status and number of cards');
      const { json } = await asOwner(smoke, '/v1/auto-recharge');
      equal([json['state'], json['reason']], ['off', 'card_removed'], 'auto-recharge');
    },
  },
];

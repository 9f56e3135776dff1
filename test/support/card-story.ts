import type { Behaviour, TestCardName } from '../../sandbox/stripe/cards.ts';
import { autoRechargeGet } from '../../src/operations/auto-recharge/get.ts';
import { autoRechargeSet } from '../../src/operations/auto-recharge/set.ts';
import type { AutoRecharge } from '../../src/operations/auto-recharge/auto-recharge.ts';
import { cardSetup } from '../../src/operations/card/setup.ts';
import type { HouseSettings } from '../../src/operations/house.ts';
import { RECHARGE_CONSENT_VERSION } from '../../src/domain/card/consent.ts';
import type { PaymentRow } from '../../src/store/payment.ts';
import { listPayments } from '../../src/store/payment.ts';
import { fund } from './ledger.ts';
import { stripeStory, type StripeStory } from './stripe-story.ts';

export const CENT = 10_000n;

/** A wallet whose owner has a saved card, over Stripe's wire. */
export interface CardStory extends StripeStory {
  /** Saves a card on the provider's page. */
  readonly saveCard: (name?: TestCardName) => Promise<void>;
  readonly recharge: (wish?: Partial<Record<'threshold' | 'target' | 'monthly_cap', string>>) => Promise<AutoRecharge>;
  readonly standing: () => Promise<AutoRecharge>;
  /** Puts cents in, or takes them out. */
  readonly move: (cents: bigint) => Promise<void>;
  /** Every charge of a saved card, oldest first. */
  readonly charges: () => Promise<PaymentRow[]>;
  /** What the provider took by charges of saved cards, in cents. */
  readonly taken: () => number;
  readonly turnCards: (behaviour: Behaviour) => void;
}

export async function cardStory(settings: Partial<HouseSettings> = {}): Promise<CardStory> {
  const story = await stripeStory(settings);
  const { told, stripe, run } = story;
  const ok = async (reply: Promise<{ readonly status: number; readonly body: string }>): Promise<AutoRecharge> => {
    const { status, body } = await reply;
    if (status !== 200) throw new Error(`${status} ${body}`);
    return JSON.parse(body) as AutoRecharge;
  };
  return {
    ...story,
    saveCard: async (name = 'visa') => {
      const reply = await run(cardSetup, {});
      const { setup_url: url } = JSON.parse(reply.body) as { setup_url: string };
      const done = stripe.complete(url.split('/').at(-1) ?? '', 'paid', name);
      if (done !== 'done') throw new Error(`the card was not saved: ${done}`);
    },
    recharge: (wish = {}) =>
      ok(
        run(autoRechargeSet, {
          threshold: '10.00',
          target: '30.00',
          monthly_cap: '100.00',
          agrees_to: RECHARGE_CONSENT_VERSION,
          ...wish,
        }),
      ),
    standing: () => ok(run(autoRechargeGet, {})),
    move: (cents) => fund(told.database.owner, told.ports, told.wallet, cents * CENT),
    charges: async () => {
      const all = await listPayments(told.database.owner, { wallets: null, before: null, state: null, limit: 100 });
      return all.filter(({ cardRef }) => cardRef !== null).toReversed();
    },
    taken: () =>
      stripe
        .journal()
        .charges.map((charge) => charge as { amount: number; description: string | null })
        .filter(({ description }) => description !== null)
        .reduce((sum, { amount }) => sum + amount, 0),
    turnCards: (behaviour) => {
      for (const method of stripe.vault.methods.values()) stripe.turnCard(method.id, behaviour);
    },
  };
}

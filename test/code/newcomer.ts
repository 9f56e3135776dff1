import { bonusSet } from '../../src/operations/bonus/set.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { readBonusOfUser, type BonusRow } from '../../src/store/bonus.ts';
import { availableOf } from '../../src/store/grant.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, userActor, type PaymentStory } from '../support/payment-story.ts';
import { look } from '../support/refund-story.ts';

/** Somebody who has never paid. */
export interface Newcomer {
  readonly wallet: WalletRow;
  readonly actor: Actor;
  /** Begins a top-up; nothing is paid yet. */
  begin(amount: string): Promise<Payment>;
  /** A top-up that is paid and credited. */
  pay(amount: string): Promise<Payment>;
  bonus(): Promise<BonusRow | null>;
  /** `paid + given`, micro-dollars. */
  holds(): Promise<string>;
}

export async function newcomer(told: PaymentStory): Promise<Newcomer> {
  const [wallet] = await openWallets(told.database.owner, told.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const actor = userActor(wallet);
  const begin = async (amount: string): Promise<Payment> => {
    const key = `top-up-${told.ports.ids.sid()}`;
    const reply = await told.run(paymentCreate, { provider: told.bank.name, amount }, { key, actor });
    if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
    return JSON.parse(reply.body) as Payment;
  };
  return {
    wallet,
    actor,
    begin,
    pay: async (amount) => {
      const payment = await begin(amount);
      told.bank.pay(payment.sid);
      await look(told, payment.sid);
      return payment;
    },
    bonus: () => readBonusOfUser(told.database.owner, wallet.userSid),
    holds: async () => {
      const { paid, given } = await availableOf(told.database.owner, wallet.id);
      return `${paid} + ${given}`;
    },
  };
}

/** Ten per cent, five dollars at most, for 30 days, of first top-ups of ten dollars and more, unless said otherwise. */
export async function setRule(told: PaymentStory, wish: Record<string, unknown> = {}, house?: House): Promise<string> {
  const rule = { percent: '10', bonus_max: '5.00', top_up_min: '10.00', credit_days: 30, ...wish };
  const reply = await told.run(bonusSet, rule, { actor: OPERATOR, ...(house && { house }) });
  if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
  return (JSON.parse(reply.body) as { readonly sid: string }).sid;
}

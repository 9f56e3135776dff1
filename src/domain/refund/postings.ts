import { liveAccount, type AccountId, type Leg } from '../ledger/posting.ts';
import { micros, type Micros } from '../money.ts';

/** What each movement of a refund does, with the zero legs left out. `clearing` is the provider's account. */
interface Movement {
  readonly wallet: bigint;
  readonly clearing: AccountId;
}

/** Sets the amount aside: wallet → reserved. */
export const reserveLegs = (wallet: bigint, amount: Micros): Leg[] => [
  { account: liveAccount(wallet, 'wallet'), amount: micros(-amount) },
  { account: liveAccount(wallet, 'reserved'), amount },
];

/** Gives back what was set aside: reserved → wallet. */
export const giveBackLegs = (wallet: bigint, amount: Micros): Leg[] => [
  { account: liveAccount(wallet, 'reserved'), amount: micros(-amount) },
  { account: liveAccount(wallet, 'wallet'), amount },
];

/** What was set aside has left: reserved → clearing. Where the provider sent another amount than asked, the wallet has the difference. */
export function completeLegs({ wallet, clearing }: Movement, asked: Micros, sent: Micros): Leg[] {
  const legs: Leg[] = [
    { account: liveAccount(wallet, 'reserved'), amount: micros(-asked) },
    { account: clearing, amount: sent },
  ];
  if (asked !== sent) legs.push({ account: liveAccount(wallet, 'wallet'), amount: micros(asked - sent) });
  return legs;
}

/** Money left without our doing: wallet → clearing. */
export const takeLegs = ({ wallet, clearing }: Movement, amount: Micros): Leg[] => [
  { account: liveAccount(wallet, 'wallet'), amount: micros(-amount) },
  { account: clearing, amount },
];

/** Money that had left came back: clearing → wallet. */
export const returnLegs = ({ wallet, clearing }: Movement, amount: Micros): Leg[] => [
  { account: clearing, amount: micros(-amount) },
  { account: liveAccount(wallet, 'wallet'), amount },
];

import { liveAccount, type AccountId, type Draw, type Leg } from '../ledger/posting.ts';
import { micros, type Micros } from '../money.ts';

/** What a hold has set aside of one grant. */
export interface Source {
  readonly account: AccountId;
  readonly amount: Micros;
}

export const sourcesOf = (draws: readonly Draw[] = []): Source[] =>
  draws.map(({ account, amount }) => ({ account, amount }));

/** What is left of the sources when so much of the hold was used: given credit goes first, in the order in which it was set aside. */
export function remainingSources(sources: readonly Source[], used: bigint): Source[] {
  let gone = used;
  return sources.flatMap(({ account, amount }) => {
    const taken = gone < amount ? gone : amount;
    gone -= taken;
    return taken === amount ? [] : { account, amount: micros(amount - taken) };
  });
}

/** Puts what came back to the wallet where it was taken from. */
export function giveBackLegs(wallet: bigint, sources: readonly Source[]): Leg[] {
  const sum = sources.reduce((total, { amount }) => total + amount, 0n);
  return [{ account: liveAccount(wallet, 'wallet'), amount: micros(-sum) }, ...sources];
}

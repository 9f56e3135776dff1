import { liveAccount, type AccountId, type Leg } from '../ledger/posting.ts';
import { formatDecimal, micros, type Micros } from '../money.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { remainingSources, type Source } from './given.ts';

/** What the rules of a hold look at. */
export interface HoldFacts {
  readonly wallet: bigint;
  readonly kind: 'hold' | 'lease';
  readonly amount: Micros;
  /** What usage under a lease has taken out of it; zero for a plain hold. */
  readonly drawn: Micros;
  readonly state: 'open' | 'captured' | 'released' | 'expired' | 'captured_late';
  readonly expiresAt: Date;
  /** The user who set it aside; null: the house, or a node. */
  readonly byUserSid: string | null;
  /** What of it was given credit, in the order of use. */
  readonly given: readonly Source[];
}

export interface CapturePlan {
  readonly legs: readonly Leg[];
  readonly state: 'captured' | 'captured_late';
  /** A late capture is for work that was done: it is owed even when the wallet has since been emptied. */
  readonly mayOverdraw: boolean;
  /** Of a debit: given credit is used for it as for any other. */
  readonly fromGiven?: true;
  /** What goes back to grants. */
  readonly returned: readonly Source[];
}

/** Moves the amount from the wallet to its reserved account. */
export function reserveLegs(wallet: bigint, amount: Micros): Leg[] {
  return [
    { account: liveAccount(wallet, 'wallet'), amount: micros(-amount) },
    { account: liveAccount(wallet, 'reserved'), amount },
  ];
}

/** What is still set aside by an open hold. */
export const remainingOf = ({ amount, drawn }: Pick<HoldFacts, 'amount' | 'drawn'>): Micros => micros(amount - drawn);

/** Moves what is left of the hold back to the wallet. */
export function returnLegs(hold: HoldFacts): Leg[] {
  const left = remainingOf(hold);
  return [
    { account: liveAccount(hold.wallet, 'reserved'), amount: micros(-left) },
    { account: liveAccount(hold.wallet, 'wallet'), amount: left },
  ];
}

/**
 * Takes `amount` of the hold, once, and returns the rest to the wallet.
 *
 * Time decides what is late, not whether the expiry job has run: past `expiresAt` the capture is `captured_late`, from the
 * reserved money while it is still there, else as a debit of the wallet that may go below its floor.
 */
export function decideCapture(
  hold: HoldFacts,
  request: { readonly amount: Micros; readonly now: Date; readonly revenue: AccountId },
): CapturePlan | Refusal {
  const { amount, now, revenue } = request;
  if (hold.kind === 'lease') return leaseIsNotCaptured();
  if (hold.state !== 'open' && hold.state !== 'expired') return alreadyClosed(hold);
  if (amount > hold.amount) {
    return refuse('amount_out_of_range', 'A capture cannot take more than the hold.', {
      details: { amount_max: formatDecimal(hold.amount) },
    });
  }
  if (hold.state === 'expired') {
    const legs = [
      { account: liveAccount(hold.wallet, 'wallet'), amount: micros(-amount) },
      { account: revenue, amount },
    ];
    return { legs, state: 'captured_late', mayOverdraw: true, fromGiven: true, returned: [] };
  }
  const rest = micros(hold.amount - amount);
  const legs: Leg[] = [
    { account: liveAccount(hold.wallet, 'reserved'), amount: micros(-hold.amount) },
    { account: revenue, amount },
  ];
  if (rest > 0n) legs.push({ account: liveAccount(hold.wallet, 'wallet'), amount: rest });
  const state = now > hold.expiresAt ? 'captured_late' : 'captured';
  return { legs, state, mayOverdraw: false, returned: remainingSources(hold.given, amount) };
}

/**
 * What a user may end of a wallet that is theirs: what a user has set aside there, while the money is. Of what the house has set aside for
 * work that it does they could make a present to themselves, and a late capture would lend them money. Null means go ahead.
 */
export function refusalOfUser(hold: HoldFacts): Refusal | null {
  if (hold.byUserSid === null)
    return refuse('forbidden', 'This was set aside by the service, for work that it does. Only the service ends it.');
  return hold.state === 'open' ? null : alreadyClosed(hold);
}

/** Only an open hold can be released; null means go ahead. */
export function refusalOfRelease(hold: HoldFacts): Refusal | null {
  return hold.state === 'open' ? null : alreadyClosed(hold);
}

const leaseIsNotCaptured = (): Refusal =>
  refuse('state_conflict', 'This hold is a lease: usage that its node reports is taken out of it. It can be released.');

function alreadyClosed(hold: HoldFacts): Refusal {
  return refuse('state_conflict', `The hold is ${hold.state.replace('_', ' ')} already.`, {
    details: { state: hold.state },
  });
}

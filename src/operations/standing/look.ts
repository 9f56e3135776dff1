import { assert } from '../../domain/assert.ts';
import { decideStanding, type StandingDecision, type StandingMoment } from '../../domain/standing/decide.ts';
import { nextLookAt, runwayOf, WINDOW_HOURS, type Burn, type Runway } from '../../domain/standing/runway.ts';
import { HOUR_MS, type StandingFacts, type StandingPolicy } from '../../domain/standing/state.ts';
import type { Tx } from '../../store/db.ts';
import { readWalletFacts, renewalOf, type WalletFacts } from '../../store/standing-facts.ts';
import { chargedSince } from '../../store/usage-day.ts';
import type { HouseSettings } from '../house.ts';

/** Who uses more than this many records a day is looked at by the last of them. */
const ENTRIES_MAX = 20_000;

/** A wallet as it was seen at one moment, and how long it lasts. */
export interface Look {
  readonly facts: WalletFacts;
  readonly burn: Burn;
  readonly runway: Runway;
}

/** Looks at wallets together, by two statements, in the order of their numbers. Locks nothing. */
export async function lookAt(tx: Tx, wallets: readonly bigint[], now: Date): Promise<Look[]> {
  const all = await readWalletFacts(tx, wallets);
  // Only now: what is charged between the two has moved the account on from where the facts say it is.
  const burns = await readBurns(tx, all, now);
  return all.map((facts) => {
    const burn = burns.get(facts.wallet);
    assert(burn !== undefined, 'each wallet has something that uses it up, or nothing');
    return { facts, burn, runway: runwayOf(burn, now) };
  });
}

/** What uses wallets up, by the usage of the last day and their plans. */
export async function readBurns(tx: Tx, all: readonly WalletFacts[], now: Date): Promise<ReadonlyMap<bigint, Burn>> {
  const since = new Date(now.getTime() - Number(WINDOW_HOURS) * HOUR_MS);
  const wallets = all.map(({ wallet }) => wallet);
  const charges = await chargedSince(tx, { wallets, since, entriesMax: ENTRIES_MAX });
  return new Map(
    all.map(({ wallet, available, plan }) => [
      wallet,
      { available, dayCharge: charges.get(wallet) ?? 0n, renewal: renewalOf(plan) },
    ]),
  );
}

/** What is to become of a wallet that was seen so. */
export function judge({ facts, runway }: Look, settings: HouseSettings, moment: StandingMoment): StandingDecision {
  const msLeft = facts.plan?.isPastDue === true ? 0 : runway.msLeft;
  return decideStanding(facts.standing, { ...factsFor(facts, settings), msLeft }, policyOf(settings), moment);
}

/** When it is to be seen again; null: once its account has moved on. */
export const nextLook = ({ runway, burn }: Look, { warningHours }: HouseSettings, now: Date): Date | null =>
  nextLookAt(runway, burn, warningHours, now);

/** What the table of states asks, of what was read; the runway is for who has looked at it. */
export const factsFor = (facts: WalletFacts, { lowBalance }: HouseSettings): StandingFacts => ({
  held: facts.available + facts.reserved,
  lowBalance,
  freeze: facts.freeze,
  isPastDue: facts.plan?.isPastDue === true,
  hasPlan: facts.plan !== null,
  vms: facts.vms,
  stoppedVms: facts.stoppedVms,
  isMoneyComing: facts.isMoneyComing,
});

export const policyOf = ({ warningHours, graceHours, suspendedDays }: HouseSettings): StandingPolicy => ({
  warningHours,
  graceHours,
  suspendedDays,
});

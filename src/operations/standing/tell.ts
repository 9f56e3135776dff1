import type { EventFacts } from '../../domain/event/types.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import type { StandingNews } from '../../domain/standing/decide.ts';
import type { Runway } from '../../domain/standing/runway.ts';
import { HOUR_MS, type Standing } from '../../domain/standing/state.ts';
import type { Tx } from '../../store/db.ts';
import type { WalletFacts } from '../../store/standing-facts.ts';
import { listLostVms, type StandingVm } from '../../store/standing-vm.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

interface Told {
  readonly facts: WalletFacts;
  readonly after: Standing;
  readonly news: readonly StandingNews[];
  readonly runway: Runway;
  readonly now: Date;
}

/** Tells of a change of standing, in its transaction. Of several things at once people are written about the last, which says most. */
export async function tellStanding(tx: Tx, house: House, told: Told): Promise<void> {
  const { facts, news } = told;
  const last = news.at(-1);
  for (const one of news) {
    await emit(tx, house, {
      type: one.type,
      of: facts,
      facts: { ...factsOf(house, told, one), ...(one.type === 'wallet.restored' && (await lostFacts(tx, facts))) },
      isMailed: one === last,
      isUrgent: one.type === 'wallet.runway' && one.leadHours === house.settings.warningHours.at(-1),
    });
  }
}

function factsOf(house: House, { facts, after, runway, now }: Told, news: StandingNews): EventFacts {
  const { type } = news;
  const common = {
    balance: formatDecimal(facts.balance),
    reserved: formatDecimal(facts.reserved),
    currency: 'USD',
  };
  if (type === 'wallet.low_balance' || type === 'wallet.empty') {
    return { ...common, limit: formatDecimal(micros(house.settings.lowBalance)) };
  }
  if (type === 'wallet.runway') {
    const msLeft = runway.msLeft ?? 0;
    return {
      ...common,
      lead_hours: news.leadHours,
      hours: Math.floor(msLeft / HOUR_MS),
      ends_at: new Date(now.getTime() + msLeft).toISOString(),
      ends_on: minuteText(new Date(now.getTime() + msLeft)),
      ends_by: runway.endsBy,
    };
  }
  const owed = amountDue(facts);
  const due = {
    ...common,
    state: after.state,
    reason: after.reason,
    due: owed === null ? null : formatDecimal(owed),
  };
  switch (type) {
    case 'wallet.grace':
      return { ...due, suspends_at: isoOf(after.deadlineAt), suspends_on: textOf(after.deadlineAt) };
    case 'wallet.suspended':
      return { ...due, vms: facts.vms, releases_at: isoOf(after.deadlineAt), releases_on: textOf(after.deadlineAt) };
    case 'wallet.released':
      return { ...due, vms: facts.vms };
    case 'wallet.restored':
      return { ...due, was: facts.standing.state, restored: facts.vms - facts.stoppedVms };
    default:
      return type satisfies never;
  }
}

/** Who comes back after the VMs were released begins anew: what was lost is said. */
async function lostFacts(tx: Tx, { wallet, standing }: WalletFacts): Promise<EventFacts> {
  const lost = standing.state === 'released' ? await listLostVms(tx, wallet, standing.since) : [];
  return {
    not_restored: lost.length,
    why_not: lost.length === 0 ? null : `They were given back while the wallet was not paid: ${namesOf(lost)}.`,
  };
}

const NAMES_MAX = 20;
const namesOf = (vms: readonly StandingVm[]): string =>
  vms
    .slice(0, NAMES_MAX)
    .map(({ name }) => name)
    .join(', ');

/** Each VM that does not run again, with what its provisioner said. */
export const whyNotText = (vms: readonly StandingVm[]): string =>
  vms
    .slice(0, NAMES_MAX)
    .map(({ name, problem }) => `${name}: ${problem ?? 'it has not started yet; it is tried again'}`)
    .join(' · ');

/** What has to come in so that nothing is due any more; null: money does not help, a person has to decide. */
export function amountDue({ plan, available, reserved, freeze }: WalletFacts) {
  if (freeze !== null) return null;
  const missing = plan?.isPastDue === true ? plan.nextPrice - available : 0n;
  const owed = 0n - (available + reserved);
  const due = missing > owed ? missing : owed;
  return micros(due > 0n ? due : 0n);
}

const isoOf = (at: Date | null): string | null => at?.toISOString() ?? null;
const textOf = (at: Date | null): string | null => (at === null ? null : minuteText(at));
/** For people: to the minute, by the clock of the world. */
export const minuteText = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

import type { WalletRow } from '../../../src/store/wallet.ts';
import type { Chance } from '../random.ts';
import type { Used } from './bill.ts';

/** Somebody with a wallet, and what the month puts into it and takes out of it besides usage. All in micro-dollars. */
export interface Resident {
  readonly number: number;
  readonly userSid: string;
  readonly walletSid: string;
  /** The wallet's number in the database. */
  readonly wallet: bigint;
  /** Has three dollars and gets no more: what is used past the limit stays unbilled. */
  readonly isPoor: boolean;
  /** When nothing is used; longer than the grace of the ladder. */
  readonly rest: { readonly fromMs: number; readonly untilMs: number } | null;
  /** An operator has frozen the wallet, and nobody has thawed it. */
  isFrozen: boolean;
  paidIn: bigint;
  captured: bigint;
}

/** Something that a resident uses again and again on one node. */
export interface Line {
  readonly resident: Resident;
  readonly category: 'hero_os_hourly' | 'llm' | 'storage';
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const POOR_EVERY = 50;
const RESTING_EVERY = 7;
const REST_DAYS = 11;
const PROVIDERS = ['openrouter', 'anthropic'];

/** Where and when a resident uses things follows from the number alone. */
export function residentOf(number: number, { id, sid, userSid }: WalletRow, startMs: number): Resident {
  const isPoor = number % POOR_EVERY === 0;
  const fromMs = startMs + (3 + (number % 13)) * DAY_MS;
  return {
    number,
    userSid,
    walletSid: sid,
    wallet: id,
    isPoor,
    rest: number % RESTING_EVERY === 0 ? { fromMs, untilMs: fromMs + REST_DAYS * DAY_MS } : null,
    isFrozen: false,
    paidIn: isPoor ? 3_000_000n : 200_000_000n,
    captured: 0n,
  };
}

/** What each node serves: machines and disks at home, calls to models on another one. */
export function linesOf(residents: readonly Resident[], nodes: number): Line[][] {
  const lines = Array.from({ length: nodes }, (): Line[] => []);
  for (const resident of residents) {
    const { number, isPoor } = resident;
    lines[number % nodes]?.push({ resident, category: 'hero_os_hourly' });
    if (isPoor) continue;
    if (number % 2 === 0) lines[(number * 7 + 3) % nodes]?.push({ resident, category: 'llm' });
    if (number % 5 === 0) lines[number % nodes]?.push({ resident, category: 'storage' });
  }
  return lines;
}

export const isResting = ({ rest }: Resident, atMs: number): boolean =>
  rest !== null && atMs >= rest.fromMs && atMs < rest.untilMs;

/** One record of a line, as its node tells it by its own clock. */
export function useOf(
  { resident, category }: Line,
  chance: Chance,
  told: { readonly key: string; readonly atMs: number },
): Used {
  const common = {
    idempotency_key: told.key,
    user_sid: resident.userSid,
    applies_to: category,
    occurred_at: new Date(told.atMs).toISOString(),
  };
  const digits = (count: number): string => String(chance.below(10 ** count)).padStart(count, '0');
  if (category === 'llm') {
    const cost = chance.is(0.9) ? `0.${digits(6)}${digits(6)}` : `0.000000${digits(6)}`;
    return { ...common, resource_kind: 'm/x', cost, provider: chance.pick(PROVIDERS) };
  }
  if (category === 'storage') return { ...common, resource_kind: 'disk', quantity: `${chance.below(90)}.${digits(6)}` };
  const resource_kind = resident.number % 3 === 0 ? 'large' : 'small';
  return chance.is(0.5)
    ? { ...common, resource_kind, quantity: `${chance.between(1, 90_000)}.${digits(4)}`, unit: 'second' }
    : { ...common, resource_kind, quantity: `${chance.below(20)}.${digits(6)}`, unit: 'hour' };
}

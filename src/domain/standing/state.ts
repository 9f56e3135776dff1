import type { WalletLevel } from './level.ts';

export const STANDING_STATES = ['active', 'low', 'empty', 'suspended', 'released'] as const;
export type StandingState = (typeof STANDING_STATES)[number];

/**
 * What is the matter with a wallet. balance: it owes · plan: a period of its plan is due and was not paid · dispute: frozen until a dispute
 * is decided · operator: frozen by an operator
 */
export const STANDING_REASONS = ['balance', 'plan', 'dispute', 'operator'] as const;
export type StandingReason = (typeof STANDING_REASONS)[number];

/** How a wallet stands, and what its owner was told of it. */
export interface Standing {
  readonly state: StandingState;
  readonly since: Date;
  readonly level: WalletLevel;
  readonly reason: StandingReason | null;
  /** The lead time of the last warning; null: none since it last was well. */
  readonly warnedHours: number | null;
  /** When its owner was told of the deadline. */
  readonly noticedAt: Date | null;
  /** Of an empty one when it is suspended, of a suspended one when its VMs are released; null: no clock runs. */
  readonly deadlineAt: Date | null;
  /** Of the rescue window of this suspension; null: it was not asked for. */
  readonly rescueUntil: Date | null;
  /** Since when its VMs are being started again; null: they are not, or its owner knows what became of it. */
  readonly restoringSince: Date | null;
  /** Of a released one: what it held then. */
  readonly heldThen: bigint | null;
}

const FIELDS: Readonly<Record<keyof Standing, true>> = {
  state: true,
  since: true,
  level: true,
  reason: true,
  warnedHours: true,
  noticedAt: true,
  deadlineAt: true,
  rescueUntil: true,
  restoringSince: true,
  heldThen: true,
};
const NAMES = Object.keys(FIELDS).filter((name): name is keyof Standing => name in FIELDS);

/** Instants are compared as such. */
export const isSameStanding = (a: Standing, b: Standing): boolean =>
  NAMES.every((name) => a[name]?.valueOf() === b[name]?.valueOf());

/** What is so of a wallet at one moment. */
export interface StandingFacts {
  /** Balance and what is set aside. */
  readonly held: bigint;
  readonly lowBalance: bigint;
  readonly freeze: 'operator' | 'dispute' | null;
  /** Whether a period of its plan is due and could not be paid. */
  readonly isPastDue: boolean;
  readonly hasPlan: boolean;
  /** VMs that are not released. */
  readonly vms: number;
  /** Of them, how many are stopped. */
  readonly stoppedVms: number;
  /** Money that is on its way: a charge of the saved card without an outcome, or a payment that was made and is not confirmed. */
  readonly isMoneyComing: boolean;
  /** How long it lasts at the present rate; null: nothing uses it up. Left out: nobody has looked. */
  readonly msLeft?: number | null;
}

export interface StandingPolicy {
  /** Lead times of the warnings, the longest first. */
  readonly warningHours: readonly number[];
  readonly graceHours: number;
  readonly suspendedDays: number;
}

/** A wallet that nothing has happened to. */
export const unmoved = (since: Date): Standing => ({
  state: 'empty',
  since,
  level: 'empty',
  reason: null,
  warnedHours: null,
  noticedAt: null,
  deadlineAt: null,
  rescueUntil: null,
  restoringSince: null,
  heldThen: null,
});

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** The most serious one counts; only a person can undo the first two. */
export function reasonOf(facts: StandingFacts): StandingReason | null {
  if (facts.freeze !== null) return facts.freeze;
  if (facts.isPastDue) return 'plan';
  return facts.held < 0n ? 'balance' : null;
}

export const isFreeze = (reason: StandingReason | null): boolean => reason === 'operator' || reason === 'dispute';

/** Whether its VMs may run now. */
export const mayRun = ({ state, rescueUntil }: Pick<Standing, 'state' | 'rescueUntil'>, now: Date): boolean =>
  (state !== 'suspended' && state !== 'released') ||
  (state === 'suspended' && rescueUntil !== null && rescueUntil.getTime() > now.getTime());

/** Whether it is suspended and its owner can have the rescue window, which comes once in a suspension. */
export const mayRescue = ({
  state,
  reason,
  rescueUntil,
}: Pick<Standing, 'state' | 'reason' | 'rescueUntil'>): boolean =>
  state === 'suspended' && reason !== 'operator' && rescueUntil === null;

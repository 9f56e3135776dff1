import type { Micros } from '../money.ts';
import type { Volume } from './volume.ts';

/** Names one account: a live account is positive (`wallet * 16 + role`), a system account negative. */
export type AccountId = bigint;

export const ROLES = { wallet: 0n, reserved: 1n, frozen: 2n } as const;
export type Role = keyof typeof ROLES;

export const liveAccount = (wallet: bigint, role: Role): AccountId => wallet * 16n + ROLES[role];
export const walletOf = (account: AccountId): bigint => account / 16n;
export const isLive = (account: AccountId): boolean => account > 0n;

/** The roles from 3 to 15 are the places of a wallet's grants: each open grant has one, as an account of its own. */
export const GRANT_SLOTS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
export const grantAccount = (wallet: bigint, slot: number): AccountId => wallet * 16n + BigInt(slot);
export const isGrantAccount = (account: AccountId): boolean => isLive(account) && (account & 15n) > 2n;

/** Why money moved. The numbers are stored: add at the end, never renumber. */
export const POSTING_KINDS = {
  top_up: 1,
  adjustment: 2,
  debit: 3,
  hold_reserve: 4,
  hold_capture: 5,
  hold_release: 6,
  hold_expire: 7,
  usage: 8,
  refund_reserve: 9,
  refund: 10,
  refund_return: 11,
  reversal: 12,
  dispute_open: 13,
  dispute_won: 14,
  dispute_lost: 15,
  provider_fee: 16,
  payout: 17,
  suspense: 18,
  plan: 19,
  plan_return: 20,
  grant: 21,
  grant_expire: 22,
  grant_use: 23,
  grant_return: 24,
  grant_revoke: 25,
} as const;
export type PostingKind = keyof typeof POSTING_KINDS;

const KIND_OF_NUMBER = new Map(
  Object.entries(POSTING_KINDS).map(([kind, number]) => [number as number, kind as PostingKind]),
);

/** The word for a stored number. Throws for a number no release has written. */
export function postingKindOf(number: number): PostingKind {
  const kind = KIND_OF_NUMBER.get(number);
  if (kind === undefined) throw new RangeError(`no posting kind has the number ${number}`);
  return kind;
}

export interface Leg {
  readonly account: AccountId;
  readonly amount: Micros;
}

/**
 * How many parts a micro-dollar has where prices are finer: any price of twelve decimals of a dollar, times a quantity of six
 * decimals, times a discount of four, is a whole number of them, and so is an hourly price for seconds. The largest such number
 * that fits int8.
 */
export const FRACTIONS_PER_MICRO = 9_000_000_000_000_000_000n;

/** Parts of a micro-dollar as whole micro-dollars, rounded down also below zero: what is left is never negative. */
export function wholeOf(parts: bigint): bigint {
  const quotient = parts / FRACTIONS_PER_MICRO;
  return parts < 0n && parts % FRACTIONS_PER_MICRO !== 0n ? quotient - 1n : quotient;
}

/**
 * What a record costs besides its legs: less than a micro-dollar. It is added to what the payer's account carries; when that
 * comes to a micro-dollar, the micro-dollar moves with this record. So a million small records cost what their exact sum costs,
 * rounded down, whatever their order.
 */
export interface Fraction {
  /** 0 to FRACTIONS_PER_MICRO - 1. */
  readonly parts: bigint;
  /** A live account among the legs. */
  readonly payer: AccountId;
  readonly payee: AccountId;
}

/**
 * A limit on what postings take in one window of time: a node's over all wallets (a reporter that was stolen can do no more harm than this),
 * a member's over one wallet of an organisation.
 */
export interface Budget {
  /** A node, or below zero a membership: see `capOf`. */
  readonly owner: bigint;
  readonly windowStart: Date;
  readonly limit: Micros;
  /** Counts what leaves this account, less what comes back to it; left out: whatever leaves live accounts. */
  readonly account?: AccountId;
}

/** Money of a lease that was set aside for the records that name it. */
export interface Covered {
  readonly by: string;
  readonly amount: Micros;
}

/** What a posting took of one grant. */
export interface Draw {
  readonly account: AccountId;
  readonly grantSid: string;
  readonly amount: Micros;
}

/**
 * One movement of money: at least two legs that sum to zero. Most have a leg on a live account; a posting of the house has none.
 *
 * Identity: `idem` (a UUID whose last hex digit is 0; leg n is stored with digit n, so at most 16 legs). The same `idem` with
 * the same `fingerprint` is the same posting and answers as the first time; with another fingerprint it is refused.
 */
export interface PostingRecord {
  readonly idem: string;
  readonly fingerprint: string;
  readonly kind: PostingKind;
  readonly legs: readonly Leg[];
  /** Whether a live account may fall below its credit floor: only refunds, disputes and operators. */
  readonly mayOverdraw: boolean;
  /** How far below its credit floor a live account may fall for this: for what was delivered already. Zero if left out. */
  readonly owedMax?: Micros;
  readonly fraction?: Fraction | undefined;
  readonly budget?: Budget;
  /**
   * What it adds to a counter, for a charge that depends on how much was counted before. Its legs are then two of nothing, and its
   * fraction is zero: the amounts are decided while the counter is locked, see `countedRecord`.
   */
  readonly volume?: Volume | undefined;
  /**
   * Given credit is used first: as far as the wallet's grants go, what this takes from the wallet comes to it from them, by a posting
   * `grant_use` beside it. The record's own legs stay what they are.
   */
  readonly fromGiven?: true;
  /** What came back to the wallet for these records and is used before any grant: records with one key share it. */
  readonly covered?: Covered;
  /** Whether a frozen account refuses it. Credits and operators pass; debits and holds do not. */
  readonly passesFreeze: boolean;
  /** When it happened in the world. */
  readonly occurredAt: Date;
  /** Compact JSON text that says what it is about; at most 8 KiB. */
  readonly about: string | null;
}

/** What became of one leg on a live account. */
export interface EntryFacts {
  readonly account: AccountId;
  readonly seq: bigint;
  readonly amount: Micros;
  readonly balanceAfter: Micros;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
  readonly about: string | null;
}

export type DeclineCode = 'insufficient_balance' | 'wallet_frozen';

/** The closed list of what a posting can come to, in order of precedence for one record. */
export type Outcome =
  | { readonly kind: 'unknown_account'; readonly account: AccountId }
  | { readonly kind: 'key_reused' }
  /** `first`: the first answer, in full; entries in leg order, live legs only. */
  | { readonly kind: 'duplicate'; readonly first: AppliedOutcome | DeclinedOutcome }
  | AppliedOutcome
  | DeclinedOutcome
  | { readonly kind: 'out_of_range'; readonly account: AccountId }
  /** Not stored. What the record's volume would cost is more than it may. */
  | { readonly kind: 'over_charge_max'; readonly chargeMax: Micros }
  /** Not stored: the same record may pass in the next window. */
  | { readonly kind: 'over_budget'; readonly budget: Budget };

export interface AppliedOutcome {
  readonly kind: 'applied';
  readonly entries: readonly EntryFacts[];
  /** What it took of grants, in the order of use; only where it took some, and only in the answer of the batch that applied it. */
  readonly draws?: readonly Draw[];
}

/** Stored: the same key is refused for ever, even after a top-up. */
export interface DeclinedOutcome {
  readonly kind: 'declined';
  readonly code: DeclineCode;
  readonly about: string | null;
}

import { assert } from '../assert.ts';
import { MICROS_MAX, MICROS_MIN, micros, type Micros } from '../money.ts';
import {
  isLive,
  type AccountId,
  type AppliedOutcome,
  type DeclinedOutcome,
  type EntryFacts,
  type Outcome,
  type PostingRecord,
} from './posting.ts';

/** A live account as its locked row says it is. */
export interface LockedAccount {
  readonly id: AccountId;
  readonly balance: bigint;
  readonly seq: bigint;
  readonly creditFloor: bigint;
  readonly isFrozen: boolean;
}

/** What an earlier batch made of a key. */
export interface PriorPosting {
  readonly fingerprint: string;
  readonly outcome: AppliedOutcome | DeclinedOutcome;
}

/** An entry to be written, in the order of writing. */
export interface NewEntry extends EntryFacts {
  readonly contra: AccountId;
  /** The record it belongs to and its number among the record's live legs: together the entry's `idem`. */
  readonly record: PostingRecord;
  readonly leg: number;
}

/** The last state of a live account that the batch moved. */
export interface MovedAccount {
  readonly id: AccountId;
  readonly seqBefore: bigint;
  seq: bigint;
  balance: bigint;
  /** Whether a posting that may overdraw touched it: only then may the database lower its floor. */
  overdraws: boolean;
  readonly creditFloor: bigint;
  readonly isFrozen: boolean;
}

export interface DeclinedPosting {
  readonly record: PostingRecord;
  readonly outcome: DeclinedOutcome;
}

/** What one batch comes to: an outcome for each record, in their order, and everything to be written. */
export interface BatchDecision {
  readonly outcomes: readonly Outcome[];
  readonly entries: readonly NewEntry[];
  readonly moved: readonly MovedAccount[];
  /** Totals of the system accounts. */
  readonly systemLegs: ReadonlyMap<AccountId, bigint>;
  readonly declined: readonly DeclinedPosting[];
}

export interface BatchFacts {
  readonly accounts: ReadonlyMap<AccountId, LockedAccount>;
  readonly prior: ReadonlyMap<string, PriorPosting>;
  readonly recordedAt: Date;
}

/**
 * Decides a batch of records in arrival order, against accounts that are locked.
 *
 * Pure. A record sees the balances that the records before it left, and a key that came twice in one batch is the
 * duplicate of the first. Σ entries + Σ system legs = 0, because each applied record sums to zero.
 */
export function decideBatch(facts: BatchFacts, records: readonly PostingRecord[]): BatchDecision {
  const batch = new Batch(facts);
  const outcomes = records.map((record) => batch.decide(record));
  return batch.close(outcomes);
}

class Batch {
  readonly #facts: BatchFacts;
  readonly #working = new Map<AccountId, MovedAccount>();
  readonly #seen = new Map<string, PriorPosting>();
  readonly #entries: NewEntry[] = [];
  readonly #systemLegs = new Map<AccountId, bigint>();
  readonly #declined: DeclinedPosting[] = [];

  constructor(facts: BatchFacts) {
    this.#facts = facts;
  }

  decide(record: PostingRecord): Outcome {
    const prior = this.#seen.get(record.idem) ?? this.#facts.prior.get(record.idem);
    if (prior) {
      return prior.fingerprint === record.fingerprint
        ? { kind: 'duplicate', first: prior.outcome }
        : { kind: 'key_reused' };
    }
    const refused = this.#refusalOf(record);
    if (refused) {
      if (refused.kind === 'declined') {
        this.#declined.push({ record, outcome: refused });
        this.#seen.set(record.idem, { fingerprint: record.fingerprint, outcome: refused });
      }
      return refused;
    }
    const outcome = this.#apply(record);
    this.#seen.set(record.idem, { fingerprint: record.fingerprint, outcome });
    return outcome;
  }

  close(outcomes: readonly Outcome[]): BatchDecision {
    for (const [account, amount] of this.#systemLegs) if (amount === 0n) this.#systemLegs.delete(account);
    return {
      outcomes,
      entries: this.#entries,
      moved: [...this.#working.values()].filter((account) => account.seq !== account.seqBefore),
      systemLegs: this.#systemLegs,
      declined: this.#declined,
    };
  }

  /** In order of precedence: unknown account, frozen, insufficient, out of range. */
  #refusalOf(
    record: PostingRecord,
  ): Extract<Outcome, { kind: 'unknown_account' | 'declined' | 'out_of_range' }> | null {
    assertBalanced(record);
    for (const leg of record.legs) {
      if (isLive(leg.account) && !this.#account(leg.account)) return { kind: 'unknown_account', account: leg.account };
    }
    for (const leg of record.legs) {
      if (isLive(leg.account) && !record.passesFreeze && this.#known(leg.account).isFrozen) {
        return decline('wallet_frozen', record);
      }
    }
    for (const { account: id } of record.legs) {
      if (!isLive(id)) continue;
      const account = this.#known(id);
      const change = sumOn(record, id);
      const balance = account.balance + change;
      if (change < 0n && !record.mayOverdraw && balance < account.creditFloor)
        return decline('insufficient_balance', record);
      if (balance > MICROS_MAX || balance < MICROS_MIN) return { kind: 'out_of_range', account: id };
    }
    return null;
  }

  #apply(record: PostingRecord): AppliedOutcome {
    const entries: NewEntry[] = [];
    for (const leg of record.legs) {
      if (!isLive(leg.account)) {
        this.#systemLegs.set(leg.account, (this.#systemLegs.get(leg.account) ?? 0n) + leg.amount);
        continue;
      }
      const account = this.#known(leg.account);
      account.seq += 1n;
      account.balance += leg.amount;
      account.overdraws ||= record.mayOverdraw;
      entries.push({
        account: account.id,
        seq: account.seq,
        amount: leg.amount,
        balanceAfter: micros(account.balance),
        occurredAt: record.occurredAt,
        recordedAt: this.#facts.recordedAt,
        about: record.about,
        contra: contraOf(record, leg.account, leg.amount),
        record,
        leg: entries.length,
      });
    }
    this.#entries.push(...entries);
    return { kind: 'applied', entries };
  }

  #known(id: AccountId): MovedAccount {
    const account = this.#account(id);
    assert(account !== undefined, 'the account was looked up before');
    return account;
  }

  #account(id: AccountId): MovedAccount | undefined {
    const working = this.#working.get(id);
    if (working) return working;
    const locked = this.#facts.accounts.get(id);
    if (!locked) return undefined;
    const fresh = {
      id,
      seqBefore: locked.seq,
      seq: locked.seq,
      balance: locked.balance,
      overdraws: false,
      creditFloor: locked.creditFloor,
      isFrozen: locked.isFrozen,
    };
    this.#working.set(id, fresh);
    return fresh;
  }
}

const decline = (code: DeclinedOutcome['code'], record: PostingRecord): DeclinedOutcome => ({
  kind: 'declined',
  code,
  about: record.about,
});

/** What a record does to one account. Summed leg by leg, for there are at most 16 and mostly one: a Map costs more. */
function sumOn(record: PostingRecord, account: AccountId): bigint {
  let sum = 0n;
  for (const leg of record.legs) if (leg.account === account) sum += leg.amount;
  return sum;
}

/** The other side: the first leg of the opposite sign. With several of them `about` carries the rest. */
function contraOf(record: PostingRecord, account: AccountId, amount: Micros): AccountId {
  const other = record.legs.find((leg) => leg.account !== account && leg.amount > 0n !== amount > 0n);
  assert(other !== undefined, 'a balanced posting has a leg of the opposite sign');
  return other.account;
}

/** A record that does not balance is a bug of its maker, never an input error: it stops here, before anything is written. */
function assertBalanced(record: PostingRecord): void {
  let sum = 0n;
  let live = 0;
  for (const leg of record.legs) {
    assert(leg.amount !== 0n, 'a leg moves something');
    sum += leg.amount;
    if (isLive(leg.account)) live += 1;
  }
  assert(sum === 0n, `a posting sums to zero, this one to ${sum}`);
  assert(live >= 1 && live <= 16, 'a posting has 1 to 16 legs on live accounts');
  assert(record.idem.endsWith('0'), 'the last digit of idem is the number of the leg');
}

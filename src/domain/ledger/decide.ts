import { assert } from '../assert.ts';
import { MICROS_MAX, MICROS_MIN, micros } from '../money.ts';
import { isUsable, usePosting, type OpenGrant } from './given.ts';
import {
  FRACTIONS_PER_MICRO,
  isLive,
  liveAccount,
  type AccountId,
  type AppliedOutcome,
  type Budget,
  type Covered,
  type DeclinedOutcome,
  type Draw,
  type EntryFacts,
  type Leg,
  type Outcome,
  type PostingRecord,
} from './posting.ts';
import { assertBalanced, contraOf, costOf, sumOn, takenOf } from './record.ts';
import { countedRecord, counterKey, type CounterKey, type Volume } from './volume.ts';

/** A live account as its locked row says it is. */
export interface LockedAccount {
  readonly id: AccountId;
  readonly balance: bigint;
  readonly seq: bigint;
  readonly creditFloor: bigint;
  readonly isFrozen: boolean;
  /** Fractions of a micro-dollar that its postings have cost and not yet moved: below FRACTIONS_PER_MICRO. */
  readonly carry: bigint;
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
  carry: bigint;
  readonly creditFloor: bigint;
  readonly isFrozen: boolean;
}

/** What a batch takes out of one budget. */
export interface Spending {
  readonly owner: bigint;
  readonly windowStart: Date;
  spent: bigint;
}

/** What a batch adds to one counter. */
export interface Counting extends CounterKey {
  quantity: bigint;
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
  readonly spendings: readonly Spending[];
  readonly countings: readonly Counting[];
}

export interface BatchFacts {
  readonly accounts: ReadonlyMap<AccountId, LockedAccount>;
  /** The open grants of each wallet whose records may use them, by its wallet account, in the order of use; their accounts are locked. */
  readonly grants?: ReadonlyMap<AccountId, readonly OpenGrant[]>;
  readonly prior: ReadonlyMap<string, PriorPosting>;
  readonly recordedAt: Date;
  /** What was taken before out of each budget that a record names, by {@link budgetKey}; nothing where none is named. */
  readonly spent?: ReadonlyMap<string, bigint>;
  /** Where each counter stands that a record adds to, by {@link counterKey}; nothing where none does. */
  readonly counted?: ReadonlyMap<string, bigint>;
}

/** A counter is an int8, like money. */
const COUNT_MAX = MICROS_MAX;

export const budgetKey = ({ owner, windowStart }: Pick<Budget, 'owner' | 'windowStart'>): string =>
  `${owner}@${windowStart.getTime()}`;

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
  /** The account that was asked for last. */
  #latest: MovedAccount | null = null;
  readonly #seen = new Map<string, PriorPosting>();
  readonly #entries: NewEntry[] = [];
  readonly #systemLegs = new Map<AccountId, bigint>();
  readonly #declined: DeclinedPosting[] = [];
  readonly #spendings = new Map<string, Spending>();
  #keyed: { readonly budget: Budget; readonly key: string } | null = null;
  readonly #countings = new Map<string, Counting>();
  /** What records have used of what was set aside for them. */
  readonly #covered = new Map<string, bigint>();

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
    const { volume } = record;
    return this.#decideNew(volume ? countedRecord(record, volume, this.#countedOf(volume)) : record);
  }

  #decideNew(record: PostingRecord): Outcome {
    const refused = this.#refusalOf(record);
    if (refused) {
      if (refused.kind === 'declined') {
        this.#declined.push({ record, outcome: refused });
        this.#seen.set(record.idem, { fingerprint: record.fingerprint, outcome: refused });
      }
      return refused;
    }
    const outcome = this.#applyWithGrants(record);
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
      spendings: [...this.#spendings.values()],
      countings: [...this.#countings.values()],
    };
  }

  /** In order of precedence: unknown account, over what it may cost, frozen, insufficient, out of range, over budget. */
  #refusalOf(
    record: PostingRecord,
  ): Extract<
    Outcome,
    { kind: 'unknown_account' | 'over_charge_max' | 'declined' | 'out_of_range' | 'over_budget' }
  > | null {
    assertBalanced(record);
    for (const leg of record.legs) {
      if (isLive(leg.account) && !this.#account(leg.account)) return { kind: 'unknown_account', account: leg.account };
    }
    const chargeMax = record.volume?.chargeMax ?? null;
    if (chargeMax !== null && costOf(record) > chargeMax) return { kind: 'over_charge_max', chargeMax };
    for (const leg of record.legs) {
      if (isLive(leg.account) && !record.passesFreeze && this.#known(leg.account).isFrozen) {
        return decline('wallet_frozen', record);
      }
    }
    for (const { account: id } of record.legs) {
      if (!isLive(id)) continue;
      const account = this.#known(id);
      const change = sumOn(record, id) - (record.fraction?.payer === id ? this.#carried(record) : 0n);
      const balance = account.balance + change;
      if (
        change < 0n &&
        !record.mayOverdraw &&
        balance + this.#usableOf(record, id) < account.creditFloor - (record.owedMax ?? 0n)
      )
        return decline('insufficient_balance', record);
      if (balance > MICROS_MAX || balance < MICROS_MIN) return { kind: 'out_of_range', account: id };
    }
    const { budget, volume } = record;
    if (volume && this.#countedOf(volume) + volume.quantity > COUNT_MAX)
      return { kind: 'out_of_range', account: liveAccount(volume.wallet, 'wallet') };
    if (budget && this.#spentOf(budget) + takenOf(record) > budget.limit) return { kind: 'over_budget', budget };
    return null;
  }

  /** The micro-dollar, if any, to which the record's fraction and the ones before it add up. */
  #carried({ fraction }: PostingRecord): 0n | 1n {
    if (!fraction) return 0n;
    return this.#known(fraction.payer).carry + fraction.parts >= FRACTIONS_PER_MICRO ? 1n : 0n;
  }

  /** Records of one report share their budget, so its key is made once. */
  #keyOf(budget: Budget): string {
    if (this.#keyed?.budget !== budget) this.#keyed = { budget, key: budgetKey(budget) };
    return this.#keyed.key;
  }

  #spentOf(budget: Budget): bigint {
    const key = this.#keyOf(budget);
    const before = this.#facts.spent?.get(key);
    assert(before !== undefined, 'a budget that a record names was read');
    return before + (this.#spendings.get(key)?.spent ?? 0n);
  }

  #spend(budget: Budget, amount: bigint): void {
    const key = this.#keyOf(budget);
    const { owner, windowStart } = budget;
    const spending = this.#spendings.get(key) ?? { owner, windowStart, spent: 0n };
    spending.spent += amount;
    this.#spendings.set(key, spending);
  }

  #countedOf(volume: Volume): bigint {
    const key = counterKey(volume);
    const before = this.#facts.counted?.get(key);
    assert(before !== undefined, 'a counter that a record adds to was read');
    return before + (this.#countings.get(key)?.quantity ?? 0n);
  }

  #count(volume: Volume): void {
    const key = counterKey(volume);
    const { wallet, counter, periodStart } = volume;
    const counting = this.#countings.get(key) ?? { wallet, counter, periodStart, quantity: 0n };
    counting.quantity += volume.quantity;
    this.#countings.set(key, counting);
  }

  /** What the open grants of the account hold that the record may use. */
  #usableOf(record: PostingRecord, account: AccountId): bigint {
    const { grants } = this.#facts;
    if (!record.fromGiven || grants === undefined || grants.size === 0) return 0n;
    let sum = 0n;
    for (const grant of grants.get(account) ?? [])
      if (isUsable(grant, this.#facts.recordedAt)) sum += this.#known(grant.account).balance;
    return sum;
  }

  /** The record, and before it the posting that brings what it takes of grants to its wallet. */
  #applyWithGrants(record: PostingRecord): AppliedOutcome {
    const { covered } = record;
    const fromGiven = record.fromGiven === true && this.#facts.grants !== undefined && this.#facts.grants.size > 0;
    if (!fromGiven && !covered) return this.#apply(record);
    const wallet = record.legs.find(({ account }) => isLive(account) && (account & 15n) === 0n)?.account;
    assert(wallet !== undefined, 'given credit is used for what a wallet pays');
    const carried = record.fraction?.payer === wallet ? this.#carried(record) : 0n;
    const taken = carried - sumOn(record, wallet);
    const needed = covered ? this.#beyondCovered(covered, taken) : taken;
    const draws = fromGiven ? this.#drawsOn(wallet, needed) : [];
    if (draws.length === 0) return this.#apply(record);
    this.#apply(usePosting(record, wallet, draws));
    return { ...this.#apply(record), draws };
  }

  #beyondCovered({ by, amount }: Covered, taken: bigint): bigint {
    const used = this.#covered.get(by) ?? 0n;
    this.#covered.set(by, used + taken);
    const left = amount - used;
    return left <= 0n ? taken : taken - left;
  }

  #drawsOn(wallet: AccountId, needed: bigint): readonly Draw[] {
    const draws: Draw[] = [];
    let left = needed;
    for (const grant of this.#facts.grants?.get(wallet) ?? []) {
      if (left <= 0n) break;
      const { balance } = this.#known(grant.account);
      if (balance <= 0n || !isUsable(grant, this.#facts.recordedAt)) continue;
      const amount = micros(balance < left ? balance : left);
      draws.push({ account: grant.account, grantSid: grant.sid, amount });
      left -= amount;
    }
    return draws;
  }

  #apply(record: PostingRecord): AppliedOutcome {
    const entries: NewEntry[] = [];
    const legs = this.#wholeLegs(record);
    for (const leg of legs) {
      if (!isLive(leg.account)) {
        this.#systemLegs.set(leg.account, (this.#systemLegs.get(leg.account) ?? 0n) + leg.amount);
        continue;
      }
      const account = this.#known(leg.account);
      account.seq += 1n;
      account.balance += leg.amount;
      account.overdraws ||=
        record.mayOverdraw || (record.owedMax !== undefined && account.balance < account.creditFloor);
      entries.push({
        account: account.id,
        seq: account.seq,
        amount: leg.amount,
        balanceAfter: micros(account.balance),
        occurredAt: record.occurredAt,
        recordedAt: this.#facts.recordedAt,
        about: record.about,
        contra: contraOf(record.legs, leg.account, leg.amount),
        record,
        leg: entries.length,
      });
    }
    for (const entry of entries) this.#entries.push(entry);
    if (record.budget) this.#spend(record.budget, takenOf(record));
    if (record.volume) this.#count(record.volume);
    return { kind: 'applied', entries };
  }

  /** The record's legs with the micro-dollar that its fraction completes, if it completes one; what is left over is carried. */
  #wholeLegs(record: PostingRecord): readonly Leg[] {
    const { fraction, legs } = record;
    if (!fraction) return legs;
    const carried = this.#carried(record);
    this.#known(fraction.payer).carry += fraction.parts - carried * FRACTIONS_PER_MICRO;
    if (carried === 0n) return legs;
    return legs.map((leg) => {
      if (leg.account === fraction.payer) return { ...leg, amount: micros(leg.amount - carried) };
      return leg.account === fraction.payee ? { ...leg, amount: micros(leg.amount + carried) } : leg;
    });
  }

  #known(id: AccountId): MovedAccount {
    const account = this.#account(id);
    assert(account !== undefined, 'the account was looked up before');
    return account;
  }

  #account(id: AccountId): MovedAccount | undefined {
    // A record asks for its accounts again and again, and a bigint is slow to look up.
    if (this.#latest?.id === id) return this.#latest;
    const account = this.#working.get(id) ?? this.#open(id);
    if (account) this.#latest = account;
    return account;
  }

  #open(id: AccountId): MovedAccount | undefined {
    const locked = this.#facts.accounts.get(id);
    if (!locked) return undefined;
    const fresh = {
      id,
      seqBefore: locked.seq,
      seq: locked.seq,
      balance: locked.balance,
      overdraws: false,
      carry: locked.carry,
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

import type { Intent } from './history.ts';
import type { Mark } from './marks.ts';

/** The oracle's own words for the ledger's numbers; it shares no code with the product. */
export const KIND = {
  topUp: 1,
  adjustment: 2,
  debit: 3,
  reserve: 4,
  capture: 5,
  release: 6,
  expire: 7,
  usage: 8,
} as const;
const GRANT_USE = 23;
const GRANT_RETURN = 24;
/** The live accounts of a wallet that hold what it was given. */
const GRANT_ROLES = Array.from({ length: 13 }, (_, slot) => BigInt(slot + 3));
export const MICROS_PER_CENT = 10_000n;

export interface EntryRow {
  readonly account: bigint;
  readonly seq: bigint;
  readonly amount: bigint;
  readonly balance_after: bigint;
  readonly batch: bigint;
  readonly idem: string;
  readonly kind: number;
  readonly about: string | null;
  readonly recorded_at: Date;
}

export interface Entry extends EntryRow {
  readonly facts: Readonly<Record<string, unknown>>;
  /** The scheduler's step of its commit. */
  readonly step: number;
}

/** Corrections that no node sends. */
const BY_THE_HOUSE = new Set<unknown>(['void', 'reprice', 'rerate']);
/** What usage that was delivered may take a wallet below zero. */
const OWED_MAX = 5_000_000n;

/** Names a rule that did not hold, and where. */
export type Break = (rule: string, detail: string) => void;

/** The ledger as its rows told it, in the order of the commits. Each row is held against the ones before it. */
export class LedgerModel {
  readonly entries = new Map<bigint, Entry[]>();
  readonly #break: Break;
  readonly #mark: (mark: Mark) => void;
  readonly #idems = new Set<string>();
  readonly #wallets = new Map<string, bigint>();
  readonly #byDescription = new Map<string, Entry[]>();
  readonly #givenForATime = new Map<bigint, { readonly fromSeq: bigint; readonly isForATime: boolean }[]>();

  constructor(breaks: Break, mark: (mark: Mark) => void) {
    this.#break = breaks;
    this.#mark = mark;
  }

  get count(): number {
    return this.#idems.size;
  }

  get walletSids(): IterableIterator<string> {
    return this.#wallets.keys();
  }

  idOf(walletSid: string | null): bigint | undefined {
    return walletSid === null ? undefined : this.#wallets.get(walletSid);
  }

  knowWallets(wallets: readonly { readonly sid: string; readonly id: bigint }[]): void {
    for (const { sid, id } of wallets) this.#wallets.set(sid, id);
  }

  take(row: EntryRow, step: number): Entry {
    const entries = this.entries.get(row.account) ?? [];
    this.entries.set(row.account, entries);
    const facts = (row.about === null ? {} : JSON.parse(row.about)) as Record<string, unknown>;
    const entry = { ...row, facts, step };
    this.#check(entry, entries.at(-1));
    this.#idems.add(row.idem);
    entries.push(entry);
    const description = facts['description'];
    if (typeof description === 'string') {
      const same = this.#byDescription.get(description);
      if (same) same.push(entry);
      else this.#byDescription.set(description, [entry]);
    }
    return entry;
  }

  #check(entry: Entry, before: Entry | undefined): void {
    const where = `account ${entry.account} seq ${entry.seq}`;
    if (entry.seq !== (before?.seq ?? 0n) + 1n) this.#break('I04 no gap in seq', where);
    if (entry.balance_after !== (before?.balance_after ?? 0n) + entry.amount)
      this.#break('I04 balance_after chain', where);
    if (entry.amount === 0n && entry.kind !== KIND.usage) this.#break('I09 no zero amount', where);
    if (this.#idems.has(entry.idem)) this.#break('I11 one posting per key', `${where} idem ${entry.idem}`);
    const mayGoBelow =
      entry.kind === KIND.adjustment ||
      // What came back goes on to the grants that had paid it.
      entry.kind === GRANT_RETURN ||
      isCovered(entry, before) ||
      (entry.kind === KIND.capture && entry.facts['is_late'] === true) ||
      this.isRestOfLease(entry) ||
      (entry.kind === KIND.usage && (entry.balance_after >= -OWED_MAX || BY_THE_HOUSE.has(entry.facts['why'])));
    if (entry.balance_after < 0n && entry.amount < 0n && !mayGoBelow) this.#break('I18 never below zero', where);
    if (entry.account % 16n === 1n && entry.balance_after < 0n) this.#break('I20 reserved is not negative', where);
    if (entry.balance_after < 0n) this.#mark('a balance is below zero');
  }

  /** What a charge has left of a lease, set aside again in the commit that had taken it out. */
  isRestOfLease({ account, kind, step, facts, seq }: Entry): boolean {
    if (kind !== KIND.reserve || facts['node'] === undefined) return false;
    const entries = this.entries.get(account) ?? [];
    for (let at = Number(seq) - 2; at >= 0; at -= 1) {
      const before = entries[at];
      if (before?.step !== step) return false;
      if (before.kind === KIND.release && before.facts['hold_sid'] === facts['hold_sid']) return true;
    }
    return false;
  }

  /** Entries of a kind that carry an intent's text, on the wallet's own account. */
  madeBy(intent: Intent, kind: number): Entry[] {
    const wallet = intent.walletSid === null ? undefined : this.#wallets.get(intent.walletSid);
    const all = this.#byDescription.get(`intent ${intent.number}`) ?? [];
    return wallet === undefined ? [] : all.filter((entry) => entry.kind === kind && entry.account === wallet * 16n);
  }

  /** Every entry that carries an intent's text, wherever it is. */
  allOf(intent: Intent): readonly Entry[] {
    return this.#byDescription.get(`intent ${intent.number}`) ?? [];
  }

  /** `role`: 0 is the wallet's own account, 1 what is reserved. */
  entriesOf(walletSid: string | null, role: bigint): readonly Entry[] {
    const wallet = walletSid === null ? undefined : this.#wallets.get(walletSid);
    return wallet === undefined ? [] : (this.entries.get(wallet * 16n + role) ?? []);
  }

  /** Every balance that the account had between two steps, both included. */
  balancesWithin(walletSid: string | null, role: bigint, from: number, until: number): bigint[] {
    return this.#within(walletSid, role, from, until, (entry) => entry.balance_after);
  }

  /**
   * Every sum of what was paid and what was given for good that the wallet had between two steps, both included. What was given for a time is
   * left out: whether it can still be used is for the clock of a house to say.
   */
  availableWithin(walletSid: string | null, from: number, until: number): bigint[] {
    const roles = [0n, ...GRANT_ROLES].map((role) =>
      this.entriesOf(walletSid, role).filter(({ step }) => step <= until),
    );
    const steps = [...new Set(roles.flat().map(({ step }) => step))]
      .filter((step) => step > from)
      .toSorted((a, b) => a - b);
    const at = (step: number): bigint =>
      roles.reduce((sum, entries) => {
        const last = entries.findLast((entry) => entry.step <= step);
        return sum + (last && !this.#isGivenForATime(last) ? last.balance_after : 0n);
      }, 0n);
    return [from, ...steps].map(at);
  }

  /** From this entry on the account is of credit that was given until some instant. */
  knowGivenForATime(account: bigint, fromSeq: bigint, isForATime: boolean): void {
    this.#givenForATime.set(account, [...(this.#givenForATime.get(account) ?? []), { fromSeq, isForATime }]);
  }

  #isGivenForATime({ account, seq }: Entry): boolean {
    return this.#givenForATime.get(account)?.findLast(({ fromSeq }) => fromSeq <= seq)?.isForATime === true;
  }

  /** Every length that the wallet's statement had between two steps. */
  lengthsWithin(walletSid: string | null, from: number, until: number): bigint[] {
    return this.#within(walletSid, 0n, from, until, (entry) => entry.seq);
  }

  /** Every sum of top-ups that the wallet had between two steps. */
  paidWithin(walletSid: string | null, from: number, until: number): bigint[] {
    let paid = 0n;
    return this.#within(walletSid, 0n, from, until, (entry) => {
      if (entry.kind === KIND.topUp) paid += entry.amount;
      return paid;
    });
  }

  #within(
    walletSid: string | null,
    role: bigint,
    from: number,
    until: number,
    valueOf: (entry: Entry) => bigint,
  ): bigint[] {
    let at = 0n;
    const within: bigint[] = [];
    for (const entry of this.entriesOf(walletSid, role)) {
      if (entry.step > until) break;
      const value = valueOf(entry);
      if (entry.step < from) at = value;
      else within.push(value);
    }
    return [at, ...within];
  }
}

/** Whether given credit pays all of it: that is no more owed than before. */
const isCovered = ({ amount, idem }: Entry, before: Entry | undefined): boolean =>
  before?.kind === GRANT_USE && before.facts['for'] === idem && before.amount >= -amount;

/** Dollars as text to micro-dollars, in the oracle's own way. */
export function micros(text: string): bigint {
  if (text.startsWith('-')) return -micros(text.slice(1));
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(6, '0'));
}

export function floorCents(amount: bigint): bigint {
  const cents = amount / MICROS_PER_CENT;
  return amount < 0n && amount % MICROS_PER_CENT !== 0n ? cents - 1n : cents;
}

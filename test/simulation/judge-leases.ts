import { describe, isFinalAnswer, type History, type Intent } from './history.ts';
import { KIND, micros, type Break, type Entry, type LedgerModel } from './ledger-model.ts';
import type { Mark } from './marks.ts';

export interface LeaseJudgeOptions {
  readonly model: LedgerModel;
  readonly history: History;
  readonly rows: <R>(text: string) => Promise<R[]>;
  readonly nowMs: number;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

interface LeaseRow {
  readonly sid: string;
  readonly node_sid: string;
  readonly hour_max: bigint;
  readonly amount: bigint;
  readonly drawn: bigint;
  readonly state: string;
  readonly created_at: Date;
  readonly expires_at: Date;
}

/** A lease as the entries of its wallet tell it. */
interface Lease {
  readonly granted: Entry;
  /** What is set aside. */
  left: bigint;
  /** Each amount that was left, from its step on. */
  readonly was: { readonly step: number; readonly left: bigint }[];
  /** While its money is with the wallet for a charge: how much, and what was charged since. */
  out: { readonly step: number; readonly left: bigint; paid: bigint } | null;
  isClosed: boolean;
}

/** A lease sets money aside once, gives back for each charge as much as it cost, and the rest at its end. */
export class LeaseJudge {
  readonly #options: LeaseJudgeOptions;
  readonly #leases = new Map<string, Lease>();

  constructor(options: LeaseJudgeOptions) {
    this.#options = options;
  }

  async judge(): Promise<void> {
    const { model, rows, history } = this.#options;
    for (const walletSid of model.walletSids) {
      for (const entry of model.entriesOf(walletSid, 0n)) this.#take(entry);
    }
    for (const [sid, lease] of this.#leases) this.#close(sid, lease, Number.MAX_SAFE_INTEGER);
    const kept = await rows<LeaseRow>(
      `select hold.sid, node.sid as node_sid, node.hour_max, amount, drawn, state, hold.created_at, expires_at
       from hold join node on node.id = hold.node where hold.kind = 'lease' order by hold.sid`,
    );
    for (const row of kept) this.#judgeRow(row);
    this.#judgeLimits(kept);
    const amounts = kept.map(({ amount }) => amount);
    for (const intent of history.intents) if (intent.operation === 'lease.grant') this.#judgeGrant(intent, amounts);
  }

  #take(entry: Entry): void {
    const { kind, facts, amount } = entry;
    const sid = String(kind === KIND.usage ? facts['lease'] : facts['hold_sid']);
    const lease = this.#leases.get(sid);
    if (kind === KIND.reserve && facts['node'] !== undefined) return this.#setAside(sid, entry, lease);
    if (!lease) return;
    this.#close(sid, lease, entry.step);
    if (kind === KIND.usage) return this.#charge(sid, lease, entry);
    if (kind !== KIND.release && kind !== KIND.expire) return;
    const { breaks } = this.#options;
    if (lease.isClosed || amount !== lease.left)
      breaks('a lease gives back what is left of it', `${sid}: ${amount} of ${lease.left}`);
    if (facts['node'] === undefined) lease.isClosed = true;
    else lease.out = { step: entry.step, left: lease.left, paid: 0n };
    this.#leave(lease, entry.step, 0n);
  }

  #setAside(sid: string, entry: Entry, lease: Lease | undefined): void {
    const { breaks, mark } = this.#options;
    if (!lease) {
      mark('a lease is granted');
      const left = -entry.amount;
      this.#leases.set(sid, { granted: entry, left, was: [{ step: entry.step, left }], out: null, isClosed: false });
      return;
    }
    const { out } = lease;
    const rest = out === null || out.step !== entry.step || out.paid >= out.left ? 0n : out.left - out.paid;
    if (lease.isClosed || rest !== -entry.amount)
      breaks('a lease pays what was used under it', `${sid} sets ${-entry.amount} aside, not ${rest}`);
    lease.out = null;
    this.#leave(lease, entry.step, -entry.amount);
  }

  #charge(sid: string, lease: Lease, entry: Entry): void {
    const { breaks, mark } = this.#options;
    const { why, bills } = entry.facts;
    if (why !== undefined || bills !== undefined) return;
    if (lease.out?.step === entry.step) {
      mark('usage is taken out of its lease');
      lease.out.paid -= entry.amount;
    } else if (lease.left > 0n) breaks('usage under a lease is taken out of it', `${sid} at ${entry.seq}`);
    else mark('usage comes when its lease is over');
  }

  /** Of money that was out for a charge and did not come back, all was used. */
  #close(sid: string, lease: Lease, step: number): void {
    const { out } = lease;
    if (out === null || out.step === step) return;
    this.#options.mark('a lease is used up');
    if (out.paid < out.left)
      this.#options.breaks('a lease pays what was used under it', `${sid}: ${out.paid} of ${out.left}`);
    lease.out = null;
  }

  #leave(lease: Lease, step: number, left: bigint): void {
    lease.left = left;
    lease.was.push({ step, left });
  }

  #judgeRow({ sid, amount, drawn, state, expires_at: expiresAt }: LeaseRow): void {
    const { breaks, mark, nowMs } = this.#options;
    const lease = this.#leases.get(sid);
    if (!lease) return breaks('a lease has its money', sid);
    if (state === 'released') mark('a lease is given back');
    if (state === 'expired') mark('a lease expires');
    // A process whose clock was ahead may have granted it until tomorrow.
    if (state === 'open' && expiresAt.getTime() < nowMs) breaks('a lease ends', `${sid}: ${lease.left} is left`);
    // What it gave back last was not used.
    const last = lease.was.findLast(({ left }) => left > 0n)?.left ?? 0n;
    const unused = lease.isClosed ? last : lease.left;
    if (drawn !== amount - unused)
      breaks('a lease says what was used of it', `${sid}: ${drawn} of ${amount}, ${unused} was left`);
  }

  /** What the open leases of a node come to, when one is granted, is within what it may have in an hour. */
  #judgeLimits(kept: readonly LeaseRow[]): void {
    const { breaks } = this.#options;
    for (const row of kept) {
      const step = this.#leases.get(row.sid)?.granted.step ?? 0;
      let sum = 0n;
      for (const other of kept) {
        const isOpen = other.node_sid === row.node_sid && other.expires_at > row.created_at;
        const lease = this.#leases.get(other.sid);
        if (isOpen && lease) sum += lease.was.findLast((one) => one.step <= step)?.left ?? 0n;
      }
      if (sum > row.hour_max)
        breaks('the leases of a node are within its limit', `${row.sid}: ${sum} of ${row.hour_max}`);
    }
  }

  #judgeGrant(intent: Intent, amounts: readonly bigint[]): void {
    const { breaks, mark, model } = this.#options;
    const amount = micros(String(intent.input['amount']));
    const made = amounts.filter((one) => one === amount).length;
    if (made > 1) breaks('I11 an intent moves money once', describe(intent));
    const final = intent.attempts.find(isFinalAnswer);
    if (!final) return;
    if (final.status === 201 && made !== 1) breaks('I22 an acknowledged call is in the ledger', describe(intent));
    if (final.status !== 201 && final.status !== 429 && made !== 0)
      breaks('I21 a refused call is not in the ledger', describe(intent));
    if (final.status !== 402) return;
    mark('a lease is refused for want of money');
    const from = intent.attempts[0]?.startStep ?? 0;
    const balances = model.balancesWithin(intent.walletSid, 0n, from, final.endStep ?? Number.MAX_SAFE_INTEGER);
    if (!balances.some((balance) => balance < amount)) breaks('I18 refused only for want of money', describe(intent));
  }
}

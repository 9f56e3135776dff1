import { KIND, type Entry } from '../ledger-model.ts';
import { balanceOf, RENTING_KIND, type Context } from './context.ts';
import type { Changes, GrantRow } from './rows.ts';

const PAYS_WITH_GIVEN: ReadonlySet<number> = new Set([KIND.debit, KIND.reserve, RENTING_KIND.plan]);
/** Ticks take back what is over some seconds after it. */
const TAKEN_BACK_WITHIN_MS = 3_600_000;

/** Given credit is used first, in its order and within its time, and never becomes anything else. */
export class GivenJudge {
  readonly #context: Context;
  /** By wallet: its grants as they were before the commit that is looked at. */
  #before = new Map<bigint, readonly GrantRow[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** `fresh`: the entries of the commit. */
  afterCommit(changes: Changes, fresh: readonly Entry[]): void {
    const wallets = new Set(fresh.map(({ account }) => account / 16n));
    for (const wallet of wallets)
      this.#judgeUses(
        wallet,
        fresh.filter(({ account }) => account / 16n === wallet),
      );
    for (const { before, after } of changes.grant_credit) this.#judgeGrant(before, after);
    for (const { after } of changes.grant_credit) {
      const own = this.#context.rows.all('grant_credit').filter(({ wallet }) => wallet === after.wallet);
      this.#before.set(after.wallet, own);
    }
  }

  atTheEnd(): void {
    const { rows, model, nowMs } = this.#context;
    for (const grant of rows.all('grant_credit')) {
      const next = rows
        .all('grant_credit')
        .find((one) => one.account === grant.account && one.from_seq > grant.from_seq);
      const entries = (model.entries.get(grant.account) ?? []).filter(
        ({ seq }) => seq >= grant.from_seq && (next === undefined || seq < next.from_seq),
      );
      const sumOf = (...kinds: number[]): bigint =>
        entries.filter(({ kind }) => kinds.includes(kind)).reduce((sum, { amount }) => sum + amount, 0n);
      if (sumOf(RENTING_KIND.grant) !== grant.amount)
        this.#break('a grant is given once', grant, String(sumOf(RENTING_KIND.grant)));
      if (-sumOf(RENTING_KIND.grantExpire, RENTING_KIND.grantRevoke) !== grant.taken_back)
        this.#break('what is taken back is written down', grant, String(grant.taken_back));
      const left = entries.reduce((sum, { amount }) => sum + amount, 0n);
      if (grant.closed_at !== null && left !== 0n)
        this.#break('nothing is left of a grant that is over', grant, String(left));
      if (left < 0n) this.#break('a grant is not below zero', grant, String(left));
      const isLate = grant.expires_at !== null && grant.expires_at.getTime() + TAKEN_BACK_WITHIN_MS < nowMs();
      if (grant.state === 'open' && isLate && left > 0n)
        this.#break('what has expired is taken back', grant, String(left));
    }
  }

  #judgeGrant(before: GrantRow | null, after: GrantRow): void {
    const { mark } = this.#context;
    if (before === null) {
      mark('credit is given');
      this.#context.model.knowGivenForATime(after.account, after.from_seq, after.expires_at !== null);
    }
    if (before?.state !== 'open' || after.state === 'open') return;
    if (after.state === 'spent') mark('given credit is used up');
    if (after.state === 'expired') mark('given credit expires');
    if (after.state === 'revoked') mark('given credit is revoked');
  }

  /** What each posting of a commit took of the wallet's grants. */
  #judgeUses(wallet: bigint, fresh: readonly Entry[]): void {
    const own = fresh.filter(({ account }) => account === wallet * 16n);
    const uses = own.filter(({ kind }) => kind === RENTING_KIND.grantUse);
    const charges = own.filter(
      ({ kind, amount, facts }) => PAYS_WITH_GIVEN.has(kind) && amount < 0n && facts['node'] === undefined,
    );
    // Several charges of one wallet in one commit are rare, and their grants would have to be told apart.
    if (charges.length !== 1 || uses.length > 1) return;
    const [charge] = charges;
    if (!charge) return;
    const [use] = uses;
    const drawn = new Map(
      fresh
        .filter(({ account, kind }) => kind === RENTING_KIND.grantUse && account % 16n >= 3n)
        .map(({ account, amount }) => [account, -amount] as const),
    );
    const atMs = charge.recorded_at.getTime();
    const open = (this.#before.get(wallet) ?? []).filter(
      ({ closed_at: closed, state }) => closed === null && state === 'open',
    );
    const usable = open
      .filter(({ expires_at: end }) => end === null || end.getTime() > atMs)
      .toSorted(byUse)
      .map((grant) => ({ grant, had: this.#hadOf(grant.account, fresh) }));
    const known = new Set(usable.map(({ grant }) => grant.account));
    for (const [account, amount] of drawn) {
      const grant = open.find((one) => one.account === account);
      if (grant && !known.has(account)) this.#break('H11 nothing expired is used', grant, `${amount} of it`);
      else if (!grant) this.#context.breaks('H11 only what is open is used', `account ${account}: ${amount}`);
    }
    let left = -charge.amount;
    for (const { grant, had } of usable) {
      const wanted = had < left ? had : left;
      const taken = drawn.get(grant.account) ?? 0n;
      if (taken !== wanted)
        this.#break('H11 given credit is used first, in its order', grant, `${taken} and not ${wanted} of ${had}`);
      left -= wanted;
    }
    if (!use) return;
    this.#context.mark(left > 0n ? 'given and paid pay together' : 'given credit pays');
    if (drawn.size > 1) this.#context.mark('several grants pay together');
  }

  /** What was in an account before the commit. */
  #hadOf(account: bigint, fresh: readonly Entry[]): bigint {
    const moved = fresh.filter((entry) => entry.account === account).reduce((sum, { amount }) => sum + amount, 0n);
    return balanceOf(this.#context, account) - moved;
  }

  #break(rule: string, { sid, wallet, state }: GrantRow, detail: string): void {
    this.#context.breaks(rule, `grant ${sid} of wallet ${wallet}, ${state}: ${detail}`);
  }
}

/** What ends first; then the lower priority; then the older one. */
function byUse(a: GrantRow, b: GrantRow): number {
  const [endOfA, endOfB] = [a.expires_at?.getTime() ?? Infinity, b.expires_at?.getTime() ?? Infinity];
  if (endOfA !== endOfB) return endOfA < endOfB ? -1 : 1;
  return a.priority !== b.priority ? a.priority - b.priority : Number(a.id - b.id);
}

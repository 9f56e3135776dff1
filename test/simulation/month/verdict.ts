import { checkLedger } from '../../../src/store/ledger-check.ts';
import type { Database } from '../../../src/store/postgres.ts';
import { priced, type Used } from './bill.ts';
import { Fraction, ZERO } from './fraction.ts';
import type { Month } from './month.ts';
import type { Told } from './nodes.ts';
import type { Resident } from './residents.ts';

const OWED_MAX = 5_000_000n;
const LOW_BALANCE = 2_000_000n;

/** One record that was used, with what it costs exactly and what was answered. */
interface Settled {
  readonly used: Used;
  readonly node: string;
  readonly cost: Fraction;
  readonly told: Told;
}

/** What a wallet was charged on one day, as the product adds it up. */
interface DaySum extends Record<string, unknown> {
  readonly wallet_sid: string;
  readonly day: string;
  readonly records: bigint;
  readonly charge: bigint;
}

export interface Verdict {
  readonly breaks: readonly string[];
  readonly records: number;
  readonly unbilled: number;
  readonly days: number;
}

/** Holds a month against a calculation of its own: every charge, every wallet, every day, every other side, and the ledger's promises. */
export async function judgeMonth(month: Month, owner: Database): Promise<Verdict> {
  const judge = new MonthJudge(month, owner);
  return await judge.judge();
}

class MonthJudge {
  readonly #month: Month;
  readonly #owner: Database;
  readonly #breaks: string[];
  /** By wallet and day: how many records, and what they came to. */
  readonly #days = new Map<string, { records: bigint; charge: bigint }>();
  readonly #spentBy = new Map<string, bigint>();
  #paid = 0n;
  #owedToProviders = 0n;
  #records = 0;
  #unbilled = 0;

  constructor(month: Month, owner: Database) {
    this.#month = month;
    this.#owner = owner;
    this.#breaks = [...month.breaks];
  }

  async judge(): Promise<Verdict> {
    const { results } = await checkLedger(this.#owner);
    for (const { id, promise, rows } of results) if (rows.length > 0) this.#break(`${id} ${promise}`, rows[0]);
    const balances = await this.#balances();
    const byUser = this.#byUser();
    for (const resident of this.#month.residents) {
      this.#judgeWallet(resident, byUser.get(resident.userSid) ?? [], balances.get(resident.walletSid));
    }
    await this.#judgeDays();
    await this.#judgeOtherSides();
    await this.#judgeStandings();
    return { breaks: this.#breaks, records: this.#records, unbilled: this.#unbilled, days: this.#days.size };
  }

  #break(promise: string, detail: unknown): void {
    this.#breaks.push(`${promise}: ${typeof detail === 'string' ? detail : JSON.stringify(detail, bigintAsText)}`);
  }

  #byUser(): Map<string, Settled[]> {
    const { nodes, prices } = this.#month;
    const used = new Map<string, { readonly record: Used; readonly node: string; readonly told: Told | undefined }[]>();
    for (const { used: own, told, sid } of nodes) {
      for (const [key, record] of own) {
        const all = used.get(record.user_sid) ?? [];
        used.set(record.user_sid, all);
        all.push({ record, node: sid, told: told.get(key) });
      }
    }
    const settled = new Map<string, Settled[]>();
    for (const [userSid, all] of used) {
      const costs = priced(
        all.map(({ record }) => record),
        prices,
      );
      const own: Settled[] = [];
      for (const { record, node, told } of all) {
        const cost = costs.get(record.idempotency_key) ?? ZERO;
        if (told) own.push({ used: record, node, cost, told });
        else this.#break('everything that was used is charged or kept', record.idempotency_key);
      }
      settled.set(userSid, own);
    }
    return settled;
  }

  /** In the order of the statement: each charge is the step of the exact sum rounded down, and the balance is what is left of it. */
  #judgeWallet(resident: Resident, all: readonly Settled[], balance: bigint | undefined): void {
    const { walletSid, paidIn, captured, isPoor } = resident;
    this.#records += all.length;
    const charged = all.filter(({ told }) => told.outcome === 'applied');
    charged.sort((one, other) => (one.told.entry ?? 0) - (other.told.entry ?? 0));
    if (new Set(charged.map(({ told }) => told.entry)).size !== charged.length)
      this.#break('each charge has a line of its own', walletSid);
    let exact = ZERO;
    for (const settled of charged) {
      const before = exact.floor;
      exact = exact.plus(settled.cost);
      const charge = exact.floor - before;
      if (microsOf(settled.told.charge) !== charge)
        this.#break('a record costs what its price says', [settled.used, settled.told, charge]);
      if (microsOf(settled.told.balance) < -OWED_MAX) this.#break('a wallet owes no more than it may', settled.told);
      this.#count(walletSid, settled, charge);
    }
    this.#paid += exact.floor;
    const left = paidIn - captured - exact.floor;
    if (balance !== left) this.#break('a wallet holds what was paid in less what was used', [walletSid, balance, left]);
    const unbilled = all.filter(({ told }) => told.outcome === 'unbilled');
    this.#unbilled += unbilled.length;
    // Whoever gets no money is at the limit by the end of what was charged, within a micro-dollar that is carried.
    for (const { cost, used } of unbilled) {
      const isForWant = isPoor && left - cost.floor - 1n < -OWED_MAX;
      if (!isForWant) this.#break('usage is unbilled only for want of money', [used, left]);
    }
  }

  #count(walletSid: string, { used, node, cost }: Settled, charge: bigint): void {
    const key = `${walletSid} ${used.occurred_at.slice(0, 10)}`;
    const day = this.#days.get(key) ?? { records: 0n, charge: 0n };
    this.#days.set(key, { records: day.records + 1n, charge: day.charge + charge });
    this.#spentBy.set(node, (this.#spentBy.get(node) ?? 0n) + cost.floor);
    this.#owedToProviders += Fraction.of(used.cost ?? '0').times(new Fraction(1_000_000n)).floor;
  }

  async #balances(): Promise<Map<string, bigint>> {
    const rows = await this.#owner.query<{ sid: string; balance: bigint }>({
      name: 'test.balances',
      text: 'select wallet.sid, account.balance from wallet join account on account.id = wallet.id * 16',
    });
    return new Map(rows.map(({ sid, balance }) => [sid, balance]));
  }

  async #judgeDays(): Promise<void> {
    const rows = await this.#owner.query<DaySum>({
      name: 'test.days',
      text: `select wallet.sid as wallet_sid, day::text, sum(records)::int8 as records, sum(charge)::int8 as charge
             from usage_day join wallet on wallet.id = usage_day.wallet group by 1, 2`,
    });
    if (rows.length !== this.#days.size)
      this.#break('each day of use has its sum', `${rows.length}, ${this.#days.size}`);
    for (const row of rows) {
      const own = this.#days.get(`${row.wallet_sid} ${row.day}`);
      if (own?.charge !== row.charge || own.records !== row.records)
        this.#break('a day comes to the charges of what was used on it', [row, own]);
    }
  }

  /** Nobody rents, and for a day nobody has used anything: how a wallet stands follows from what it holds, and who only gets poorer is told of each level once. */
  async #judgeStandings(): Promise<void> {
    const rows = await this.#owner.query<{ sid: string; state: string; balance: bigint; told: string[] }>({
      name: 'test.standings',
      text: `select wallet.sid, wallet_standing.state, account.balance,
                    array(select type from event where event.wallet = wallet.id and type like 'wallet.%' and type <> 'wallet.runway' order by sequence) as told
             from wallet join account on account.id = wallet.id * 16 left join wallet_standing on wallet_standing.wallet = wallet.id`,
    });
    const standings = new Map(rows.map((row) => [row.sid, row]));
    for (const { walletSid, isFrozen, isPoor } of this.#month.residents) {
      const row = standings.get(walletSid);
      const balance = row?.balance ?? 0n;
      const level = balance <= 0n ? 'empty' : balance < LOW_BALANCE ? 'low' : 'active';
      if (row?.state !== (isFrozen ? 'suspended' : level)) this.#break('a wallet stands as its money says', row);
      const told = { active: [], low: ['wallet.low_balance'], empty: ['wallet.low_balance', 'wallet.empty'] }[level];
      if (isPoor && String(row?.told) !== String(told)) this.#break('each level is told of once', row);
      if (isFrozen && row?.told.filter((type) => type === 'wallet.suspended').length !== 1)
        this.#break('a suspension is told of once', row);
    }
  }

  /** What is owed to providers, what is ours, and what nodes have spent of their hours. */
  async #judgeOtherSides(): Promise<void> {
    const sides = await this.#owner.query<{ side: string; sum: bigint }>({
      name: 'test.sides',
      text: `select split_part(code, ':', 1) as side, sum(amount)::int8 as sum
             from batch_leg join system_account on system_account.id = batch_leg.account
             where code ~ '^payable:' or (code ~ '^revenue:' and code <> 'revenue:usage') group by 1`,
    });
    const sumOf = (side: string): bigint => sides.find((one) => one.side === side)?.sum ?? 0n;
    if (sumOf('payable') !== this.#owedToProviders)
      this.#break('what is owed to providers is what they charged', [sumOf('payable'), this.#owedToProviders]);
    if (sumOf('revenue') !== this.#paid - this.#owedToProviders)
      this.#break('what is ours is what was paid less what is owed', [sumOf('revenue'), this.#paid]);
    const budgets = await this.#owner.query<{ sid: string; spent: bigint }>({
      name: 'test.budgets',
      text: 'select node.sid, sum(spent)::int8 as spent from posting_budget join node on node.id = owner group by 1',
    });
    const spent = new Map(budgets.map((row) => [row.sid, row.spent]));
    for (const [sid, sum] of this.#spentBy)
      if (spent.get(sid) !== sum) this.#break('a node spends what its records cost', [sid, spent.get(sid), sum]);
  }
}

/** "1.5", "-0.000001" or nothing, in micro-dollars; shares no code with the product's reader. */
function microsOf(text: string | null): bigint {
  const [, sign = '', whole = '', decimals = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text ?? '') ?? [];
  if (whole === '') throw new Error(`not an amount: ${text}`);
  return BigInt(`${sign}${whole}${decimals.padEnd(6, '0')}`);
}

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

import { hashText } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { SharedConnection } from '../../../src/store/postgres.ts';

export interface PlanRow {
  readonly sid: string;
  readonly code: string;
  readonly version: number;
  readonly price: bigint;
  readonly period_unit: 'day' | 'month';
  readonly period_count: number;
  readonly vm_count: number;
  readonly vm_size: string;
  readonly is_for_sale: boolean;
  readonly active_from: Date;
}

export interface SubscriptionRow {
  readonly id: bigint;
  readonly sid: string;
  readonly wallet: bigint;
  readonly plan_code: string;
  readonly state: 'active' | 'past_due' | 'ended';
  readonly period_ends_at: Date;
  readonly period_number: number;
  readonly is_renewing: boolean;
  readonly next_plan_code: string | null;
  readonly due_amount: bigint | null;
  readonly ended_at: Date | null;
  readonly end_reason: string | null;
}

export interface PeriodRow {
  readonly subscription: bigint;
  readonly number: number;
  readonly part: number;
  readonly wallet: bigint;
  readonly plan_sid: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly paid: bigint;
  readonly idem: string | null;
  readonly created_at: Date;
}

export interface AllocationRow {
  readonly id: bigint;
  readonly sid: string;
  readonly wallet: bigint;
  readonly subscription: bigint;
  readonly state: 'requested' | 'active' | 'suspended' | 'releasing' | 'released' | 'failed';
  readonly name: string;
  readonly size: string;
  readonly machine: bigint | null;
  readonly external_ref: string | null;
  readonly host: string | null;
  readonly expires_at: Date;
  readonly created_at: Date;
  readonly active_at: Date | null;
  readonly suspended_at: Date | null;
  readonly releasing_at: Date | null;
  readonly released_at: Date | null;
  readonly release_reason: string | null;
}

export interface MachineRow {
  readonly id: bigint;
  readonly sid: string;
  readonly host: string;
  readonly size: string;
  readonly state: 'free' | 'allocated' | 'cleaning' | 'removed';
  readonly is_draining: boolean;
  readonly cleans_itself: boolean;
}

export interface GrantRow {
  readonly id: bigint;
  readonly sid: string;
  readonly wallet: bigint;
  readonly account: bigint;
  readonly from_seq: bigint;
  readonly kind: string;
  readonly amount: bigint;
  readonly priority: number;
  readonly expires_at: Date | null;
  readonly idem: string;
  readonly state: 'open' | 'spent' | 'expired' | 'revoked';
  readonly taken_back: bigint;
  readonly closed_at: Date | null;
}

export interface StandingRow {
  readonly wallet: bigint;
  readonly state: 'active' | 'low' | 'empty' | 'suspended' | 'released';
  readonly since: Date;
  readonly reason: 'balance' | 'plan' | 'dispute' | 'operator' | null;
  readonly noticed_at: Date | null;
  readonly deadline_at: Date | null;
  readonly rescue_until: Date | null;
  readonly is_frozen: boolean;
}

export interface OutageRow {
  readonly sid: string;
  readonly subject: 'node' | 'machine' | 'host' | 'allocation';
  readonly subject_ref: string;
  readonly state: 'open' | 'settling' | 'done' | 'cancelled';
  readonly from_at: Date;
  readonly until_at: Date | null;
}

export interface CreditRow {
  readonly outage: string;
  readonly allocation: bigint;
  readonly wallet: bigint;
  readonly idem: string;
  readonly amount: bigint;
  readonly from_at: readonly Date[];
  readonly until_at: readonly Date[];
}

interface Tables {
  readonly plan: PlanRow;
  readonly subscription: SubscriptionRow;
  readonly plan_period: PeriodRow;
  readonly allocation: AllocationRow;
  readonly machine: MachineRow;
  readonly grant_credit: GrantRow;
  readonly wallet_standing: StandingRow;
  readonly outage: OutageRow;
  readonly outage_credit: CreditRow;
}
export type Table = keyof Tables;

/** A row that a commit wrote. */
export interface Change<R> {
  readonly before: R | null;
  readonly after: R;
}

const COLUMNS: Readonly<Record<Table, string>> = {
  plan: 'sid, code, version, price, period_unit, period_count, vm_count, vm_size, is_for_sale, active_from',
  subscription:
    'id, sid, wallet, plan_code, state, period_ends_at, period_number, is_renewing, next_plan_code, due_amount, ended_at, end_reason',
  plan_period: 'subscription, number, part, wallet, plan_sid, starts_at, ends_at, paid, idem, created_at',
  allocation:
    'id, sid, wallet, subscription, state, name, size, machine, external_ref, host, expires_at, created_at, active_at, suspended_at, releasing_at, released_at, release_reason',
  machine: 'id, sid, host, size, state, is_draining, cleans_itself',
  grant_credit:
    'id, sid, wallet, account, from_seq, kind, amount, priority, expires_at, idem, state, taken_back, closed_at',
  wallet_standing:
    'wallet, state, since, reason, noticed_at, deadline_at, rescue_until, (select is_frozen from account where id = wallet * 16) as is_frozen',
  outage: 'sid, subject, subject_ref, state, from_at, until_at',
  outage_credit: 'outage, allocation, wallet, idem, amount, from_at, until_at',
};
const ORDERS: Readonly<Record<Table, string>> = {
  plan: 'code, version',
  subscription: 'id',
  plan_period: 'subscription, number, part',
  allocation: 'id',
  machine: 'id',
  grant_credit: 'id',
  wallet_standing: 'wallet',
  outage: 'sid',
  outage_credit: 'outage, allocation',
};
const KEYS: { readonly [T in Table]: (row: Tables[T]) => string } = {
  plan: ({ sid }) => sid,
  subscription: ({ id }) => String(id),
  plan_period: ({ subscription, number, part }) => `${subscription}/${number}/${part}`,
  allocation: ({ id }) => String(id),
  machine: ({ id }) => String(id),
  grant_credit: ({ id }) => String(id),
  wallet_standing: ({ wallet }) => String(wallet),
  outage: ({ sid }) => sid,
  outage_credit: ({ outage, allocation }) => `${outage}/${allocation}`,
};
export const TABLES = Object.keys(COLUMNS) as Table[];

/** What the tables of renting said after each commit, in the order of the commits. */
export class Rows {
  readonly #shared: Pick<SharedConnection, 'run'>;
  readonly #scheduler: Scheduler;
  readonly #known = new Map<Table, Map<string, unknown>>(TABLES.map((table) => [table, new Map<string, unknown>()]));
  /** By table: the first transaction that was not looked at. */
  readonly #from = new Map<Table, bigint>();

  constructor(shared: Pick<SharedConnection, 'run'>, scheduler: Scheduler) {
    this.#shared = shared;
    this.#scheduler = scheduler;
  }

  /** As the last look found them, in the order in which they came. */
  all<T extends Table>(table: T): Tables[T][] {
    return [...this.#of(table).values()] as Tables[T][];
  }

  get<T extends Table>(table: T, key: string | bigint): Tables[T] | undefined {
    return this.#of(table).get(String(key)) as Tables[T] | undefined;
  }

  /** What the commit that just went through has written to these tables. */
  async look(written: Iterable<Table>): Promise<{ readonly [T in Table]: readonly Change<Tables[T]>[] }> {
    const changes: Partial<Record<Table, Change<unknown>[]>> = Object.fromEntries(TABLES.map((table) => [table, []]));
    const [next] = await this.#sql('select pg_snapshot_xmax(pg_current_snapshot())::text::int8 as xid', []);
    for (const table of written) {
      const from = this.#from.get(table) ?? 0n;
      const rows = await this.#sql(
        `select ${COLUMNS[table]} from ${table} where xmin::text::int8 >= $1 order by ${ORDERS[table]}`,
        [from],
      );
      this.#from.set(table, (next as { xid: bigint }).xid);
      const known = this.#of(table);
      changes[table] = rows.map((after) => {
        const key = (KEYS[table] as (row: unknown) => string)(after);
        const before = known.get(key) ?? null;
        known.set(key, after);
        return { before, after };
      });
    }
    return changes as { readonly [T in Table]: readonly Change<Tables[T]>[] };
  }

  #of(table: Table): Map<string, unknown> {
    return this.#known.get(table) ?? new Map<string, unknown>();
  }

  async #sql(text: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    const { rows } = await this.#scheduler.io(() =>
      this.#shared.run({ name: `oracle.${hashText(text)}`, text, values }),
    );
    return rows;
  }
}
export type Changes = Awaited<ReturnType<Rows['look']>>;

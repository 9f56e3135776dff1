import { checkLedger } from '../../../src/store/ledger-check.ts';
import type { Database } from '../../../src/store/postgres.ts';
import type { Paid } from './tenant.ts';
import type { Resident, Years } from './years.ts';

export interface Verdict {
  readonly breaks: readonly string[];
  readonly subscriptions: number;
  readonly periods: number;
  readonly changes: number;
  readonly ends: number;
  readonly pastDue: number;
}

interface PeriodRow extends Record<string, unknown> {
  readonly wallet: bigint;
  readonly subscription: bigint;
  readonly number: number;
  readonly part: number;
  readonly code: string;
  readonly version: number;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly paid: bigint;
}

interface WalletRow extends Record<string, unknown> {
  readonly wallet: bigint;
  readonly balance: bigint;
  readonly plan: string | null;
  readonly quota: number | null;
  readonly period_ends_at: Date | null;
  readonly state: string | null;
}

/** Holds the years against what must be true of each wallet: each period and its price, the quota, what is left, and the ledger. */
export async function judgeYears(years: Years, owner: Database): Promise<Verdict> {
  const judge = new YearsJudge(years, owner);
  return await judge.judge();
}

class YearsJudge {
  readonly #years: Years;
  readonly #owner: Database;
  readonly #breaks: string[];
  readonly #counts = { subscriptions: 0, periods: 0, changes: 0, ends: 0, pastDue: 0 };

  constructor(years: Years, owner: Database) {
    this.#years = years;
    this.#owner = owner;
    this.#breaks = [...years.breaks];
  }

  async judge(): Promise<Verdict> {
    const { results } = await checkLedger(this.#owner);
    for (const { id, promise, rows } of results) if (rows.length > 0) this.#break(`${id} ${promise}`, rows[0]);
    const [periods, wallets, ends] = await this.#read();
    for (const resident of this.#years.residents) {
      const { wallet } = resident;
      this.#judgePeriods(resident, periods.get(wallet) ?? []);
      this.#judgeWallet(resident, wallets.get(wallet)?.[0]);
      const ended = (ends.get(wallet) ?? []).map(({ reason }) => reason);
      if (ended.join() !== resident.tenant.ends.join())
        this.#break('a plan ends for the reason that there is', [resident.number, ended, resident.tenant.ends]);
    }
    return { breaks: this.#breaks, ...this.#counts };
  }

  #break(promise: string, detail: unknown): void {
    this.#breaks.push(`${promise}: ${JSON.stringify(detail, bigintAsText)}`);
  }

  /** Each period that must have been paid was, once, for its price and from where the one before ended; and no other. */
  #judgePeriods({ number, tenant }: Resident, rows: readonly PeriodRow[]): void {
    const wanted = tenant.paid.flatMap((paid, subscription) => paid.map((one) => toLine(subscription, one)));
    const subscriptions = [...new Set(rows.map(({ subscription }) => subscription))];
    const found = rows.map((row) =>
      toLine(subscriptions.indexOf(row.subscription), {
        ...row,
        startMs: row.starts_at.getTime(),
        endMs: row.ends_at.getTime(),
        amount: row.paid,
      }),
    );
    this.#counts.subscriptions += tenant.paid.length;
    this.#counts.periods += wanted.length;
    this.#counts.changes += tenant.paid.flat().filter(({ part }) => part > 0).length;
    this.#counts.ends += tenant.ends.length;
    this.#counts.pastDue += tenant.plan?.isPastDue === true ? 1 : 0;
    const at = wanted.findIndex((line, index) => line !== found[index]);
    if (at !== -1 || found.length !== wanted.length)
      this.#break('periods are paid once each, at their price', [
        number,
        at,
        wanted[at],
        found[at],
        wanted.length,
        found.length,
      ]);
  }

  #judgeWallet({ number, tenant }: Resident, row: WalletRow | undefined): void {
    if (!row) return this.#break('a wallet stays', number);
    if (row.balance !== tenant.balance)
      this.#break('what was paid in is there less what was paid', [number, row.balance, tenant.balance]);
    const { plan } = tenant;
    const wanted = [plan?.version.code, plan?.version.vms, plan?.endMs, plan?.isPastDue === true];
    const found = [row.plan, row.quota, row.period_ends_at?.getTime(), row.state === 'past_due'];
    if (JSON.stringify(wanted.map((one) => one ?? null)) !== JSON.stringify(found.map((one) => one ?? null)))
      this.#break('a quota is what the paid plan says', [number, wanted, found]);
  }

  async #read() {
    const periods = await this.#owner.query<PeriodRow>({
      name: 'test.periods',
      text: `select plan_period.wallet, subscription, number, part, code, version, starts_at, ends_at, paid
             from plan_period join plan on plan.sid = plan_period.plan_sid order by subscription, number, part`,
    });
    const wallets = await this.#owner.query<WalletRow>({
      name: 'test.wallets',
      text: `select wallet.id as wallet, account.balance,
                    subscription.plan_code as plan,  subscription.period_ends_at, subscription.state,
                    (select vm_count from plan_period join plan on plan.sid = plan_sid where plan_period.subscription = subscription.id
                     order by number desc, part desc limit 1) as quota
             from wallet join account on account.id = wallet.id * 16
             left join subscription on subscription.wallet = wallet.id and subscription.state <> 'ended'`,
    });
    const ends = await this.#owner.query<{ wallet: bigint; reason: string }>({
      name: 'test.ends',
      text: `select wallet, end_reason as reason from subscription where state = 'ended' order by id`,
    });
    return [byWallet(periods), byWallet(wallets), byWallet(ends)] as const;
  }
}

function byWallet<R extends { readonly wallet: bigint }>(rows: readonly R[]): Map<bigint, R[]> {
  const grouped = new Map<bigint, R[]>();
  for (const row of rows) {
    const own = grouped.get(row.wallet);
    if (own) own.push(row);
    else grouped.set(row.wallet, [row]);
  }
  return grouped;
}

const toLine = (subscription: number, { number, part, code, version, startMs, endMs, amount }: Paid): string =>
  `${subscription}/${number}.${part} ${code} v${version} ${new Date(startMs).toISOString()} ${new Date(endMs).toISOString()} ${amount}`;

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

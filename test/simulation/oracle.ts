import type { StripeState } from '../../sandbox/stripe/state.ts';
import type { SharedConnection } from '../../src/store/postgres.ts';
import type { History, Violation } from './history.ts';
import type { Identities } from './identities.ts';
import { AnswerJudge } from './judge-answers.ts';
import { LeaseJudge } from './judge-leases.ts';
import { PaymentJudge } from './judge-payments.ts';
import { UsageJudge } from './judge-usage.ts';
import { KIND, LedgerModel, type Entry, type EntryRow } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { hashText } from './random.ts';
import { RENTING_KIND } from './renting/context.ts';
import { RentingJudge } from './renting/renting-judge.ts';
import type { Table } from './renting/rows.ts';
import type { Scheduler } from './scheduler.ts';

export interface OracleOptions {
  readonly shared: Pick<SharedConnection, 'run'>;
  readonly scheduler: Scheduler;
  readonly history: () => History;
  readonly provider: StripeState;
  /** The provider's events that the house has taken with 200. */
  readonly taken: ReadonlySet<string>;
  /** Gaps in the numbers of nodes that operators were told of. */
  readonly told: readonly { readonly category: string; readonly step: number }[];
  readonly identities: Identities;
  readonly heals: boolean;
  readonly isRenting: boolean;
  readonly mark: (mark: Mark) => void;
}

const VIOLATIONS_MAX = 50;
/** What moves a wallet besides money that came in and holds. */
const OTHER_KINDS = [KIND.adjustment, KIND.debit, KIND.usage, ...Object.values(RENTING_KIND)];

/** A plain model of what must be, from the provider's truth, the answers callers saw, and the ledger's own rows. */
export class Oracle {
  readonly violations: Violation[] = [];
  readonly #options: OracleOptions;
  readonly #model: LedgerModel;
  readonly #renting: RentingJudge | null;
  readonly #breaks = (rule: string, detail: string): void => {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ rule, detail });
  };

  constructor(options: OracleOptions) {
    this.#options = options;
    this.#model = new LedgerModel(this.#breaks, options.mark);
    const about = { ...options, model: this.#model, breaks: this.#breaks };
    this.#renting = options.isRenting ? new RentingJudge(about) : null;
  }

  /** The wallets of the world, by sid. More may be opened later. */
  knowWallets(wallets: readonly { readonly sid: string; readonly id: bigint }[]): void {
    this.#model.knowWallets(wallets);
  }

  /** After each commit that wrote to the ledger: reads what is new, and holds it against what was. */
  async afterPosting(): Promise<readonly Entry[]> {
    const known = [...this.#model.entries].map(([account, entries]) => [account, entries.at(-1)?.seq ?? 0n] as const);
    const { rows } = await this.#sql(
      `select e.account, e.seq, e.amount, e.balance_after, e.batch, e.idem, e.kind, e.about, e.recorded_at, a.balance, a.seq as account_seq,
              (select coalesce(sum(amount), 0)::int8 from batch_leg where batch_leg.batch = e.batch) as legs
       from account a
       left join unnest($1::int8[], $2::int8[]) as known (account, seq) on known.account = a.id
       join entry e on e.account = a.id and e.seq > coalesce(known.seq, 0)
       where a.seq > coalesce(known.seq, 0) order by e.account, e.seq`,
      [known.map(([account]) => account), known.map(([, seq]) => seq)],
    );
    const fresh = rows as unknown as (EntryRow & { balance: bigint; account_seq: bigint; legs: bigint })[];
    if (fresh.length === 0) return [];
    const { steps } = this.#options.scheduler;
    const entries = fresh.map((row) => this.#model.take(row, steps));
    for (const row of fresh) {
      const last = this.#model.entries.get(row.account)?.at(-1);
      if (last && (last.balance_after !== row.balance || last.seq !== row.account_seq)) {
        this.#breaks('I03 balance = last entry', `account ${row.account}: ${row.balance} and ${last.balance_after}`);
      }
    }
    this.#checkBatches(fresh);
    await this.#checkCredits(entries.filter(({ kind }) => kind === KIND.topUp));
    return entries;
  }

  /** After each commit that wrote of plans and VMs, or posted, in a life of renting. */
  async afterRenting(written: ReadonlySet<Table>, fresh: readonly Entry[]): Promise<void> {
    await this.#renting?.afterCommit(written, fresh);
  }

  /** After each commit that changed a webhook's state. */
  async afterInbox(): Promise<void> {
    const rows = await this.#rows<{ event_id: string; state: string }>(
      `select event_id, payment.state from inbox join payment on payment.sid = inbox.payment_sid
       where inbox.state = 'applied' and payment.state not in ('credited', 'quarantined')
         and event_type in ('payment_intent.succeeded', 'charge.succeeded', 'checkout.session.async_payment_succeeded')`,
    );
    for (const { event_id: id, state } of rows)
      this.#breaks('I22 an event is marked with what it causes', `event ${id} is applied, its payment is ${state}`);
  }

  /** After each commit that changed an identity or a session. */
  async afterIdentity(): Promise<void> {
    await this.#options.identities.afterCommit((text) => this.#rows(text));
  }

  /** When everything is quiet: every answer, every payment, every hold. */
  async atTheEnd(): Promise<void> {
    const { history, provider, taken, told, heals, mark, scheduler } = this.#options;
    this.knowWallets(await this.#rows<{ sid: string; id: bigint }>('select sid, id from wallet'));
    await this.#checkStore();
    this.#checkHolds();
    await this.#checkHoldRows();
    const [owners, declined, audited] = await this.#readFacts();
    const model = this.#model;
    const breaks = this.#breaks;
    new AnswerJudge({ model, history: history(), owners, declined, audited, breaks, mark }).judge();
    this.#options.identities.judge(breaks);
    this.#renting?.atTheEnd();
    const rows = <R>(text: string): Promise<R[]> => this.#rows<R>(text);
    const ratedUntilMs = scheduler.nowMs - (scheduler.nowMs % 86_400_000);
    await new UsageJudge({ model, history: history(), rows, told, ratedUntilMs, breaks, mark }).judge();
    await new LeaseJudge({ model, history: history(), rows, nowMs: scheduler.nowMs, breaks, mark }).judge();
    await new PaymentJudge({ model, provider, taken, heals, nowMs: scheduler.nowMs, rows, breaks, mark }).judge();
  }

  async #readFacts(): Promise<[Map<string, string>, Set<string>, Map<string, number>]> {
    const wallets = await this.#rows<{ sid: string; user_sid: string }>('select sid, user_sid from wallet');
    const owners = new Map(wallets.flatMap(({ sid, user_sid: user }) => [[sid, user] as const, [user, user] as const]));
    const declined = await this.#rows<{ text: string }>(
      `select about::json ->> 'description' as text from declined_posting where about is not null`,
    );
    const audited = await this.#rows<{ text: string; count: bigint }>(
      `select reason as text, count(*) as count from audit where action = 'billing.adjust' group by reason`,
    );
    return [
      owners,
      new Set(declined.map(({ text }) => text)),
      new Map(audited.map(({ text, count }) => [text, Number(count)])),
    ];
  }

  #checkBatches(fresh: readonly { readonly batch: bigint; readonly amount: bigint; readonly legs: bigint }[]): void {
    const sums = new Map<bigint, bigint>();
    for (const { batch, amount, legs } of fresh) sums.set(batch, (sums.get(batch) ?? legs) + amount);
    if (fresh.length > 3) this.#options.mark('several records share a commit');
    for (const [batch, sum] of sums) {
      if (sum !== 0n) this.#breaks('I01 each batch sums to zero', `batch ${batch}`);
    }
  }

  /** A credit, its movement and the payment's state are one commit. */
  async #checkCredits(fresh: readonly Entry[]): Promise<void> {
    if (fresh.length === 0) return;
    const { rows } = await this.#sql(
      `select e.about::json ->> 'external_ref' as ref from entry e
       left join payment p on p.sid = e.about::json ->> 'payment_sid' and p.state = 'credited'
       left join payment_event m on m.payment_sid = p.sid and m.amount = e.amount
       where e.kind = ${KIND.topUp} and e.idem = any($1::uuid[]) and m.sid is null`,
      [fresh.map(({ idem }) => idem)],
    );
    for (const { ref } of rows as unknown as { ref: string }[])
      this.#breaks('I13 a credit is whole at its commit', `payment ${ref}`);
  }

  async #checkStore(): Promise<void> {
    const rows = await this.#rows<{ account: bigint }>(
      `select a.id as account, a.balance, a.seq, coalesce(sum(e.amount), 0)::int8 as sum, count(e.*) as count
       from account a left join entry e on e.account = a.id group by a.id
       having a.balance <> coalesce(sum(e.amount), 0) or a.seq <> count(e.*)`,
    );
    for (const row of rows) this.#breaks('I03 balance = sum of entries', `account ${row.account}`);
    const [total] = await this.#rows<{ total: bigint }>(
      'select ((select coalesce(sum(balance), 0) from account) + (select coalesce(sum(amount), 0) from batch_leg))::int8 as total',
    );
    if (total?.total !== 0n) this.#breaks('I02 all balances sum to zero', String(total?.total));
    const both = await this.#rows('select d.idem from declined_posting d join entry e on e.idem = d.idem');
    if (both.length > 0) this.#breaks('I21 declined stays declined', `${both.length} keys are posted and declined`);
    const stored = await this.#rows<EntryRow>(
      'select account, seq, amount, balance_after, batch, idem, kind, about, recorded_at from entry',
    );
    if (stored.length !== this.#model.count)
      this.#breaks('I05 no entry vanishes', `${stored.length} rows, ${this.#model.count} were seen`);
    for (const row of stored) {
      const seen = this.#model.entries.get(row.account)?.[Number(row.seq) - 1];
      const isSame = seen?.amount === row.amount && seen.idem === row.idem && seen.about === row.about;
      if (!isSame) this.#breaks('I05 no entry is changed', `account ${row.account} seq ${row.seq}`);
    }
  }

  /** Each hold is closed at most once, by one of capture, release and expiry; but a capture may come late, after the expiry. */
  #checkHolds(): void {
    const { mark } = this.#options;
    const reserved = new Map<string, bigint>();
    const closings = new Map<string, Entry[]>();
    const all = [...this.#model.walletSids].flatMap((sid) => [
      ...this.#model.entriesOf(sid, 0n),
      ...this.#model.entriesOf(sid, 1n),
    ]);
    // A lease gives back and takes again, and is judged by itself.
    const leases = new Set(all.flatMap(({ facts }) => (facts['node'] === undefined ? [] : String(facts['hold_sid']))));
    for (const entry of all) {
      const hold = String(entry.facts['hold_sid']);
      if (leases.has(hold)) continue;
      if (entry.kind === KIND.reserve && entry.amount < 0n) reserved.set(hold, -entry.amount);
      if (entry.kind >= KIND.capture && entry.kind <= KIND.expire && entry.idem.at(-1) === '0')
        closings.set(hold, [...(closings.get(hold) ?? []), entry]);
    }
    for (const [hold, entries] of closings) {
      const kinds = entries.map(({ kind }) => kind);
      const isLate = kinds.length === 2 && kinds.includes(KIND.expire) && kinds.includes(KIND.capture);
      if (isLate) mark('a hold is captured after its expiry');
      if (kinds.length > 1 && !isLate) this.#breaks('I20 a hold is closed once', `hold ${hold}: ${kinds.join(', ')}`);
      if (kinds.includes(KIND.expire)) mark('a hold expires');
      if (kinds.includes(KIND.release)) mark('a hold is released');
      if (kinds.includes(KIND.capture)) mark('a hold is captured');
      const amount = reserved.get(hold) ?? 0n;
      for (const entry of entries) {
        const isReserved = entry.account % 16n === 1n;
        if (isReserved ? entry.amount !== -amount : -entry.amount > amount)
          this.#breaks('I20 a hold gives what it holds', `hold ${hold}: ${entry.amount} of ${amount}`);
      }
    }
  }

  /** What the holds say, added up on their own, is what the accounts say. */
  async #checkHoldRows(): Promise<void> {
    const rows = await this.#rows<{ id: bigint }>(
      `select a.id from account a
       left join (select wallet, sum(amount - drawn) filter (where state = 'open') as sum from hold group by wallet) h on h.wallet * 16 + 1 = a.id
       where a.id % 16 = 1 and a.balance <> coalesce(h.sum, 0)`,
    );
    for (const { id } of rows) this.#breaks('I20 open holds are what is reserved', `account ${id}`);
    const over = await this.#rows<{ sid: string }>('select sid from hold where captured > amount');
    for (const { sid } of over) this.#breaks('I20 captured is at most the hold', `hold ${sid}`);
    const wallets = await this.#rows<{ id: bigint }>(
      `select w.id from wallet w
       join (select account / 16 as wallet, sum(amount) as sum,
                    coalesce(sum(amount) filter (where kind in (${OTHER_KINDS.join(', ')})), 0) as other
             from entry where account % 16 in (0, 1) group by 1) e on e.wallet = w.id
       where e.sum <> e.other
         + coalesce((select sum(amount) from payment_event p where p.wallet = w.id), 0)
         - coalesce((select sum(captured) from hold h where h.wallet = w.id), 0)`,
    );
    for (const { id } of wallets) this.#breaks('I16 a balance is what came less what went', `wallet ${id}`);
  }

  async #rows<R>(text: string): Promise<R[]> {
    return (await this.#sql(text, [])).rows as R[];
  }

  #sql(text: string, values: readonly unknown[]) {
    return this.#options.scheduler.io(() =>
      this.#options.shared.run({ name: `oracle.${hashText(text)}`, text, values }),
    );
  }
}

import type { StripeState } from '../../sandbox/stripe/state.ts';
import type { SharedConnection } from '../../src/store/postgres.ts';
import { isFinalAnswer, type History, type Intent, type Violation } from './history.ts';
import { hashText } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** The oracle's own words for the ledger's numbers; it shares no code with the product. */
const KIND = { topUp: 1, adjustment: 2, debit: 3, reserve: 4, capture: 5, release: 6, expire: 7 } as const;
const MICROS_PER_CENT = 10_000n;

interface EntryRow {
  readonly account: bigint;
  readonly seq: bigint;
  readonly amount: bigint;
  readonly balance_after: bigint;
  readonly batch: bigint;
  readonly idem: string;
  readonly kind: number;
  readonly about: string | null;
}

interface Entry extends EntryRow {
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Moment {
  readonly step: number;
  readonly balance: bigint;
}

export interface OracleOptions {
  readonly shared: Pick<SharedConnection, 'run'>;
  readonly scheduler: Scheduler;
  readonly history: () => History;
  readonly provider: StripeState;
  /** The provider's events that the house has taken with 200. */
  readonly taken: ReadonlySet<string>;
  readonly heals: boolean;
  readonly mark: (name: string) => void;
}

/** A plain model of what must be, from the provider's truth, the answers callers saw, and the ledger's own rows. */
export class Oracle {
  readonly violations: Violation[] = [];
  readonly #options: OracleOptions;
  readonly #entries = new Map<bigint, Entry[]>();
  readonly #moments = new Map<bigint, Moment[]>();
  readonly #idems = new Set<string>();
  readonly #wallets = new Map<string, bigint>();

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  /** After each commit that wrote to the ledger: reads what is new, and holds it against what was. */
  async afterPosting(): Promise<void> {
    const known = [...this.#entries].map(([account, entries]) => [account, entries.at(-1)?.seq ?? 0n] as const);
    const { rows } = await this.#sql(
      `select e.account, e.seq, e.amount, e.balance_after, e.batch, e.idem, e.kind, e.about, a.balance, a.seq as account_seq
       from account a
       left join unnest($1::int8[], $2::int8[]) as known (account, seq) on known.account = a.id
       join entry e on e.account = a.id and e.seq > coalesce(known.seq, 0)
       where a.seq > coalesce(known.seq, 0) order by e.account, e.seq`,
      [known.map(([account]) => account), known.map(([, seq]) => seq)],
    );
    const fresh = rows as unknown as (EntryRow & { balance: bigint; account_seq: bigint })[];
    if (fresh.length === 0) return;
    for (const row of fresh) this.#take(row);
    for (const row of fresh) {
      const last = this.#entries.get(row.account)?.at(-1);
      if (last && (last.balance_after !== row.balance || last.seq !== row.account_seq)) {
        this.#break('I03 balance = last entry', `account ${row.account}: ${row.balance} and ${last.balance_after}`);
      }
    }
    await this.#checkBatches(fresh);
  }

  /** When everything is quiet: every answer, every payment, every hold. */
  async atTheEnd(): Promise<void> {
    await this.#checkStore();
    const history = this.#options.history();
    for (const intent of history.intents) this.#checkIntent(intent);
    this.#checkHolds();
    await this.#checkPayments();
  }

  /** The wallets of the world, by sid: told once, after they were opened. */
  knowWallets(wallets: readonly { readonly sid: string; readonly id: bigint }[]): void {
    for (const { sid, id } of wallets) this.#wallets.set(sid, id);
  }

  #take(row: EntryRow): void {
    const { scheduler } = this.#options;
    const entries = this.#entries.get(row.account) ?? [];
    this.#entries.set(row.account, entries);
    const before = entries.at(-1);
    const facts = (row.about === null ? {} : JSON.parse(row.about)) as Record<string, unknown>;
    const where = `account ${row.account} seq ${row.seq}`;
    if (row.seq !== (before?.seq ?? 0n) + 1n) this.#break('I04 no gap in seq', where);
    if (row.balance_after !== (before?.balance_after ?? 0n) + row.amount) this.#break('I04 balance_after chain', where);
    if (row.amount === 0n) this.#break('I09 no zero amount', where);
    if (this.#idems.has(row.idem)) this.#break('I11 one posting per key', `${where} idem ${row.idem}`);
    this.#idems.add(row.idem);
    const mayGoBelow = row.kind === KIND.adjustment || (row.kind === KIND.capture && facts['is_late'] === true);
    if (row.balance_after < 0n && row.amount < 0n && !mayGoBelow) this.#break('I18 never below zero', where);
    if (row.account % 16n === 1n && row.balance_after < 0n) this.#break('I20 reserved is not negative', where);
    if (row.balance_after < 0n) this.#options.mark('a balance is below zero');
    entries.push({ ...row, facts });
    const moments = this.#moments.get(row.account) ?? [];
    moments.push({ step: scheduler.steps, balance: row.balance_after });
    this.#moments.set(row.account, moments);
  }

  async #checkBatches(fresh: readonly EntryRow[]): Promise<void> {
    const sums = new Map<bigint, bigint>();
    for (const { batch, amount } of fresh) sums.set(batch, (sums.get(batch) ?? 0n) + amount);
    if (fresh.length > 2) this.#options.mark('several records share a commit');
    const { rows } = await this.#sql(
      'select batch, sum(amount)::int8 as sum from batch_leg where batch = any($1::int8[]) group by batch',
      [[...sums.keys()]],
    );
    const legs = new Map((rows as unknown as { batch: bigint; sum: bigint }[]).map((row) => [row.batch, row.sum]));
    for (const [batch, sum] of sums) {
      if (sum + (legs.get(batch) ?? 0n) !== 0n) this.#break('I01 each batch sums to zero', `batch ${batch}`);
    }
  }

  async #checkStore(): Promise<void> {
    const rows = await this.#rows<{ account: bigint; seq: bigint; sum: bigint; count: bigint }>(
      `select a.id as account, a.balance, a.seq, coalesce(sum(e.amount), 0)::int8 as sum, count(e.*) as count
       from account a left join entry e on e.account = a.id group by a.id
       having a.balance <> coalesce(sum(e.amount), 0) or a.seq <> count(e.*)`,
    );
    for (const row of rows) this.#break('I03 balance = sum of entries', `account ${row.account}`);
    const [total] = await this.#rows<{ total: bigint }>(
      'select ((select coalesce(sum(balance), 0) from account) + (select coalesce(sum(amount), 0) from batch_leg))::int8 as total',
    );
    if (total?.total !== 0n) this.#break('I02 all balances sum to zero', String(total?.total));
    const both = await this.#rows('select d.idem from declined_posting d join entry e on e.idem = d.idem');
    if (both.length > 0) this.#break('I21 declined stays declined', `${both.length} keys are posted and declined`);
    const seen = [...this.#entries.values()].reduce((sum, entries) => sum + entries.length, 0);
    const [count] = await this.#rows<{ count: bigint }>('select count(*) as count from entry');
    if (count?.count !== BigInt(seen)) this.#break('I05 no entry vanishes', `${count?.count} rows, ${seen} were seen`);
  }

  #checkIntent(intent: Intent): void {
    const finals = intent.attempts.filter(isFinalAnswer);
    for (const { status, body } of intent.attempts) {
      if (status === 500)
        this.#break('I40 no undeclared failure', `intent ${intent.number} ${intent.operation}: ${body}`);
    }
    const [first] = finals;
    if (intent.key !== null && finals.some(({ body, status }) => body !== first?.body || status !== first?.status)) {
      this.#break('I29 the same key has the same answer', describe(intent));
    }
    if (finals.length > 1 && finals.some(({ isReplay }) => isReplay))
      this.#options.mark('a repetition gets the first answer');
    if (first?.status === 402) this.#options.mark('a debit is refused');
    switch (intent.operation) {
      case 'billing.debit':
        return this.#checkMove(intent, KIND.debit, -1n);
      case 'hold.reserve':
        return this.#checkMove(intent, KIND.reserve, -1n);
      case 'billing.adjust':
      case 'billing.set-credit-balance':
        return this.#checkAdjust(intent);
      case 'billing.get':
        return this.#checkRead(intent);
      case 'billing.statement':
        return this.#checkStatement(intent);
      default:
        return undefined;
    }
  }

  /** A call that takes an amount out of the wallet: applied once, or not at all, as it was told. */
  #checkMove(intent: Intent, kind: number, sign: bigint): void {
    const made = this.#madeBy(intent, kind);
    const final = intent.attempts.find(isFinalAnswer);
    if (made.length > 1) return this.#break('I11 an intent moves money once', describe(intent));
    const [entry] = made;
    if (entry && entry.amount !== sign * micros(String(intent.input['amount']))) {
      this.#break('I12 the amount that was asked', describe(intent));
    }
    if (!final) {
      if (entry) this.#options.mark('an unanswered call had happened');
      else this.#options.mark('an unanswered call had not happened');
      return;
    }
    const isDone = final.status === 200 || final.status === 201;
    if (isDone && !entry) this.#break('I22 an acknowledged call is in the ledger', describe(intent));
    if (!isDone && entry) this.#break('I21 a refused call is not in the ledger', describe(intent));
    if (final.status === 402) this.#checkRefusal(intent);
  }

  /** "Not enough" must have been true at some moment while the call was under way. */
  #checkRefusal(intent: Intent): void {
    const amount = micros(String(intent.input['amount']));
    const from = intent.attempts[0]?.startStep ?? 0;
    const until = intent.attempts.find(isFinalAnswer)?.endStep ?? Number.MAX_SAFE_INTEGER;
    if (!this.#balancesWithin(intent.walletSid, from, until).some((balance) => balance < amount)) {
      this.#break('I18 refused only for want of money', describe(intent));
    }
  }

  #checkAdjust(intent: Intent): void {
    const made = this.#madeBy(intent, KIND.adjustment);
    const target = BigInt(Number(intent.input['balance_cents'])) * MICROS_PER_CENT;
    if (made.length > 1) return this.#break('I11 an intent moves money once', describe(intent));
    const [entry] = made;
    if (entry && entry.balance_after !== target) this.#break('an adjustment ends at its balance', describe(intent));
    const final = intent.attempts.find(isFinalAnswer);
    if (final && final.status !== 200 && entry)
      this.#break('I21 a refused call is not in the ledger', describe(intent));
    if (final?.status !== 200 || final.body === null) return;
    const answer = JSON.parse(final.body) as { prev_balance?: number; new_balance?: number };
    if (answer.prev_balance === undefined) return;
    const before = entry ? entry.balance_after - entry.amount : target;
    if (BigInt(answer.prev_balance) !== floorCents(before))
      this.#break('prev_balance is what was there', describe(intent));
    if (!entry && answer.prev_balance !== answer.new_balance)
      this.#break('I22 an acknowledged call is in the ledger', describe(intent));
  }

  #checkRead(intent: Intent): void {
    for (const { status, body, startStep, endStep } of intent.attempts) {
      if (status !== 200 || body === null) continue;
      const { credit_balance: shown } = JSON.parse(body) as { credit_balance: string };
      const possible = this.#balancesWithin(intent.walletSid, startStep, endStep ?? startStep);
      if (!possible.includes(signedMicros(shown))) this.#break('a read shows a balance that was', describe(intent));
    }
  }

  #checkStatement(intent: Intent): void {
    const entries = this.#entriesOf(intent.walletSid, 0n);
    for (const { status, body } of intent.attempts) {
      if (status !== 200 || body === null) continue;
      const { items } = JSON.parse(body) as { items: { seq: number; amount: string; balance_after: string }[] };
      for (const [index, line] of items.entries()) {
        const entry = entries[line.seq - 1];
        const isSame =
          entry?.amount === signedMicros(line.amount) && entry.balance_after === signedMicros(line.balance_after);
        const next = items[index + 1];
        if (!isSame || (next && next.seq !== line.seq - 1))
          this.#break('a statement shows the entries', describe(intent));
      }
    }
  }

  /** Each hold is closed at most once, by one of capture, release and expiry; but a capture may come late, after the expiry. */
  #checkHolds(): void {
    const closings = new Map<string, number[]>();
    for (const sid of this.#wallets.keys()) {
      for (const entry of [...this.#entriesOf(sid, 0n), ...this.#entriesOf(sid, 1n)]) {
        if (entry.kind < KIND.capture || entry.idem.at(-1) !== '0') continue;
        const hold = String(entry.facts['hold_sid']);
        closings.set(hold, [...(closings.get(hold) ?? []), entry.kind]);
      }
    }
    for (const [hold, kinds] of closings) {
      const isLate = kinds.length === 2 && kinds.includes(KIND.expire) && kinds.includes(KIND.capture);
      if (isLate) this.#options.mark('a hold is captured after its expiry');
      if (kinds.length > 1 && !isLate) this.#break('I20 a hold is closed once', `hold ${hold}: ${kinds.join(', ')}`);
      if (kinds.includes(KIND.expire)) this.#options.mark('a hold expires');
    }
  }

  /** The provider's truth against ours: credited is exactly what was received, for each payment once. */
  async #checkPayments(): Promise<void> {
    const { provider, heals, taken, mark } = this.#options;
    const rows = await this.#rows<{ sid: string; state: string; wallet: bigint; credited: bigint | null }>(
      'select sid, state, wallet, credited from payment',
    );
    const payments = new Map(rows.map((row) => [row.sid, row]));
    const credits = new Map<string, Entry[]>();
    for (const sid of this.#wallets.keys()) {
      for (const entry of this.#entriesOf(sid, 0n)) {
        if (entry.kind !== KIND.topUp) continue;
        const ref = String(entry.facts['external_ref']);
        credits.set(ref, [...(credits.get(ref) ?? []), entry]);
      }
    }
    for (const [ref, entries] of credits) {
      const intent = provider.intents.get(ref);
      const expected = BigInt(intent?.amountReceived ?? 0) * MICROS_PER_CENT;
      const isReal = intent?.status === 'succeeded' && intent.currency === 'usd' && !intent.livemode;
      if (!isReal) this.#break('I12 no credit without money', `payment ${ref}`);
      if (entries.length > 1) this.#break('I11 each payment is credited once', `payment ${ref}`);
      if (entries.some(({ amount }) => amount !== expected))
        this.#break('I12 credited what was received', `payment ${ref}`);
    }
    const sessionsOf = new Map<string, number>();
    for (const session of provider.sessions.values()) {
      const sid = session.clientReferenceId ?? '';
      sessionsOf.set(sid, (sessionsOf.get(sid) ?? 0) + 1);
      const payment = payments.get(sid);
      const intent = session.intentId === null ? undefined : provider.intents.get(session.intentId);
      const isPaid = intent?.status === 'succeeded' && session.paymentStatus === 'paid';
      if (!payment || !intent || !isPaid) continue;
      if (session.currency !== 'usd' || intent.currency !== 'usd') {
        mark('money in another currency is set aside');
        continue;
      }
      if (intent.amountReceived === 0) continue;
      const isKnown = this.#wasTold(taken, session.id, intent.id);
      if ((heals || isKnown) && !credits.has(intent.id)) {
        this.#break(
          'I13 money that came is credited',
          `payment ${sid} is ${payment.state}, healing ${heals ? 'on' : 'off'}`,
        );
      }
      if (!heals && !credits.has(intent.id)) mark('a lost webhook stays lost without healing');
      if (heals && !isKnown && credits.has(intent.id)) mark('healing credits what no webhook told');
    }
    for (const [sid, count] of sessionsOf) if (count > 1) this.#break('I25 one order per payment', `payment ${sid}`);
    for (const row of rows) {
      const ours = [...credits.values()].flat().filter((entry) => entry.facts['payment_sid'] === row.sid);
      const sum = ours.reduce((total, entry) => total + entry.amount, 0n);
      if ((row.state === 'credited') !== ours.length > 0 || (row.credited ?? 0n) !== sum) {
        this.#break('I13 credited means a posting', `payment ${row.sid} is ${row.state}`);
      }
      mark(`a payment ends ${row.state}`);
    }
  }

  /** Whether a delivery that says "paid" was taken with 200. */
  #wasTold(taken: ReadonlySet<string>, sessionId: string, intentId: string): boolean {
    for (const event of this.#options.provider.events.values()) {
      const isPaidNews =
        /^(checkout\.session\.(completed|async_payment_succeeded)|payment_intent\.succeeded|charge\.succeeded)$/;
      if (!taken.has(event.id) || !isPaidNews.test(event.type)) continue;
      const told = JSON.parse(event.payload) as { account?: string; livemode: boolean; data: { object: Told } };
      if (told.account !== undefined || told.livemode) continue;
      const { object } = told.data;
      const isAbout = object.id === sessionId || object.id === intentId || object.payment_intent === intentId;
      const isPaid = object.payment_status === undefined || object.payment_status === 'paid';
      if (isAbout && isPaid) return true;
    }
    return false;
  }

  #madeBy(intent: Intent, kind: number): Entry[] {
    const description = `intent ${intent.number}`;
    return this.#entriesOf(intent.walletSid, 0n).filter(
      (entry) => entry.kind === kind && entry.facts['description'] === description,
    );
  }

  #entriesOf(walletSid: string | null, role: bigint): readonly Entry[] {
    const wallet = walletSid === null ? undefined : this.#wallets.get(walletSid);
    return wallet === undefined ? [] : (this.#entries.get(wallet * 16n + role) ?? []);
  }

  /** Every balance that the wallet had between two steps, both included. */
  #balancesWithin(walletSid: string | null, from: number, until: number): bigint[] {
    const wallet = walletSid === null ? undefined : this.#wallets.get(walletSid);
    const moments = wallet === undefined ? [] : (this.#moments.get(wallet * 16n) ?? []);
    let at = 0n;
    const within: bigint[] = [];
    for (const { step, balance } of moments) {
      if (step > until) break;
      if (step < from) at = balance;
      else within.push(balance);
    }
    return [at, ...within];
  }

  #break(rule: string, detail: string): void {
    if (this.violations.length < 50) this.violations.push({ rule, detail });
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

interface Told {
  readonly id: string;
  readonly payment_intent?: string;
  readonly payment_status?: string;
}

function describe(intent: Intent): string {
  const answers = intent.attempts.map(
    ({ startStep, endStep, status }) => `${startStep}–${endStep ?? '?'}: ${status ?? 'none'}`,
  );
  return `intent ${intent.number} ${intent.operation} ${JSON.stringify(intent.input)} answered [${answers.join('; ')}]`;
}

/** Dollars as text to micro-dollars, in the oracle's own way. */
function micros(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(6, '0'));
}

const signedMicros = (text: string): bigint => (text.startsWith('-') ? -micros(text.slice(1)) : micros(text));

function floorCents(amount: bigint): bigint {
  const cents = amount / MICROS_PER_CENT;
  return amount < 0n && amount % MICROS_PER_CENT !== 0n ? cents - 1n : cents;
}

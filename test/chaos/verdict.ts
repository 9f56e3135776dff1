import { assertNever } from '../../src/domain/assert.ts';
import type { Answer, Intent, Journal } from './journal.ts';
import type { PaidSession } from './stripe.ts';

/** Rows as PostgreSQL answers them: int8 as text. */
type Rows = Record<string, unknown>[];
export type Ask = (text: string) => Promise<Rows>;

const FOUND_MAX = 20;

/** What the ledger shows of each key, read by SQL that shares nothing with the product. */
const MOVED = `
  select e.account, e.kind, e.about::json ->> 'description' as key, e.about::json ->> 'hold_sid' as hold
    from entry e where e.kind <> 1`;
const ADJUSTED = `select reason as key, (after ->> 'balance') as after from audit where action = 'billing.adjust'`;
const HOLDS = `
  select sid, state, captured::text as captured from hold`;
const CREDITED = `
  select p.sid, p.state, p.provider_order_ref as session, pe.external_ref as intent, pe.amount::text as amount,
         coalesce(e.count, 0)::text as entries
    from payment p
    left join payment_event pe on pe.payment_sid = p.sid
    left join (select about::json ->> 'payment_sid' as sid, account, sum(amount) as sum, count(*) as count from entry where kind = 1 group by 1, 2) e
           on e.sid = p.sid and e.account = p.wallet * 16 and e.sum = pe.amount`;
/** Charged records whose number is among those that came. */
const NUMBERED = `
  select e.about::json ->> 'description' as key from entry e
    join node n on n.sid = e.about::json ->> 'node'
    join usage_sequence s on s.node = n.id and s.category = e.about::json ->> 'category'
   where e.kind = 8 and (e.about::json ->> 'seq')::int8 <@ s.seen`;
const WALLETS = `select w.sid, a.balance::text as balance from wallet w join account a on a.id = w.id * 16`;

/** Sums that must hold whatever happened; each answers the rows that break it. */
const SUMS = {
  'a balance is not the sum of its entries': `
    select a.id, a.balance, sum(e.amount) from account a left join entry e on e.account = a.id
     group by a.id having a.balance <> coalesce(sum(e.amount), 0) or a.seq <> count(e.seq)`,
  'money came from nowhere': `
    select total from (select (select coalesce(sum(amount), 0) from entry) + (select coalesce(sum(amount), 0) from batch_leg) as total) t
     where total <> 0`,
  'a key moved money twice': `
    select about::json ->> 'description' as key, kind, count(*) from entry where kind in (3, 4, 8) and account % 16 = 0
     group by 1, 2 having count(*) > 1`,
  'a wallet is below zero that nobody adjusted': `
    select a.id, a.balance from account a where a.balance < 0
       and not exists (select 1 from entry e where e.account = a.id and e.kind = 2)`,
  'a movement at the provider was taken twice': `
    select external_ref, count(*) from payment_event group by 1 having count(*) > 1`,
  'a number came without a record': `
    select n.sid, s.category, number from usage_sequence s join node n on n.id = s.node
      cross join lateral unnest(s.seen) as range cross join lateral generate_series(lower(range), upper(range) - 1) as number
    except
    select about ->> 'node', about ->> 'category', (about ->> 'seq')::int8
      from (select about::json as about from entry where kind = 8 union all select about::json from declined_posting where kind = 8) as kept`,
} as const;

export interface Verdict {
  /** In sentences; none when every promise was kept. */
  readonly violations: readonly string[];
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  /** Of the unknown ones, how many turned out to have happened. */
  readonly unknownDone: number;
  readonly credits: number;
}

/** Compares what clients meant and were told, and what the provider took, with what the database holds. */
export async function judge(
  journal: Journal,
  {
    ask,
    paid,
    funded,
  }: { readonly ask: Ask; readonly paid: readonly PaidSession[]; readonly funded: ReadonlyMap<string, bigint> },
): Promise<Verdict> {
  const { intents, answers } = journal.read();
  const facts = await readFacts(ask);
  const violations: string[] = [];
  const count = { acknowledged: 0, refused: 0, unknown: 0, unknownDone: 0 };
  const expected = new Map(funded);
  const adjusted = new Set<string>();
  const reserved = new Map(
    intents
      .filter(({ noun }) => noun === 'reserve')
      .map(({ key, micros }) => [answers.get(key)?.sid ?? '', BigInt(micros)]),
  );
  for (const intent of intents) {
    const answer = answers.get(intent.key);
    const outcome = answer?.outcome ?? 'unknown';
    count[outcome] += 1;
    const times = timesDone(facts, intent, answer);
    if (outcome === 'unknown' && times === 1) count.unknownDone += 1;
    if (!isAllowed(outcome, times)) {
      violations.push(
        `${intent.noun} ${intent.key} (${outcome}, ${answer?.status ?? 'no answer'}) is there ${times} times`,
      );
    }
    // A record that was told of came with its number; one that was not may have lost it with its server, until it is sent again.
    if (intent.noun === 'usage' && outcome === 'acknowledged' && !facts.numbered.has(intent.key))
      violations.push(`usage ${intent.key} was acknowledged and its number has not come`);
    if (intent.noun === 'adjust') adjusted.add(intent.wallet);
    else if (times === 1) add(expected, intent.wallet, effect(intent, reserved));
  }
  for (const { key, amount } of facts.credits) add(expected, key, amount);
  violations.push(
    ...wrongBalances(facts, expected, adjusted),
    ...wrongCredits(facts, paid),
    ...lateCredits(facts, intents, answers),
  );
  for (const [sentence, text] of Object.entries(SUMS)) {
    for (const row of await ask(text)) violations.push(`${sentence}: ${JSON.stringify(row)}`);
  }
  return { violations: violations.slice(0, FOUND_MAX), ...count, credits: facts.credits.length };
}

const isAllowed = (outcome: Answer['outcome'], times: number): boolean =>
  outcome === 'acknowledged' ? times === 1 : outcome === 'refused' ? times === 0 : times <= 1;

interface Payment {
  readonly sid: string;
  readonly state: string;
  readonly session: string | null;
  readonly intent: string | null;
  readonly amount: string | null;
  readonly entries: number;
}

interface Facts {
  /** By noun and key, or noun and hold: how often. */
  readonly done: ReadonlyMap<string, number>;
  /** Keys of usage whose number came. */
  readonly numbered: ReadonlySet<string>;
  readonly holds: ReadonlyMap<string, { readonly state: string; readonly captured: bigint }>;
  readonly payments: ReadonlyMap<string, Payment>;
  readonly balances: ReadonlyMap<string, bigint>;
  /** By the wallet's sid. */
  readonly credits: readonly { readonly key: string; readonly amount: bigint }[];
}

const DEBIT = 3;
const RESERVE = 4;
const CAPTURE = 5;
const RELEASE = 6;
const USAGE = 8;
const NOUN_OF_KIND = new Map([
  [DEBIT, 'debit'],
  [RESERVE, 'reserve'],
  [CAPTURE, 'capture'],
  [RELEASE, 'release'],
  [USAGE, 'usage'],
]);
const RESERVED_ROLE = 1n;

async function readFacts(ask: Ask): Promise<Facts> {
  const done = new Map<string, number>();
  for (const { account, kind, key, hold } of await ask(MOVED)) {
    const noun = NOUN_OF_KIND.get(Number(kind));
    if (noun === undefined) continue;
    const isReserved = BigInt(String(account)) % 16n === RESERVED_ROLE;
    const name = noun === 'capture' || noun === 'release' ? `${noun} ${String(hold)}` : `${noun} ${String(key)}`;
    // Each of them has exactly one entry on one side: a debit, a usage record and a reserve on the wallet, an end of a hold on the reserved account.
    if (isReserved === (noun === 'capture' || noun === 'release')) done.set(name, (done.get(name) ?? 0) + 1);
  }
  for (const { key } of await ask(ADJUSTED))
    done.set(`adjust ${String(key)}`, (done.get(`adjust ${String(key)}`) ?? 0) + 1);
  const holds = new Map(
    (await ask(HOLDS)).map((row) => [
      String(row['sid']),
      { state: String(row['state']), captured: BigInt(String(row['captured'])) },
    ]),
  );
  const payments = new Map((await ask(CREDITED)).map((row) => [String(row['sid']), toPayment(row)]));
  const balances = new Map((await ask(WALLETS)).map((row) => [String(row['sid']), BigInt(String(row['balance']))]));
  const credits = (
    await ask(`select w.sid, pe.amount::text as amount from payment_event pe join wallet w on w.id = pe.wallet`)
  ).map((row) => ({ key: String(row['sid']), amount: BigInt(String(row['amount'])) }));
  const numbered = new Set((await ask(NUMBERED)).map(({ key }) => String(key)));
  return { done, numbered, holds, payments, balances, credits };
}

const toPayment = (row: Record<string, unknown>): Payment => ({
  sid: String(row['sid']),
  state: String(row['state']),
  session: textOrNull(row['session']),
  intent: textOrNull(row['intent']),
  amount: textOrNull(row['amount']),
  entries: Number(row['entries']),
});
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function nameOf({ noun, key, about }: Intent): string {
  return noun === 'capture' || noun === 'release' ? `${noun} ${about}` : `${noun} ${key}`;
}

function timesDone(facts: Facts, intent: Intent, answer: Answer | undefined): number {
  const sid = answer?.sid ?? intent.about;
  if (intent.noun === 'top_up') return sid !== null && facts.payments.has(sid) ? 1 : 0;
  if (intent.noun === 'credit') return facts.payments.get(sid ?? '')?.entries ?? 0;
  const times = facts.done.get(nameOf(intent)) ?? 0;
  if (times !== 1 || intent.about === null) return times;
  const hold = facts.holds.get(intent.about);
  const isAsAsked =
    intent.noun === 'capture'
      ? hold?.state === 'captured' && hold.captured === BigInt(intent.micros)
      : hold?.state === 'released';
  // As something else than what was asked is never right.
  return isAsAsked ? 1 : Infinity;
}

/** What it did to the balance of its wallet, by the client's own words; credits are counted apart. */
function effect(intent: Intent, reserved: ReadonlyMap<string, bigint>): bigint {
  const micros = BigInt(intent.micros);
  switch (intent.noun) {
    case 'debit':
    case 'reserve':
    case 'usage':
      return -micros;
    case 'capture':
    case 'release':
      return (reserved.get(intent.about ?? '') ?? 0n) - micros;
    // A wallet that is adjusted is judged by its own chain, and a top-up by what the provider took.
    case 'adjust':
    case 'top_up':
    case 'credit':
      return 0n;
    default:
      return assertNever(intent.noun);
  }
}

const add = (to: Map<string, bigint>, wallet: string, micros: bigint): void =>
  void to.set(wallet, (to.get(wallet) ?? 0n) + micros);

function wrongBalances(facts: Facts, expected: ReadonlyMap<string, bigint>, adjusted: ReadonlySet<string>): string[] {
  return [...expected]
    .filter(([wallet, micros]) => !adjusted.has(wallet) && facts.balances.get(wallet) !== micros)
    .map(([wallet, micros]) => `wallet ${wallet} holds ${facts.balances.get(wallet)} and should hold ${micros}`);
}

/** Every session that was paid is credited once, with what was paid; nothing is credited that was not. */
function wrongCredits(facts: Facts, paid: readonly PaidSession[]): string[] {
  const bySession = new Map([...facts.payments.values()].map((payment) => [payment.session, payment]));
  const missing = paid.flatMap(({ session, paymentIntent, cents }) => {
    const payment = bySession.get(session);
    const isRight =
      payment?.state === 'credited' &&
      payment.intent === paymentIntent &&
      payment.amount === String(cents * 10_000) &&
      payment.entries === 1;
    return isRight ? [] : [`session ${session} was paid ${cents} cents; we have ${JSON.stringify(payment ?? null)}`];
  });
  const sessions = new Set(paid.map(({ session }) => session));
  const invented = [...facts.payments.values()]
    .filter(({ intent, session }) => intent !== null && !sessions.has(session ?? ''))
    .map((payment) => `credited without a payment: ${JSON.stringify(payment)}`);
  return [...missing, ...invented];
}

/** A payment that a client saw credited is credited. */
function lateCredits(facts: Facts, intents: readonly Intent[], answers: ReadonlyMap<string, Answer>): string[] {
  return intents
    .filter(({ noun, key }) => noun === 'credit' && answers.get(key)?.outcome === 'acknowledged')
    .filter(({ about }) => facts.payments.get(about ?? '')?.state !== 'credited')
    .map(({ key, about }) => `${key}: payment ${about} was acknowledged as credited and is not`);
}

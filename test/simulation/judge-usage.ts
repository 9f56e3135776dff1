import { describe, type History, type Intent } from './history.ts';
import { KIND, micros, type Break, type Entry, type LedgerModel } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import type { SentRecord } from './reporters.ts';

export interface UsageJudgeOptions {
  readonly model: LedgerModel;
  readonly history: History;
  readonly rows: <R>(text: string) => Promise<R[]>;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

interface Item {
  readonly outcome: string;
  readonly code: string | null;
  readonly charge: string | null;
  readonly balance: string | null;
  readonly entry: number | null;
  readonly is_repeated: boolean;
}

interface Sent {
  readonly record: SentRecord;
  readonly intent: Intent;
}

/** Prices of the house's defaults, in the oracle's own words: 0.10 an hour and 10 %; cost and 10 %. Parts of a micro-dollar. */
const PARTS = 3_600n * 10n ** 20n;
const HOUR_MICROS = 110_000n;
const DAY_MS = 86_400_000;
/** What a record may be refused for here: a clock that is behind, a house that stops, more than the node may tell. */
const PASSING = new Set(['invalid_request', 'unavailable', 'amount_out_of_range']);
/** What the house lets a wallet owe for what was delivered. */
const OWED_MAX = 5_000_000n;

/** Holds the charges against what nodes sent, priced once more with arithmetic of its own. */
export class UsageJudge {
  readonly #options: UsageJudgeOptions;

  /** When anything was used, by whom, of what. */
  readonly #moments = new Set<string>();

  constructor(options: UsageJudgeOptions) {
    this.#options = options;
  }

  async judge(): Promise<void> {
    const { breaks, rows, model } = this.#options;
    const sent = this.#readSent();
    const wallets = new Map(
      (await rows<{ sid: string; user_sid: string }>('select sid, user_sid from wallet')).map((row) => [
        row.user_sid,
        row.sid,
      ]),
    );
    const unbilled = new Set(
      (
        await rows<{ name: string }>(
          `select (about::json ->> 'node') || '/' || (about::json ->> 'key') as name from declined_posting where kind = ${KIND.usage}`,
        )
      ).map(({ name }) => name),
    );
    const charged = new Map<string, Entry>();
    const billed = new Map<string, Entry>();
    for (const walletSid of model.walletSids) {
      const entries = model.entriesOf(walletSid, 0n).filter(({ kind }) => kind === KIND.usage);
      this.#judgeWallet(walletSid, entries, sent);
      for (const entry of entries.filter(({ facts }) => facts['corrects'] === undefined)) {
        const name = nameOf(entry);
        const once = entry.facts['bills'] === undefined ? charged : billed;
        if (once.has(name)) breaks('I11 a record is charged once', name);
        once.set(name, entry);
      }
    }
    for (const [name, all] of sent)
      this.#judgeAnswers({ name, all, entry: charged.get(name), isUnbilled: unbilled.has(name), wallets });
    for (const name of billed.keys())
      if (!unbilled.has(name)) breaks('I21 only what was unbilled is billed later', name);
    await this.#judgeSides([...charged.values(), ...billed.values()], sent);
  }

  #readSent(): Map<string, Sent[]> {
    const sent = new Map<string, Sent[]>();
    for (const intent of this.#options.history.intents) {
      if (intent.operation !== 'usage.record') continue;
      for (const record of intent.input['records'] as SentRecord[]) {
        const name = `${intent.nodeSid}/${record.idempotency_key}`;
        sent.set(name, [...(sent.get(name) ?? []), { record, intent }]);
        this.#moments.add(`${record.user_sid} ${record.applies_to} ${Date.parse(record.occurred_at)}`);
      }
    }
    return sent;
  }

  /** What a wallet has paid is the exact sum of its records, rounded down once. */
  #judgeWallet(walletSid: string, entries: readonly Entry[], sent: ReadonlyMap<string, readonly Sent[]>): void {
    const { breaks, mark } = this.#options;
    let exact = 0n;
    let paid = 0n;
    const standing = new Map<unknown, bigint>();
    for (const entry of entries) {
      const name = nameOf(entry);
      const [told] = sent.get(name) ?? [];
      if (!told) {
        breaks('I11 nothing is charged that no node sent', name);
        continue;
      }
      // A line on a wrong rung is corrected by the difference: it stands then as if it had been charged so at first.
      const now = entry.facts['now'] as Entry['facts'] | undefined;
      const stands = this.#partsOf(told.record, now === undefined ? entry : { ...entry, facts: now });
      const line = entry.facts['corrects'] ?? Number(entry.seq);
      const parts = stands - (standing.get(line) ?? 0n);
      standing.set(line, stands);
      exact += parts;
      paid -= entry.amount;
      const whole = (parts - (((parts % PARTS) + PARTS) % PARTS)) / PARTS;
      if (-entry.amount !== whole && -entry.amount !== whole + 1n)
        breaks('a record costs what its price says', `${name}: ${entry.amount}, exactly ${parts}/${PARTS}`);
      if (-entry.amount === whole + 1n) mark('fractions come to a micro-dollar');
      if (entry.balance_after < 0n) mark('usage takes a wallet below zero');
      if (paid !== exact / PARTS)
        breaks('charges are the exact sum rounded down', `wallet ${walletSid} at seq ${entry.seq}`);
    }
  }

  #partsOf(record: SentRecord, entry: Entry): bigint {
    const multiplier = this.#multiplierOf(record, entry);
    if (record.applies_to === 'hero_os_hourly') {
      const tenThousandths = BigInt((record.quantity ?? '').replace('.', ''));
      return tenThousandths * HOUR_MICROS * multiplier * (PARTS / (3_600n * 10_000n * 10_000n));
    }
    const [whole = '', fraction = ''] = (record.cost ?? '').split('.');
    const cost = (BigInt(whole + fraction.padEnd(12, '0')) * PARTS) / 1_000_000n;
    const discounted = (cost * 11n * multiplier) / 10n / 10_000n;
    return discounted < cost ? cost : discounted;
  }

  /** The rung follows from the run of use that the charge names, and that run begins with something that was sent. */
  #multiplierOf(record: SentRecord, entry: Entry): bigint {
    const { breaks } = this.#options;
    const ladder = entry.facts['ladder'] as { readonly multiplier: string; readonly since: string } | undefined;
    const sinceMs = Date.parse(ladder?.since ?? '');
    const days = (Date.parse(record.occurred_at) - sinceMs) / DAY_MS;
    const multiplier = days >= 30 ? 2_500n : days >= 7 ? 5_000n : 10_000n;
    if (ladder?.multiplier !== ['0.25', '0.5', '1'][multiplier === 2_500n ? 0 : multiplier === 5_000n ? 1 : 2])
      breaks('the rung is the one of the run of use', `${nameOf(entry)}: ${JSON.stringify(ladder)} after ${days} days`);
    if (multiplier !== 10_000n) this.#options.mark('use goes on for a week');
    const key = `${record.user_sid} ${record.applies_to} ${sinceMs}`;
    if (!this.#moments.has(key)) breaks('a run of use begins with a record', `${nameOf(entry)}: ${ladder?.since}`);
    return multiplier;
  }

  #judgeAnswers(told: {
    readonly name: string;
    readonly all: readonly Sent[];
    readonly entry: Entry | undefined;
    readonly isUnbilled: boolean;
    readonly wallets: ReadonlyMap<string, string>;
  }): void {
    const { name, all, entry, isUnbilled, wallets } = told;
    const { breaks, mark, model } = this.#options;
    if (entry && isUnbilled) breaks('I21 unbilled is not charged', name);
    for (const { intent } of all) {
      for (const { status, body, startStep, endStep } of intent.attempts) {
        if (status !== 200 || body === null) continue;
        const records = intent.input['records'] as SentRecord[];
        const { items } = JSON.parse(body) as { readonly items: readonly Item[] };
        for (const [index, record] of records.entries()) {
          const item = items[index];
          if (`${intent.nodeSid}/${record.idempotency_key}` !== name) continue;
          if (!item) {
            breaks('each record has an answer', describe(intent));
            continue;
          }
          if (item.is_repeated) mark('a repeated record is answered as the first time');
          if (item.outcome === 'applied') {
            const isSame =
              entry !== undefined &&
              micros(item.charge ?? '') === -entry.amount &&
              micros(item.balance ?? '') === entry.balance_after &&
              item.entry === Number(entry.seq);
            if (!isSame) breaks('I22 an acknowledged record is in the ledger', `${name}: ${JSON.stringify(item)}`);
          } else if (item.outcome === 'unbilled') {
            mark('usage is unbilled');
            if (!isUnbilled) breaks('I21 what is unbilled is kept', name);
            if (item.code !== 'insufficient_balance')
              breaks('a frozen wallet owes what was delivered', `${name}: ${item.code}`);
            const until = endStep ?? startStep;
            const balances = model.balancesWithin(wallets.get(record.user_sid) ?? null, 0n, 0, until);
            const dearest = 2n * 10_000_000n;
            if (!balances.some((balance) => balance - dearest < -OWED_MAX))
              breaks('I18 unbilled only for want of money', name);
          } else if (item.code === 'rate_limited') mark('a node is over its budget');
          else if (item.code === 'forbidden') mark('a node may not report for everybody');
          else if (!PASSING.has(item.code ?? ''))
            breaks('a record is refused for a reason', `${name}: ${JSON.stringify(item)}`);
        }
      }
    }
  }

  /** What is owed to providers, and what nodes have spent of their hours, are the sums of the charges. */
  async #judgeSides(charged: readonly Entry[], sent: ReadonlyMap<string, readonly Sent[]>): Promise<void> {
    const { rows, breaks } = this.#options;
    let owed = 0n;
    const spent = new Map<string, bigint>();
    for (const entry of charged) {
      const [told] = sent.get(nameOf(entry)) ?? [];
      if (!told) continue;
      const [whole = '', fraction = ''] = (told.record.cost ?? '0').split('.');
      owed += BigInt(whole + fraction.padEnd(6, '0').slice(0, 6));
      // What is billed later is not taken from the node's hours again.
      if (entry.facts['bills'] !== undefined) continue;
      const node = String(entry.facts['node']);
      spent.set(node, (spent.get(node) ?? 0n) + this.#partsOf(told.record, entry) / PARTS);
    }
    const strangers = await rows<{ name: string }>(
      `select (e.about::json ->> 'node') || '/' || (e.about::json ->> 'key') as name from entry e
       join node on node.sid = e.about::json ->> 'node' join wallet on wallet.id * 16 = e.account
       where e.kind = ${KIND.usage} and node.user_sids is not null and not wallet.user_sid = any(node.user_sids)`,
    );
    for (const { name } of strangers) breaks('a node charges whom it may', name);
    const [payable] = await rows<{ sum: bigint }>(
      `select coalesce(sum(leg.amount), 0)::int8 as sum from batch_leg leg join system_account s on s.id = leg.account where s.code ~ '^payable:'`,
    );
    if (payable?.sum !== owed) breaks('what is owed to providers is what they charged', `${payable?.sum} and ${owed}`);
    const budgets = await rows<{ sid: string; sum: bigint; is_over: boolean }>(
      `select node.sid, sum(b.spent)::int8 as sum, bool_or(b.spent > node.hour_max) as is_over
       from posting_budget b join node on node.id = b.owner group by node.sid`,
    );
    for (const { sid, sum, is_over: isOver } of budgets) {
      if (isOver || sum !== (spent.get(sid) ?? 0n))
        breaks('a node spends what its hours allow', `${sid}: ${sum} and ${spent.get(sid)}`);
    }
  }
}

const nameOf = ({ facts }: Entry): string => `${String(facts['node'])}/${String(facts['key'])}`;

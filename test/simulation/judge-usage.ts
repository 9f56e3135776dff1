import { describe, type History, type Intent } from './history.ts';
import { CorrectionJudge } from './judge-corrections.ts';
import { judgeForge } from './judge-forge.ts';
import { LineJudge } from './judge-lines.ts';
import { NumberJudge, type NumberJudgeOptions } from './judge-numbers.ts';
import { judgeRungs } from './judge-rungs.ts';
import { UnbilledJudge, type UnbilledItem } from './judge-unbilled.ts';
import { KIND, micros, type Break, type Entry, type LedgerModel } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { PriceModel, type PriceRows } from './price-model.ts';
import type { SentRecord } from './reporters.ts';
import { nameOf, recordsOf, SentUsage } from './sent-usage.ts';

export interface UsageJudgeOptions {
  readonly model: LedgerModel;
  readonly history: History;
  readonly rows: <R>(text: string) => Promise<R[]>;
  readonly told: NumberJudgeOptions['told'];
  /** Days before this instant are over, and their rungs were looked at. */
  readonly ratedUntilMs: number;
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

/** What a record may be refused for here: a clock that is behind, a house that stops, more than the node may tell. */
const PASSING = new Set(['invalid_request', 'unavailable', 'amount_out_of_range']);
/** What the house lets a wallet owe for what was delivered. */
const OWED_MAX = 5_000_000n;

/** Holds the charges against what nodes sent, priced once more with arithmetic of its own. */
export class UsageJudge {
  readonly #options: UsageJudgeOptions;
  readonly #sent: SentUsage;

  constructor(options: UsageJudgeOptions) {
    this.#options = options;
    this.#sent = new SentUsage(options.history);
  }

  async judge(): Promise<void> {
    const { rows, model, history, told, ratedUntilMs, breaks, mark } = this.#options;
    const wallets = new Map(
      (await rows<{ sid: string; user_sid: string }>('select sid, user_sid from wallet')).map((row) => [
        row.user_sid,
        row.sid,
      ]),
    );
    const items = await rows<UnbilledItem>(
      `select d.idem, d.about, w.sid as wallet_sid, coalesce(o.outcome, 'open') as outcome, a.balance, a.is_frozen
       from declined_posting d join wallet w on w.id = d.wallet join account a on a.id = w.id * 16
       left join unbilled_outcome o on o.idem = d.idem where d.kind = ${KIND.usage} order by d.wallet, d.recorded_at, d.idem`,
    );
    const prices = new PriceModel(history, await this.#readPrices());
    const corrections = new CorrectionJudge({ model, history, rows, breaks, mark });
    await corrections.read();
    const sent = this.#sent;
    const lines = new LineJudge({ model, sent, prices, beganAt: (sid) => corrections.beganAt(sid), breaks, mark });
    lines.judge();
    const unbilled = new UnbilledJudge({ items, lines, sent, history, breaks, mark });
    unbilled.judge();
    for (const intent of history.intents) this.#judgeReport(intent, { lines, unbilled, wallets });
    await this.#judgeSides(lines);
    corrections.judge(lines, prices);
    await judgeForge({ history, lines, unbilled, rows, breaks, mark });
    await new NumberJudge({ history, sent, lines, unbilled, rows, told, breaks, mark }).judge();
    judgeRungs({ lines: lines.lines, unpaid: unbilled.unpaid, ratedUntilMs, breaks, mark });
  }

  async #readPrices(): Promise<PriceRows> {
    const { rows } = this.#options;
    return {
      prices: await rows('select sid, category, resource_kind, active_from from price order by sid'),
      models: await rows('select sid, provider, model, active_from from model_price order by sid'),
    };
  }

  /** Each record of a report has its answer, which is what the ledger holds. */
  #judgeReport(intent: Intent, known: Known): void {
    if (intent.operation !== 'usage.record' && intent.operation !== 'lease.settle') return;
    const records = recordsOf(intent);
    for (const { status, body, startStep, endStep } of intent.attempts) {
      if (status !== 200 || body === null) continue;
      const { items } = JSON.parse(body) as { readonly items: readonly Item[] };
      for (const [index, record] of records.entries()) {
        const item = items[index];
        const until = endStep ?? startStep;
        if (item) this.#judgeItem(item, { record, intent, startStep, until }, known);
        else this.#options.breaks('each record has an answer', describe(intent));
      }
    }
  }

  #judgeItem(item: Item, told: Told, { lines, unbilled, wallets }: Known): void {
    const { breaks, mark } = this.#options;
    const { record, intent, until } = told;
    const name = nameOf(intent.nodeSid, record.idempotency_key);
    const entry = lines.charged.get(name);
    if (item.is_repeated) mark('a repeated record is answered as the first time');
    if (item.outcome === 'applied') {
      if (!isTold(item, entry))
        breaks('I22 an acknowledged record is in the ledger', `${name}: ${JSON.stringify(item)}`);
    } else if (item.outcome === 'unbilled') {
      mark('usage is unbilled');
      if (!unbilled.has(name)) breaks('I21 what is unbilled is kept', name);
      if (item.code !== 'insufficient_balance')
        breaks('a frozen wallet owes what was delivered', `${name}: ${item.code}`);
      const balances = this.#options.model.balancesWithin(wallets.get(record.user_sid) ?? null, 0n, 0, until);
      const dearest = 2n * 10_000_000n;
      if (!balances.some((balance) => balance - dearest < -OWED_MAX))
        breaks('I18 unbilled only for want of money', name);
    } else this.#judgeRefusal(item, told, { lines, unbilled, wallets });
  }

  #judgeRefusal(item: Item, { record, intent, startStep, until }: Told, { lines, unbilled }: Known): void {
    const { breaks, mark } = this.#options;
    const name = nameOf(intent.nodeSid, record.idempotency_key);
    const { code } = item;
    if (code === 'rate_limited') return mark('a node is over its budget');
    if (code === 'forbidden') return mark('a node may not report for everybody');
    if (PASSING.has(code ?? '')) return;
    const corrected = nameOf(intent.nodeSid, record.corrects);
    if (record.corrects !== undefined && code === 'not_found') {
      const known = lines.charged.get(corrected);
      if ((known && known.step < startStep) || unbilled.wasKeptBefore(corrected, startStep))
        breaks('a correction finds what it corrects', `${name} corrects ${corrected}`);
      return;
    }
    if (record.corrects !== undefined && code === 'state_conflict') {
      mark('a correction of what is no more is refused');
      const line = lines.lines.find(({ root }) => root === this.#sent.rootOf(name));
      const isClosed = line
        ? line.volume !== null || (line.voided?.step ?? Number.MAX_SAFE_INTEGER) <= until
        : unbilled.has(corrected);
      if (!isClosed) breaks('a correction is refused for a reason', `${name}: ${JSON.stringify(item)}`);
      return;
    }
    // A lease of another node is none.
    if (record.lease !== undefined && code === 'not_found') return mark('a lease of another node is refused');
    // Nothing has a price before an operator has made one.
    if (code === 'state_conflict' && (record.tokens !== undefined || !PRICED.has(record.applies_to)))
      return mark('what has no price is refused');
    breaks('a record is refused for a reason', `${name}: ${JSON.stringify(item)}`);
  }

  /** What is owed to providers, and what nodes have spent of their hours, are the sums of the charges. */
  async #judgeSides({ owed, spent }: LineJudge): Promise<void> {
    const { rows, breaks } = this.#options;
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
    const budgets = await rows<{ sid: string; sum: bigint; is_over: boolean; is_whole: boolean }>(
      `select node.sid, sum(b.spent)::int8 as sum, bool_or(b.spent > node.hour_max) as is_over,
              (select min(recorded_at) > max(recorded_at) - interval '6 days' from entry) as is_whole
       from posting_budget b join node on node.id = b.owner group by node.sid`,
    );
    for (const { sid, sum, is_over: isOver, is_whole: isWhole } of budgets) {
      const expected = spent.get(sid) ?? 0n;
      // Hours of a week ago are removed.
      if (isOver || (isWhole ? sum !== expected : sum > expected))
        breaks('a node spends what its hours allow', `${sid}: ${sum} and ${expected}`);
    }
  }
}

/** Categories that have a price from the beginning. */
const PRICED = new Set(['hero_os_hourly', 'llm']);

interface Known {
  readonly lines: LineJudge;
  readonly unbilled: UnbilledJudge;
  /** By user. */
  readonly wallets: ReadonlyMap<string, string>;
}

interface Told {
  readonly record: SentRecord;
  readonly intent: Intent;
  readonly startStep: number;
  readonly until: number;
}

const isTold = (item: Item, entry: Entry | undefined): boolean =>
  entry !== undefined &&
  micros(item.charge ?? '') === -entry.amount &&
  micros(item.balance ?? '') === entry.balance_after &&
  item.entry === Number(entry.seq);

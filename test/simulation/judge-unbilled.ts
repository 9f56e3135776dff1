import { describe, type History } from './history.ts';
import { nameIn, type LineJudge } from './judge-lines.ts';
import type { Break, Entry } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { nameOf, recordsOf, type SentUsage } from './sent-usage.ts';

/** A row of what was delivered and not charged, by wallet, the oldest first. */
export interface UnbilledItem {
  readonly idem: string;
  readonly about: string;
  readonly wallet_sid: string;
  readonly outcome: string;
  readonly balance: bigint;
  readonly is_frozen: boolean;
}

export interface UnbilledJudgeOptions {
  readonly items: readonly UnbilledItem[];
  readonly lines: LineJudge;
  readonly sent: SentUsage;
  readonly history: History;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

interface Kept {
  readonly item: UnbilledItem;
  readonly facts: Entry['facts'];
}

/** The ledger's own parts of a micro-dollar. */
const LEDGER_PARTS = 9n * 10n ** 18n;

/** What was delivered and not paid comes to one end: billed once, written off because somebody said so, or replaced. */
export class UnbilledJudge {
  readonly #options: UnbilledJudgeOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: UnbilledJudgeOptions) {
    this.#options = options;
    for (const item of options.items) {
      const facts = JSON.parse(item.about) as Entry['facts'];
      this.#kept.set(nameIn(facts), { item, facts });
    }
  }

  has(name: string): boolean {
    return this.#kept.has(name);
  }

  /** Use that nobody has paid, and nobody may any more: corrections are no use of their own. */
  get unpaid(): { readonly userSid: string; readonly category: string; readonly occurredMs: number }[] {
    const { sent } = this.#options;
    return [...this.#kept].flatMap(([name, { item, facts }]) => {
      const record = sent.first(name)?.record;
      if (!record || facts['corrects'] !== undefined || item.outcome === 'billed' || item.outcome === 'superseded')
        return [];
      return { userSid: record.user_sid, category: record.applies_to, occurredMs: sent.occurredMsOf(name) };
    });
  }

  /** Whether somebody was told before the step that it was kept. */
  wasKeptBefore(name: string, step: number): boolean {
    return (this.#options.sent.byName.get(name) ?? []).some(({ intent }) =>
      intent.attempts.some(({ status, body, endStep }) => {
        if (status !== 200 || body === null || (endStep ?? step) >= step) return false;
        const { items } = JSON.parse(body) as { items: { outcome: string }[] };
        const index = recordsOf(intent).findIndex(({ idempotency_key: key }) => nameOf(intent.nodeSid, key) === name);
        return items[index]?.outcome === 'unbilled';
      }),
    );
  }

  judge(): void {
    const { lines, breaks } = this.#options;
    for (const name of lines.billed.keys())
      if (!this.has(name)) breaks('I21 only what was unbilled is billed later', name);
    for (const [name, kept] of this.#kept) this.#judgeEnd(name, kept);
    this.#judgeWriteOffs();
    this.#judgeOpen();
  }

  #judgeEnd(name: string, { item }: Kept): void {
    const { lines, breaks, mark, history } = this.#options;
    if (lines.charged.has(name)) breaks('I21 unbilled is not charged', name);
    const isBilled = lines.billed.has(name);
    if (isBilled !== (item.outcome === 'billed')) breaks('unbilled usage has one end', `${name}: ${item.outcome}`);
    if (item.outcome === 'billed') mark('unbilled usage is billed later');
    if (item.outcome === 'superseded') mark('a correction takes the place of what was unbilled');
    if (item.outcome !== 'written_off') return;
    mark('unbilled usage is written off');
    const asked = history.intents.some(
      ({ operation, input }) => operation === 'usage.write-off' && input['id'] === item.idem,
    );
    if (!asked) breaks('only an operator writes off', name);
  }

  #judgeWriteOffs(): void {
    const { history, items, breaks } = this.#options;
    const outcomes = new Map(items.map(({ idem, outcome }) => [idem, outcome]));
    for (const intent of history.intents) {
      if (intent.operation !== 'usage.write-off' || !intent.attempts.some(({ status }) => status === 200)) continue;
      if (outcomes.get(String(intent.input['id'])) !== 'written_off')
        breaks('I22 what was written off is never billed', describe(intent));
    }
  }

  /** A wallet that holds what its oldest open record costs has been billed for it. */
  #judgeOpen(): void {
    const { items, breaks, mark } = this.#options;
    const seen = new Set<string>();
    for (const item of items) {
      if (item.outcome !== 'open' || seen.has(item.wallet_sid)) continue;
      seen.add(item.wallet_sid);
      mark('unbilled usage waits for money');
      const facts = JSON.parse(item.about) as Entry['facts'];
      // What a correction comes to is known when it is billed.
      if (item.is_frozen || facts['corrects'] !== undefined) continue;
      const most = BigInt(String(facts['parts'])) / LEDGER_PARTS + 1n;
      if (item.balance >= most)
        breaks('unbilled usage is billed once there is money', `${nameIn(facts)}: ${item.balance}`);
    }
  }
}

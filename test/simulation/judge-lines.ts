import { KIND, type Break, type Entry, type LedgerModel } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { countsVolume, PARTS, partsAt, partsOfVolume, scaled, type Price, type PriceModel } from './price-model.ts';
import type { SentRecord } from './reporters.ts';
import { nameOf, type SentUsage } from './sent-usage.ts';

export interface LineJudgeOptions {
  readonly model: LedgerModel;
  readonly sent: SentUsage;
  readonly prices: PriceModel;
  /** Of corrections of many lines, by sid: the step from which on they may have read prices. */
  readonly beganAt: (correctionSid: unknown) => number;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

/** How a line stands from a step on. */
export interface Standing {
  readonly step: number;
  /** Of the record by which it stands. */
  readonly name: string;
  readonly record: SentRecord;
  readonly price: Price;
  /** What its provider asks for, in pico-dollars. */
  readonly cost: bigint;
  /** Ten-thousandths of the list price. */
  readonly multiplier: bigint;
  readonly parts: bigint;
}

/** A charge and how it stands after what corrected it. */
export interface Line {
  readonly walletSid: string;
  readonly first: Entry;
  /** The record that its chain of corrections begins with. */
  readonly root: string;
  readonly record: SentRecord;
  readonly occurredMs: number;
  /** One after the other; the last one counts, unless the line was taken back. */
  readonly standings: Standing[];
  /** What it had added to the month's volume, in millionths. */
  readonly volume: { readonly key: string; readonly quantity: bigint } | null;
  /** What took it back. */
  voided: Entry | null;
}

const DAY_MS = 86_400_000;
const WITH_LADDER = new Set(['hero_os_hourly', 'llm']);

/** Reads each wallet's usage in the order of posting and prices every line once more: charges, corrections, what was taken back. */
export class LineJudge {
  /** By the record's own name: its posting, once. */
  readonly charged = new Map<string, Entry>();
  readonly billed = new Map<string, Entry>();
  readonly lines: Line[] = [];
  /** By node: what its records have taken of its hours. */
  readonly spent = new Map<string, bigint>();
  readonly #options: LineJudgeOptions;
  readonly #volumes = new Map<string, bigint>();

  constructor(options: LineJudgeOptions) {
    this.#options = options;
  }

  judge(): void {
    for (const walletSid of this.#options.model.walletSids) this.#judgeWallet(walletSid);
  }

  /** What providers are owed for all lines as they stand. */
  get owed(): bigint {
    const standing = this.lines.flatMap((line) => (line.voided ? [] : standingOf(line)));
    return standing.reduce((sum, { price, cost }) => sum + (price.kind === 'cost_plus' ? cost / 1_000_000n : 0n), 0n);
  }

  /** What a wallet has paid is the exact sum of its lines as they stand, rounded down once. */
  #judgeWallet(walletSid: string): void {
    const { breaks, mark, model } = this.#options;
    const own = new Map<number, Line>();
    let exact = 0n;
    let paid = 0n;
    for (const entry of model.entriesOf(walletSid, 0n)) {
      if (entry.kind !== KIND.usage) continue;
      const parts = this.#partsOf(walletSid, entry, own);
      if (parts === null) continue;
      exact += parts;
      paid -= entry.amount;
      const whole = floor(parts);
      if (-entry.amount !== whole && -entry.amount !== whole + 1n)
        breaks(
          'a record costs what its price says',
          `${nameIn(entry.facts)}: ${entry.amount}, exactly ${parts}/${PARTS}`,
        );
      if (-entry.amount === whole + 1n) mark('fractions come to a micro-dollar');
      if (entry.balance_after < 0n && entry.amount < 0n) mark('usage takes a wallet below zero');
      if (paid !== floor(exact))
        breaks('charges are the exact sum rounded down', `wallet ${walletSid} at seq ${entry.seq}`);
      this.#count(entry, whole);
    }
    this.lines.push(...own.values());
  }

  /** What the posting is exactly worth; null where nothing explains it, which has been told then. */
  #partsOf(walletSid: string, entry: Entry, own: Map<number, Line>): bigint | null {
    const { facts } = entry;
    if (facts['corrects'] === undefined && facts['voids'] === undefined) {
      const line = this.#charge(walletSid, entry);
      if (line === null) return null;
      own.set(Number(entry.seq), line);
      return standingOf(line).parts;
    }
    const line = own.get(Number(facts['corrects'] ?? facts['voids']));
    if (!line || line.voided) {
      this.#options.breaks('a correction corrects what stands', `${walletSid} seq ${entry.seq}`);
      return null;
    }
    return facts['voids'] === undefined ? this.#correct(line, entry) : this.#takeBack(line, entry);
  }

  #charge(walletSid: string, entry: Entry): Line | null {
    const { sent, breaks } = this.#options;
    const { facts } = entry;
    const name = nameIn(facts);
    const record = sent.first(name)?.record;
    if (!record) {
      breaks('I11 nothing is charged that no node sent', name);
      return null;
    }
    const root = sent.rootOf(name);
    const replaced = facts['supersedes'] === undefined ? null : nameOf(facts['node'], facts['supersedes']);
    if (replaced === null ? record.corrects !== undefined : sent.rootOf(replaced) !== root)
      breaks('a correction is no charge of its own', name);
    const occurredMs = sent.occurredMsOf(name);
    const price = this.#priceOf(facts, { record, occurredMs, from: sent.beganAt(root), until: entry.step });
    if (!price) return null;
    const counted = countsVolume(price) ? this.#countVolume(walletSid, { entry, record, price, occurredMs }) : null;
    const at = { occurredMs, from: sent.beganAt(root), until: entry.step };
    const { parts, ...terms } = this.#termsOf(record, price, facts, at);
    const standings = [{ step: entry.step, name, ...terms, parts: counted?.parts ?? parts }];
    const volume = counted && { key: counted.key, quantity: counted.quantity };
    return { walletSid, first: entry, root, record, occurredMs, standings, volume, voided: null };
  }

  #priceOf(
    facts: Entry['facts'],
    at: { readonly record: SentRecord; readonly occurredMs: number; readonly from: number; readonly until: number },
  ): Price | null {
    const { prices, breaks } = this.#options;
    const { record, occurredMs } = at;
    const price = prices.price(facts['price']);
    const asked = { category: record.applies_to, resource: record.resource_kind, occurredMs };
    if (price && prices.isRight(price.sid, asked, at.from, at.until)) return price;
    breaks('the price is the one of its time', `${nameIn(facts)}: ${String(facts['price'])}`);
    return null;
  }

  /** The month's volume before and after: the record costs the difference that it makes. */
  #countVolume(
    walletSid: string,
    { entry, record, price, occurredMs }: { entry: Entry; record: SentRecord; price: Price; occurredMs: number },
  ) {
    const { breaks, mark } = this.#options;
    const month = new Date(occurredMs).toISOString().slice(0, 7);
    const key = `${walletSid} ${price.sid} ${month}`;
    const before = this.#volumes.get(key) ?? 0n;
    const quantity = scaled(record.quantity ?? '1', 6);
    this.#volumes.set(key, before + quantity);
    const told = entry.facts['volume'] as { readonly before: string; readonly after: string } | undefined;
    if (scaled(told?.before ?? '', 6) !== before || scaled(told?.after ?? '', 6) !== before + quantity)
      breaks('a volume goes on where it stood', `${nameIn(entry.facts)}: ${JSON.stringify(told)} from ${before}`);
    if (price.tiers.some(({ upTo }) => upTo !== null && before < upTo && upTo < before + quantity))
      mark('a record crosses the end of a tier');
    if (
      price.kind === 'package' &&
      before > 0n &&
      partsOfVolume(price, before) === partsOfVolume(price, before + quantity)
    )
      mark('a package covers a record');
    return { key, quantity, parts: partsOfVolume(price, before + quantity) - partsOfVolume(price, before) };
  }

  #correct(line: Line, entry: Entry): bigint | null {
    const { sent, prices, breaks, mark, beganAt } = this.#options;
    const { why, correction } = entry.facts;
    const now = (entry.facts['now'] ?? {}) as Entry['facts'];
    const name = nameIn(now);
    const record = sent.first(name)?.record;
    const before = standingOf(line);
    const isOwn =
      why === 'true_up' ? record?.corrects !== undefined && sent.rootOf(name) === line.root : name === before.name;
    if (!record || !isOwn || line.volume !== null) {
      breaks('a correction names what it corrects', `${line.root}: ${name} ${String(why)}`);
      return null;
    }
    const price = prices.price(now['price']);
    const asked = { category: record.applies_to, resource: record.resource_kind, occurredMs: line.occurredMs };
    // What was declined once keeps the price that counted then.
    const stood = entry.facts['bills'] === undefined ? [before] : line.standings;
    const isRight =
      why === 'reprice'
        ? prices.isRight(now['price'], asked, beganAt(correction), entry.step)
        : stood.some(({ price: { sid } }) => sid === now['price']);
    if (!price || !isRight) {
      breaks('the price is the one of its time', `${name} by ${String(why)}: ${String(now['price'])}`);
      return null;
    }
    mark(
      why === 'true_up'
        ? 'an estimate is trued up'
        : why === 'reprice'
          ? 'a line is charged anew'
          : 'a line is moved to another rung',
    );
    if (entry.facts['bills'] !== undefined) mark('an unbilled correction is billed');
    const at = { occurredMs: line.occurredMs, from: sent.beganAt(line.root), until: entry.step };
    const standing = { step: entry.step, name, ...this.#termsOf(record, price, now, at) };
    line.standings.push(standing);
    return standing.parts - before.parts;
  }

  #takeBack(line: Line, entry: Entry): bigint {
    line.voided = entry;
    const { volume } = line;
    const { price, parts } = standingOf(line);
    this.#options.mark('a line is taken back');
    if (volume === null) return -parts;
    // The month then costs what is left of its volume, which may be another difference than this record had made.
    const before = this.#volumes.get(volume.key) ?? 0n;
    this.#volumes.set(volume.key, before - volume.quantity);
    return partsOfVolume(price, before - volume.quantity) - partsOfVolume(price, before);
  }

  #termsOf(record: SentRecord, price: Price, facts: Entry['facts'], at: Seen): Omit<Standing, 'step' | 'name'> {
    const { prices, breaks, mark } = this.#options;
    const multiplier = this.#multiplierOf(record, facts, at.occurredMs);
    if (price.kind === 'cost_plus' && record.cost === undefined) {
      mark('tokens are priced by the table');
      if (!prices.isRightModelPrice(facts['model_price'], record, { ms: at.occurredMs, ...at }))
        breaks('the price of a model is the one of its time', nameIn(facts));
    }
    const cost = prices.costOf(record, facts['model_price']);
    const parts = countsVolume(price) ? 0n : partsAt(price, record, cost, multiplier);
    return { record, price, cost, multiplier, parts };
  }

  /** The rung follows from the run of use that the charge names, and that run begins with something that was sent. */
  #multiplierOf(record: SentRecord, facts: Entry['facts'], occurredMs: number): bigint {
    const { breaks, sent } = this.#options;
    const ladder = facts['ladder'] as { readonly multiplier: string; readonly since: string } | undefined;
    if (!WITH_LADDER.has(record.applies_to)) {
      if (ladder !== undefined) breaks('a rung belongs to a ladder', nameIn(facts));
      return 10_000n;
    }
    const sinceMs = Date.parse(ladder?.since ?? '');
    const multiplier = multiplierAfter(occurredMs - sinceMs);
    if (ladder?.multiplier !== TEXT_OF[String(multiplier)])
      breaks('the rung is the one of the run of use', `${nameIn(facts)}: ${JSON.stringify(ladder)}`);
    if (multiplier !== 10_000n) this.#options.mark('use goes on for a week');
    if (!sent.wasUsedAt(record.user_sid, record.applies_to, sinceMs))
      breaks('a run of use begins with a record', `${nameIn(facts)}: ${ladder?.since}`);
    return multiplier;
  }

  /** Who it was, and what it took of the node's hours: not what is billed later, and not what others correct. */
  #count({ facts, ...entry }: Entry, whole: bigint): void {
    const { breaks } = this.#options;
    const { why = 'true_up', bills } = facts;
    if (why !== 'true_up' || facts['voids'] !== undefined) return;
    const name = nameIn(facts);
    const once = bills === undefined ? this.charged : this.billed;
    if (once.has(name)) breaks('I11 a record is charged once', name);
    once.set(name, { facts, ...entry });
    if (bills !== undefined || whole <= 0n) return;
    const node = String(facts['node']);
    this.spent.set(node, (this.spent.get(node) ?? 0n) + whole);
  }
}

interface Seen {
  readonly occurredMs: number;
  /** The steps between which prices were read for it. */
  readonly from: number;
  readonly until: number;
}

/** How the line stands, or stood when it was taken back. */
export function standingOf({ standings, root }: Line): Standing {
  const last = standings.at(-1);
  if (!last) throw new Error(`${root} stands as nothing`);
  return last;
}

const TEXT_OF: Readonly<Record<string, string>> = { '2500': '0.25', '5000': '0.5', '10000': '1' };

/** Ten-thousandths of the list price after so long a run of use. */
export const multiplierAfter = (ms: number): bigint =>
  ms >= 30 * DAY_MS ? 2_500n : ms >= 7 * DAY_MS ? 5_000n : 10_000n;

export const nameIn = (facts: Entry['facts']): string => nameOf(facts['node'], facts['key']);

const floor = (parts: bigint): bigint => (parts - (((parts % PARTS) + PARTS) % PARTS)) / PARTS;

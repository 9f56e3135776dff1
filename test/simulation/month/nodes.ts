import { execute } from '../../../src/operations/execute.ts';
import type { House } from '../../../src/operations/house.ts';
import { usageRecord } from '../../../src/operations/usage/record.ts';
import type { NodeRow } from '../../../src/store/node.ts';
import { Chance } from '../random.ts';
import type { Used } from './bill.ts';
import { DAY_MS, HOUR_MS, isResting, useOf, type Line } from './residents.ts';

/** What the house answered about one record, the first time. */
export interface Told {
  readonly outcome: 'applied' | 'unbilled';
  readonly charge: string | null;
  readonly balance: string | null;
  readonly entry: number | null;
}

export interface MonthTally {
  calls: number;
  /** Records sent, each time counted. */
  sent: number;
  repeated: number;
  fromTheFuture: number;
  failedCalls: number;
  lostAnswers: number;
}

export interface MonthNodeOptions {
  readonly row: NodeRow;
  readonly number: number;
  readonly seed: number;
  readonly lines: readonly Line[];
  readonly recordsPerHour: number;
  readonly startMs: number;
  readonly tally: MonthTally;
  /** Somebody whom this node may not charge; null for a node that may charge everybody. */
  readonly stranger: string | null;
  readonly onBreak: (promise: string, detail: string) => void;
}

const MINUTE_MS = 60_000;
/** Minutes that nodes' clocks are wrong by; what is more than five ahead is refused and sent again later. */
const SKEWS = [0, 0, -1, 3, -4, 9, 0, 1, -7, 22];
/** Records of one report; a backlog takes several. */
const REPORT_MAX = 250;
const OUTAGE_HOURS_MAX = 60;
const SENT_AGAIN_MAX = 5;

/** A machine that reports what was used on it, each hour that it is up, until it has an answer for everything. */
export class MonthNode {
  /** Everything that was ever used here, by key. */
  readonly used = new Map<string, Used>();
  /** The first answer about each record that was taken. */
  readonly told = new Map<string, Told>();
  readonly #options: MonthNodeOptions;
  readonly #chance: Chance;
  readonly #outages: readonly { readonly fromMs: number; readonly untilMs: number }[];
  #waiting: Used[] = [];
  #answered: Used[] = [];
  #next: number;
  #wasAway = false;

  constructor(options: MonthNodeOptions) {
    this.#options = options;
    const { seed, number, startMs, lines } = options;
    this.#chance = new Chance(seed, `node ${number}`);
    this.#next = this.#chance.below(lines.length);
    this.#outages = [0, 1].map(() => {
      const fromMs = startMs + this.#chance.below(27 * 24) * HOUR_MS;
      return { fromMs, untilMs: fromMs + this.#chance.between(3, OUTAGE_HOURS_MAX) * HOUR_MS };
    });
  }

  get sid(): string {
    return this.#options.row.sid;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** What was used in the hour that has just ended. */
  use(hourEndMs: number): void {
    const { lines, recordsPerHour, number, row } = this.#options;
    const skewMs = this.#skewAt(hourEndMs);
    const moments = Array.from({ length: recordsPerHour }, () => hourEndMs - this.#chance.between(1, HOUR_MS));
    for (const atMs of moments.toSorted((one, other) => one - other)) {
      const line = this.#nextLine(atMs, lines);
      if (!line) continue;
      const key = `n${number}-${this.used.size}`;
      const record = useOf(line, this.#chance, { key, atMs: atMs + skewMs });
      this.used.set(key, record);
      this.#waiting.push(record);
    }
    if (this.#options.stranger !== null && this.#chance.is(0.1)) {
      const key = `stranger-${row.sid}-${hourEndMs}`;
      const user_sid = this.#options.stranger;
      const occurred_at = new Date(hourEndMs - HOUR_MS).toISOString();
      const about = { applies_to: 'hero_os_hourly', resource_kind: 'small', quantity: '1', occurred_at };
      this.#waiting.push({ idempotency_key: key, user_sid, ...about });
    }
  }

  /** The wall clock of a node is set right, or wrong, at midnight of the 16th. */
  #skewAt(atMs: number): number {
    const { number, startMs } = this.#options;
    const half = atMs - startMs < 15 * DAY_MS ? 0 : 3;
    return (SKEWS[(number + half) % SKEWS.length] ?? 0) * MINUTE_MS;
  }

  #nextLine(atMs: number, lines: readonly Line[]): Line | null {
    for (const _ of lines) {
      const line = lines[this.#next % lines.length];
      this.#next += 1;
      if (line && !isResting(line.resident, atMs)) return line;
    }
    return null;
  }

  /** Sends all that waits, unless the node is down; what was not answered waits on. */
  async report(house: House, nowMs: number, options: { readonly isLast?: boolean } = {}): Promise<void> {
    const isAway = this.#outages.some(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs);
    this.#wasAway ||= isAway;
    if (isAway && options.isLast !== true) return;
    // A backlog is sent in whatever order the node kept it in.
    const all = this.#wasAway ? shuffled(this.#waiting, this.#chance) : this.#waiting;
    this.#wasAway = false;
    if (this.#answered.length > 0 && this.#chance.is(0.05)) {
      const again = this.#answered.slice(-this.#chance.between(1, SENT_AGAIN_MAX));
      all.push(...again);
    }
    this.#waiting = [];
    for (let from = 0; from < all.length; from += REPORT_MAX)
      await this.#send(house, all.slice(from, from + REPORT_MAX));
  }

  async #send(house: House, records: readonly Used[]): Promise<void> {
    const { row, tally, onBreak } = this.#options;
    tally.calls += 1;
    tally.sent += records.length;
    const reply = await execute(house, usageRecord, {
      actor: { kind: 'node', id: `node:${row.sid}`, node: row },
      input: { records },
      idempotencyKey: null,
      requestId: house.ports.ids.requestId(),
    });
    if (reply.status !== 200) {
      tally.failedCalls += 1;
      if (reply.status !== 503 && reply.status !== 500) onBreak('a report is taken', `${reply.status} ${reply.body}`);
      this.#waiting.push(...records);
      return;
    }
    const isLost = this.#chance.is(0.03);
    if (isLost) tally.lostAnswers += 1;
    const { items } = JSON.parse(reply.body) as { readonly items: readonly Item[] };
    for (const [index, record] of records.entries()) {
      const item = items[index];
      if (item === undefined) onBreak('each record has an answer', record.idempotency_key);
      else if (this.#hear(record, item) || isLost) this.#waiting.push(record);
      else this.#answered.push(record);
    }
    this.#answered = this.#answered.slice(-SENT_AGAIN_MAX);
  }

  /** Whether the record has to be sent again. */
  #hear(record: Used, item: Item): boolean {
    const { tally, onBreak, stranger } = this.#options;
    const key = record.idempotency_key;
    const { outcome, charge, balance, entry, code } = item;
    if (item.is_repeated) tally.repeated += 1;
    if (record.user_sid === stranger) {
      if (code !== 'forbidden') onBreak('a node charges whom it may', `${key}: ${JSON.stringify(item)}`);
      return false;
    }
    if (outcome === 'refused') {
      if (code === 'invalid_request') tally.fromTheFuture += 1;
      else if (code !== 'unavailable') onBreak('a record is refused for a reason', `${key}: ${JSON.stringify(item)}`);
      return true;
    }
    const told = { outcome, charge, balance, entry };
    const before = this.told.get(key);
    if (before === undefined) this.told.set(key, told);
    else if (JSON.stringify(before) !== JSON.stringify(told))
      onBreak('a repetition is answered as the first time', `${key}: ${JSON.stringify([before, told])}`);
    return false;
  }
}

interface Item extends Omit<Told, 'outcome'> {
  readonly outcome: 'applied' | 'unbilled' | 'refused';
  readonly code: string | null;
  readonly is_repeated: boolean;
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = chance.below(last + 1);
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

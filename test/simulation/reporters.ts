import type { NodeRow } from '../../src/store/node.ts';
import type { Caller } from './caller.ts';
import type { Weather } from './faults.ts';
import type { Intent } from './history.ts';
import type { Mark } from './marks.ts';
import { Numbers } from './numbers.ts';
import type { Person } from './people.ts';
import { Chance } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { drawUse } from './uses.ts';

export interface ReportersOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly caller: Caller;
  readonly nodes: readonly NodeRow[];
  /** Those who live here now. */
  readonly people: readonly Person[];
  readonly mark: (mark: Mark) => void;
}

/** One thing that was used, as a node tells it. The oracle reads the same words. */
export interface SentRecord {
  readonly idempotency_key: string;
  readonly corrects?: string;
  readonly user_sid: string;
  readonly applies_to: string;
  readonly resource_kind: string;
  readonly quantity?: string;
  readonly unit?: string;
  readonly cost?: string;
  readonly provider?: string;
  readonly tokens?: { readonly input: number; readonly output: number; readonly cached_input?: number };
  readonly occurred_at: string;
  readonly lease?: string;
  readonly seq?: number;
}

/** What nodes may be: one for everybody, one that may do little in an hour, one for a single user. */
export const NODE_HOUR_MAX = { open: 100_000_000_000n, bounded: 2_000_000n } as const;

const DAY_MS = 86_400_000;
/** What a node still remembers of what it has told. */
const REMEMBERED = 40;

/** Nodes: they tell many things at once, again when they were not answered, late, in no order, and correct themselves. */
export class Reporters {
  readonly #options: ReportersOptions;
  readonly #told = new Map<string, SentRecord[]>();
  readonly #numbers = new Numbers();
  #count = 0;

  constructor(options: ReportersOptions) {
    this.#options = options;
  }

  async report(chance: Chance): Promise<void> {
    const { nodes, scheduler, mark, weather } = this.#options;
    const node = chance.pick(nodes);
    const count = chance.weighted([
      [1, 3],
      [chance.between(2, 10), 4],
      [chance.between(20, 60), 1],
    ]);
    const drawn = Array.from({ length: count }, () => this.draw(chance));
    const records = this.#numbers.number(chance, node, drawn);
    // All of it got lost on the way.
    if (records.length === 0) return;
    // An estimate and the real figure in one report, in any order.
    if (chance.is(0.1))
      records.splice(chance.below(records.length + 1), 0, this.#truedUp(chance, chance.pick(records)));
    // The same thing twice in one report.
    const [first] = records;
    if (first && chance.is(0.1)) records.push(first);
    const intent = await this.tell(chance, node, records);
    const isLate = records.some((record) => Date.parse(record.occurred_at) < scheduler.nowMs - DAY_MS);
    if (isLate && intent.attempts.some(({ status }) => status === 200)) mark('usage comes late');
    // A node that lost its notes tells all of it once more, or a part of it in another order.
    if (!weather.strikes('client_duplicate')) return;
    const again = chance.is(0.5) ? records : records.toReversed().slice(0, chance.between(1, records.length));
    await this.tell(new Chance(this.#count, 'again'), node, again);
  }

  /** The real figures for what was told before; the same record may be corrected again, also by way of its correction. */
  async trueUp(chance: Chance): Promise<void> {
    const node = chance.pick(this.#options.nodes);
    const told = this.#told.get(node.sid) ?? [];
    if (told.length === 0) return await this.report(chance);
    const records = Array.from({ length: chance.between(1, 4) }, () => this.#truedUp(chance, chance.pick(told)));
    await this.tell(chance, node, records);
  }

  async tell(chance: Chance, node: NodeRow, records: readonly SentRecord[]): Promise<Intent> {
    const told = this.#told.get(node.sid) ?? [];
    this.#told.set(node.sid, [...told, ...records].slice(-REMEMBERED));
    return await this.#options.caller.call({
      operation: 'usage.record',
      input: { records },
      actor: { kind: 'node', id: `node:${node.sid}`, node },
      asker: 'node',
      walletSid: null,
      hasKey: false,
      chance,
    });
  }

  /** Something that was used just now, or some time ago. */
  draw(chance: Chance, person = chance.pick(this.#options.people)): SentRecord {
    const agoMs = chance.weighted([
      [chance.below(60_000), 6],
      [chance.below(DAY_MS), 2],
      [chance.below(12 * DAY_MS), 1],
    ]);
    const common = {
      idempotency_key: `u-${(this.#count += 1)}`,
      user_sid: person.userSid,
      occurred_at: new Date(this.#options.scheduler.nowMs - agoMs).toISOString(),
    };
    return { ...common, ...drawUse(chance) };
  }

  #truedUp(chance: Chance, first: SentRecord): SentRecord {
    const key = `u-${(this.#count += 1)}`;
    const { lease: _, seq: __, ...record } = first;
    const share = chance.between(20, 180);
    const figures = {
      ...(record.quantity === undefined ? {} : { quantity: shareOf(record.quantity, share) }),
      ...(record.cost === undefined ? {} : { cost: shareOf(record.cost, share) }),
      ...(record.tokens === undefined ? {} : { tokens: { ...record.tokens, output: record.tokens.output + share } }),
    };
    return { ...record, ...figures, idempotency_key: key, corrects: first.idempotency_key };
  }
}

/** So many hundredths of it, with the same decimals. */
function shareOf(text: string, share: number): string {
  const [whole = '0', fraction = ''] = text.split('.');
  const scaled = (BigInt(whole + fraction) * BigInt(share)) / 100n;
  if (fraction === '') return String(scaled);
  const digits = String(scaled).padStart(fraction.length + 1, '0');
  return `${digits.slice(0, -fraction.length)}.${digits.slice(-fraction.length)}`;
}

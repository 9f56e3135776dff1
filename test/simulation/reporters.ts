import type { NodeRow } from '../../src/store/node.ts';
import type { Caller } from './caller.ts';
import type { Weather } from './faults.ts';
import type { Mark } from './marks.ts';
import type { Person } from './people.ts';
import { Chance } from './random.ts';
import type { Scheduler } from './scheduler.ts';

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
  readonly user_sid: string;
  readonly applies_to: 'hero_os_hourly' | 'llm';
  readonly resource_kind: string;
  readonly quantity?: string;
  readonly unit?: string;
  readonly cost?: string;
  readonly provider?: string;
  readonly occurred_at: string;
}

/** What nodes may be: one for everybody, one that may do little in an hour, one for a single user. */
export const NODE_HOUR_MAX = { open: 100_000_000_000n, bounded: 2_000_000n } as const;

const DAY_MS = 86_400_000;

/** Nodes: they tell many things at once, again when they were not answered, late, and in no order. */
export class Reporters {
  readonly #options: ReportersOptions;
  #count = 0;

  constructor(options: ReportersOptions) {
    this.#options = options;
  }

  async report(chance: Chance): Promise<void> {
    const { caller, weather, nodes, scheduler, mark } = this.#options;
    const node = chance.pick(nodes);
    const count = chance.weighted([
      [1, 3],
      [chance.between(2, 10), 4],
      [chance.between(20, 60), 1],
    ]);
    const records = Array.from({ length: count }, () => this.#draw(chance));
    // The same thing twice in one report.
    const [first] = records;
    if (first && chance.is(0.1)) records.push(first);
    const asked = {
      operation: 'usage.record',
      actor: { kind: 'node', id: `node:${node.sid}`, node },
      asker: 'node',
      walletSid: null,
      hasKey: false,
    } as const;
    const intent = await caller.call({ ...asked, input: { records }, chance });
    const isLate = records.some((record) => Date.parse(record.occurred_at) < scheduler.nowMs - DAY_MS);
    if (isLate && intent.attempts.some(({ status }) => status === 200)) mark('usage comes late');
    // A node that lost its notes tells all of it once more, or a part of it in another order.
    if (!weather.strikes('client_duplicate')) return;
    const again = chance.is(0.5) ? records : records.toReversed().slice(0, chance.between(1, records.length));
    await caller.call({ ...asked, input: { records: again }, chance: new Chance(this.#count, 'again') });
  }

  #draw(chance: Chance): SentRecord {
    const { scheduler, people } = this.#options;
    const agoMs = chance.weighted([
      [chance.below(60_000), 6],
      [chance.below(DAY_MS), 2],
      [chance.below(12 * DAY_MS), 1],
    ]);
    const common = {
      idempotency_key: `u-${(this.#count += 1)}`,
      user_sid: chance.pick(people).userSid,
      occurred_at: new Date(scheduler.nowMs - agoMs).toISOString(),
    };
    if (chance.is(0.5)) {
      const quantity = `${chance.between(1, chance.is(0.1) ? 90_000 : 900)}.${String(chance.below(10_000)).padStart(4, '0')}`;
      return { ...common, applies_to: 'hero_os_hourly', resource_kind: 'small', quantity, unit: 'second' };
    }
    const digits = String(chance.below(1_000_000)).padStart(6, '0') + String(chance.below(1_000_000)).padStart(6, '0');
    const cost = chance.weighted([
      [`0.00${digits.slice(2)}`, 6],
      [`0.${digits}`, 2],
      [`${chance.between(1, 9)}.${digits.slice(0, 2)}`, 0.3],
    ]);
    return { ...common, applies_to: 'llm', resource_kind: 'm/x', cost, provider: 'openrouter' };
  }
}

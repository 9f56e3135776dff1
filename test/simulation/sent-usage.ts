import type { History, Intent } from './history.ts';
import type { SentRecord } from './reporters.ts';

/** A record with the call that told it. */
export interface Sent {
  readonly record: SentRecord;
  readonly intent: Intent;
}

/** Everything that nodes told, whichever way, by node and key. */
export class SentUsage {
  readonly byName = new Map<string, Sent[]>();
  readonly #moments = new Set<string>();

  constructor(history: History) {
    for (const intent of history.intents) for (const record of recordsOf(intent)) this.#add(intent, record);
  }

  #add(intent: Intent, record: SentRecord): void {
    const name = nameOf(intent.nodeSid, record.idempotency_key);
    const all = this.byName.get(name);
    if (all) all.push({ record, intent });
    else this.byName.set(name, [{ record, intent }]);
    this.#moments.add(`${record.user_sid} ${record.applies_to} ${Date.parse(record.occurred_at)}`);
  }

  first(name: string): Sent | undefined {
    return this.byName.get(name)?.[0];
  }

  /** The record that a chain of corrections begins with; the name itself where it corrects nothing. */
  rootOf(name: string): string {
    let root = name;
    for (let steps = 0; steps < 1_000; steps += 1) {
      const sent = this.first(root);
      if (sent?.record.corrects === undefined) return root;
      root = nameOf(sent.intent.nodeSid, sent.record.corrects);
    }
    return root;
  }

  /** A correction is of the day of what it corrects. */
  occurredMsOf(name: string): number {
    return Date.parse(this.first(this.rootOf(name))?.record.occurred_at ?? '');
  }

  /** The step from which on the record may have been read. */
  beganAt(name: string): number {
    const starts = (this.byName.get(name) ?? []).flatMap(({ intent }) => intent.attempts[0]?.startStep ?? []);
    return Math.min(...starts);
  }

  wasUsedAt(userSid: string, category: string, atMs: number): boolean {
    return this.#moments.has(`${userSid} ${category} ${atMs}`);
  }
}

export const nameOf = (nodeSid: unknown, key: unknown): string => `${String(nodeSid)}/${String(key)}`;

const REPORTS = new Set(['usage.record', 'lease.settle', 'usage.queue']);

/** In the order of the answer's items; what is settled is under the lease. */
export function recordsOf({ operation, input }: Intent): readonly SentRecord[] {
  if (!REPORTS.has(operation)) return [];
  const records = (input['records'] ?? []) as SentRecord[];
  return operation === 'lease.settle' ? records.map((record) => ({ ...record, lease: String(input['sid']) })) : records;
}

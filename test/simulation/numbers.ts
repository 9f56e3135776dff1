import type { NodeRow } from '../../src/store/node.ts';
import type { Ask } from './holders.ts';
import type { Person } from './people.ts';
import type { Chance } from './random.ts';
import type { SentRecord } from './reporters.ts';

/** Each node's own count of its records, one for each category; some records are kept back and come later, or never. */
export class Numbers {
  readonly #last = new Map<string, number>();
  readonly #keptBack = new Map<string, SentRecord[]>();

  /** Of nodes that count: their records numbered, without those that got lost on the way, and with some that had been. */
  number(chance: Chance, node: NodeRow, records: readonly SentRecord[]): SentRecord[] {
    // One node does not count.
    if (node.userSids === null && node.name !== 'open') return [...records];
    const late = this.#keptBack.get(node.sid) ?? [];
    const numbered = records.map((record) => ({ ...record, seq: this.#next(chance, node, record.applies_to) }));
    const isLost = numbered.map(() => chance.is(0.06));
    this.#keptBack.set(
      node.sid,
      numbered.filter((_, index) => isLost[index] === true),
    );
    const sent = numbered.filter((_, index) => isLost[index] !== true);
    return chance.is(0.8) ? [...late, ...sent] : sent;
  }

  #next(chance: Chance, node: NodeRow, category: string): number {
    const key = `${node.sid} ${category}`;
    const last = this.#last.get(key) ?? 0;
    // A node that has lost its count begins a little further back.
    const next = last > 3 && chance.is(0.01) ? last - 2 : last + 1;
    this.#last.set(key, next);
    return next;
  }
}

/** Operators who look after what has not come. */
export async function mindNumbers(
  { ask, nodes }: { readonly ask: Ask; readonly nodes: readonly NodeRow[] },
  chance: Chance,
  person: Person,
): Promise<void> {
  const category = chance.pick(['hero_os_hourly', 'llm', 'storage']);
  const { sid } = chance.pick(nodes);
  if (chance.is(0.3)) {
    const policy = chance.is(0.7) ? 'report' : 'ignore';
    await ask('gap-policy.set', { category, policy, grace_seconds: chance.between(0, 600) }, person, chance);
  }
  await ask('node.gaps', { sid }, person, chance);
  if (chance.is(0.15))
    await ask('node.give-up-gaps', { sid, category, up_to: chance.between(1, 40), reason: 'deed' }, person, chance);
}

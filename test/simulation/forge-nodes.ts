import type { NodeRow } from '../../src/store/node.ts';
import type { Caller } from './caller.ts';
import type { Ask } from './holders.ts';
import type { Person } from './people.ts';
import type { Chance } from './random.ts';
import type { Reporters, SentRecord } from './reporters.ts';

export interface ForgeNodesOptions {
  readonly caller: Caller;
  readonly ask: Ask;
  readonly reporters: Reporters;
  readonly nodes: readonly NodeRow[];
}

/** Nodes that reach nobody but a Forge: they queue, push, and sometimes tell the same over the wire as well. */
export class ForgeNodes {
  readonly #options: ForgeNodesOptions;

  constructor(options: ForgeNodesOptions) {
    this.#options = options;
  }

  async queue(chance: Chance, person: Person): Promise<void> {
    const { ask, reporters, nodes } = this.#options;
    const node = chance.pick(nodes);
    const records = Array.from({ length: chance.between(1, 6) }, () => reporters.draw(chance));
    // The wire was there for a moment: nobody knows what arrived.
    if (chance.is(0.15)) await reporters.tell(chance, node, records.slice(0, chance.between(1, records.length)));
    await this.#queue(chance, node, records);
    if (chance.is(0.8)) await ask('usage.push', {}, person, chance);
    if (chance.is(0.7)) await ask('usage.aggregate', {}, person, chance);
    // More of the same hour, and what is queued already.
    if (chance.is(0.3)) return;
    const more = records.map((record) => ({ ...reporters.draw(chance), occurred_at: record.occurred_at }));
    await this.#queue(chance, node, [...more, ...(chance.is(0.3) ? records : [])]);
    if (chance.is(0.8)) await ask('usage.push', {}, person, chance);
  }

  async collect(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    await ask('usage.aggregate', { is_full: chance.is(0.2) }, person, chance);
  }

  async #queue(chance: Chance, node: NodeRow, records: readonly SentRecord[]): Promise<void> {
    await this.#options.caller.call({
      operation: 'usage.queue',
      input: { records },
      actor: { kind: 'node', id: `node:${node.sid}`, node },
      asker: 'node',
      walletSid: null,
      hasKey: false,
      chance,
    });
  }
}

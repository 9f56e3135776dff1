import type { NodeRow } from '../../src/store/node.ts';
import type { Caller } from './caller.ts';
import type { Intent } from './history.ts';
import type { Person } from './people.ts';
import { Chance } from './random.ts';
import type { Reporters, SentRecord } from './reporters.ts';
import type { Life, Scheduler } from './scheduler.ts';

export interface LesseesOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly caller: Caller;
  readonly reporters: Reporters;
  readonly nodes: readonly NodeRow[];
}

interface Lease {
  readonly sid: string;
  readonly node: NodeRow;
  readonly person: Person;
}

/** Nodes that have money set aside for a time in which they may reach nobody, and report afterwards what was used. */
export class Lessees {
  readonly #options: LesseesOptions;
  readonly #leases: Lease[] = [];
  #count = 0;

  constructor(options: LesseesOptions) {
    this.#options = options;
  }

  /** One lease from its beginning to an end: settled, given back, or forgotten. */
  async lease(chance: Chance, person: Person): Promise<void> {
    const node = chance.pick(this.#options.nodes);
    const seconds = chance.weighted([
      [chance.between(5, 120), 3],
      [chance.between(300, 7_200), 3],
    ]);
    const lease = await this.#grant(chance, { node, person, seconds });
    if (lease) await this.#use(chance, lease, seconds);
  }

  /** Several at once for one wallet, from whoever may: together they get no more than there is. */
  async burst(chance: Chance, person: Person): Promise<void> {
    const { nodes } = this.#options;
    // Often the one that may have little at once.
    const bounded = nodes.find(({ name }) => name === 'bounded');
    const node = bounded && chance.is(0.5) ? bounded : chance.pick(nodes);
    const isOne = chance.is(0.7);
    const calls = Array.from({ length: chance.between(2, 6) }, async (_, index) => {
      const own = new Chance(this.#count, `burst/${index}`);
      const lease = await this.#grant(own, {
        node: isOne ? node : own.pick(nodes),
        person,
        seconds: own.between(30, 600),
      });
      if (lease && own.is(0.6)) await this.#settle(own, lease);
    });
    await Promise.all(calls);
  }

  /** A report about a lease that may be over long since, or another one's. */
  async late(chance: Chance, person: Person): Promise<void> {
    const lease = this.#leases.at(-1);
    if (!lease) return await this.lease(chance, person);
    const other = chance.pick(this.#leases);
    const node = chance.is(0.2) ? chance.pick(this.#options.nodes) : other.node;
    const records = this.#records(chance, chance.is(0.2) ? person : other.person, other.sid);
    await this.#options.reporters.tell(chance, node, records);
  }

  async #grant(
    chance: Chance,
    { node, person, seconds }: { readonly node: NodeRow; readonly person: Person; readonly seconds: number },
  ): Promise<Lease | null> {
    // No two leases are of one amount: the oracle knows each by it.
    const unique = String((this.#count += 1)).padStart(4, '0');
    const amount = `${chance.weighted([
      [0, 3],
      [chance.between(1, 3), 2],
      [chance.between(4, 19), 1],
    ])}.${chance.between(10, 99)}${unique}`;
    const input = { user_sid: person.userSid, amount, seconds };
    const granted = await this.#call('lease.grant', input, { node, person, chance, hasKey: true });
    const body = granted.attempts.find(({ status }) => status === 201)?.body;
    if (body === null || body === undefined) return null;
    const { sid } = (JSON.parse(body) as { lease: { sid: string } }).lease;
    const lease = { sid, node, person };
    this.#leases.push(lease);
    return lease;
  }

  async #use(chance: Chance, lease: Lease, seconds: number): Promise<void> {
    const { scheduler, life, reporters } = this.#options;
    // The house cannot be reached for some time: less than the lease is good for, or more.
    await scheduler.park(life, chance.below(Math.min(seconds, 600) * 1_300), 'a lease is used');
    if (chance.is(0.4)) await reporters.tell(chance, lease.node, this.#records(chance, lease.person, lease.sid));
    const end = chance.weighted([
      ['settle', 5],
      ['release', 2],
      ['forget', 2],
    ]);
    if (end === 'settle') await this.#settle(chance, lease);
    const { node, person, sid } = lease;
    if (end === 'release') await this.#call('lease.release', { sid }, { node, person, chance, hasKey: false });
  }

  async #settle(chance: Chance, lease: Lease): Promise<void> {
    const { node, person, sid } = lease;
    const records = chance.is(0.9) ? this.#records(chance, person) : [];
    const input = { sid, records };
    await this.#call('lease.settle', input, { node, person, chance, hasKey: false });
    if (chance.is(0.2)) await this.#call('lease.settle', input, { node, person, chance, hasKey: false });
  }

  /** Under a lease; without one for what is settled: there the call names it. */
  #records(chance: Chance, person: Person, lease?: string): SentRecord[] {
    const count = chance.between(1, chance.is(0.2) ? 20 : 5);
    const draw = (): SentRecord => this.#options.reporters.draw(chance, person);
    return Array.from({ length: count }, () => (lease === undefined ? draw() : { ...draw(), lease }));
  }

  #call(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    by: { readonly node: NodeRow; readonly person: Person; readonly chance: Chance; readonly hasKey: boolean },
  ): Promise<Intent> {
    const { node, person, ...more } = by;
    return this.#options.caller.call({
      operation,
      input,
      actor: { kind: 'node', id: `node:${node.sid}`, node },
      asker: 'node',
      walletSid: person.walletSid,
      ...more,
    });
  }
}

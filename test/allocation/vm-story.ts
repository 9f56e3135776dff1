import { allocationCreate } from '../../src/operations/allocation/create.ts';
import type { House } from '../../src/operations/house.ts';
import { machineAdd } from '../../src/operations/machine/add.ts';
import { execute } from '../../src/operations/execute.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { sshKeyAdd } from '../../src/operations/ssh-key/add.ts';
import { readAllocation, type AllocationRow } from '../../src/store/allocation.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { PUBLIC_KEY } from './public-key.ts';
import { OPERATOR, ownerOf, planStory, type Answer, type PlanStory } from '../plan/plan-story.ts';

/** A house with plans and a pool. */
export interface VmStory extends PlanStory {
  /** Adds so many machines to the pool and answers their sids. */
  machines(count: number, more?: object): Promise<string[]>;
  /** A wallet with a plan, whose owner has an SSH key. */
  renter(plan?: string, dollars?: bigint): Promise<WalletRow>;
  ask(wallet: WalletRow, name?: string, key?: string): Promise<Answer>;
  /** A VM that is expected to be there. */
  vm(wallet: WalletRow, name?: string): Promise<AllocationRow>;
  row(sid: string): Promise<AllocationRow>;
  operator(operation: Operation, input: object, key?: string): Promise<Answer>;
  /** How many machines are in each state, as `free 1, cleaning 2`. */
  pool(): Promise<string>;
  /** Types of the events of a wallet, oldest first. */
  events(wallet: WalletRow): Promise<string[]>;
  /** In a house of another make. */
  callOn(house: House, operation: Operation, input: object, actor: Actor): Promise<Answer>;
}

export async function vmStory(seed: number): Promise<VmStory> {
  const plans = await planStory(seed);
  let machines = 0;
  const query = (name: string, text: string, values: readonly unknown[] = []) =>
    plans.database.owner.query({ name: `test.${name}`, text }, values);
  const story: VmStory = {
    ...plans,
    async machines(count, more = {}) {
      const wanted = Array.from({ length: count }, () => {
        machines += 1;
        return { host: `host-${machines}`, address: `vm${machines}.example.org`, size: 'small', ...more };
      });
      const sids: string[] = [];
      for (let at = 0; at < count; at += 200) {
        const added = await plans.call(machineAdd, { machines: wanted.slice(at, at + 200) });
        if (added.status !== 201) throw new Error(JSON.stringify(added.json));
        sids.push(...(added.json['items'] as { sid: string }[]).map(({ sid }) => sid));
      }
      return sids;
    },
    async renter(plan = 'vm-5', dollars = 50n) {
      const wallet = await plans.wallet(dollars);
      await plans.buy(wallet, plan);
      const added = await plans.call(sshKeyAdd, { public_key: PUBLIC_KEY }, ownerOf(wallet));
      if (added.status !== 201) throw new Error(JSON.stringify(added.json));
      return wallet;
    },
    ask: (wallet, name = 'web', key) => plans.call(allocationCreate, { name }, ownerOf(wallet), key),
    async vm(wallet, name) {
      const answer = await story.ask(wallet, name);
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.json));
      return await story.row(String(answer.json['sid']));
    },
    async row(sid) {
      const row = await readAllocation(plans.database.db, sid);
      if (!row) throw new Error('an allocation stays');
      return row;
    },
    operator: (operation, input, key) => plans.call(operation, input, OPERATOR, key),
    async callOn(house, operation, input, actor) {
      const requestId = house.ports.ids.requestId();
      const reply = await execute(house, operation, { actor, input, idempotencyKey: requestId, requestId });
      return { status: reply.status, json: JSON.parse(reply.body) as Record<string, unknown> };
    },
    async pool() {
      const rows = await query(
        'pool',
        'select state, count(*)::int4 as count from machine group by state order by state',
      );
      return rows.map(({ state, count }) => `${String(state)} ${String(count)}`).join(', ');
    },
    async events({ id }) {
      const rows = await query('events', 'select type from event where wallet = $1 order by sequence', [id]);
      return rows.map(({ type }) => String(type));
    },
  };
  return story;
}

import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { movableClock, portsWithClock, type MovableClock } from '../../src/ports/movable-clock.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse, type TestHouseOptions } from '../support/house.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const OPERATOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;

/** A house in a sandbox, whose machine's clock stands still unless the test moves it. */
export interface Stage {
  readonly house: House;
  readonly clock: MovableClock;
  /** The machine's. */
  readonly machine: TestPorts;
  call(operation: Operation, input: object, actor?: Actor): Promise<{ status: number; json: Record<string, unknown> }>;
}

export interface Stages {
  readonly database: TestDatabase;
  /** Another process on the same database, or the same one after a restart. */
  open(options?: Partial<TestHouseOptions>): Stage;
  close(): Promise<void>;
}

export async function openStages(): Promise<Stages> {
  const database = await testDatabase();
  const houses: House[] = [];
  let seed = 0;
  let calls = 0;
  return {
    database,
    open: (options = {}) => {
      const machine = testPorts({ seed: (seed += 1) });
      const clock = movableClock(machine.clock);
      const ports: Ports = portsWithClock(machine, clock);
      const house = testHouse({ db: database.db, ports, movableClock: clock, ...options });
      houses.push(house);
      const call: Stage['call'] = async (operation, input, actor = OPERATOR) => {
        const idempotencyKey = operation.idempotency === 'none' ? null : `clock-${(calls += 1)}`;
        const requestId = ports.ids.requestId();
        const reply = await execute(house, operation, { actor, input, idempotencyKey, requestId });
        return { status: reply.status, json: JSON.parse(reply.body) as Record<string, unknown> };
      };
      return { house, clock, machine, call };
    },
    close: async () => {
      await Promise.all(houses.map((house) => house.lanes.close()));
      await database.close();
    },
  };
}

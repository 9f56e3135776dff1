import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { execute } from '../../src/operations/execute.ts';
import { holdCapture } from '../../src/operations/hold/capture.ts';
import type { Operation, OperatorActor } from '../../src/operations/operation.ts';
import { statement } from '../../src/store/db.ts';
import { testHouse } from '../support/house.ts';
import { testPorts } from '../support/ports.ts';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound } from '../usage/reporting.ts';
import { signIn } from './people.ts';

const SETTINGS = { financeDailyLimit: 1_000_000_000_000n };
const COUNTED = statement('test.counted', 'select coalesce(sum(moved), 0)::int8 as moved from operator_day');

let site: TestSite;
let actor: OperatorActor;
beforeAll(async () => {
  site = await testSite({ settings: SETTINGS });
  const { userSid } = await signIn(site, 'finance', 'finance');
  actor = { kind: 'operator', id: `operator:${userSid}`, role: 'finance', userSid };
});
afterAll(() => closeSound(site));

const counted = async (): Promise<bigint> =>
  (await site.database.owner.query<{ moved: bigint }>(COUNTED))[0]?.moved ?? 0n;

let holds = 0;
const MOVED = 4_000_000n;
const FLOWS: Record<string, { operation: Operation; prepare: () => Promise<object> }> = {
  debit: {
    operation: billingDebit,
    prepare: async () => ({ sid: (await site.wallet(10_000)).sid, amount: '4.00', description: 'work' }),
  },
  adjustment: {
    operation: billingAdjust,
    prepare: async () => ({ sid: (await site.wallet(10_000)).sid, balance_cents: 9_600 }),
  },
  capture: {
    operation: holdCapture,
    prepare: async () => {
      const body = { wallet_sid: (await site.wallet(10_000)).sid, amount: '5.00', description: 'work' };
      const { json } = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': `hold-${(holds += 1)}` });
      return { sid: json['sid'], amount: '4.00' };
    },
  },
};

describe('G01 a crash at every await of what a finance operator moves', () => {
  let seed = 0;
  async function run(operation: Operation, input: object, key: string, point: number | null): Promise<number> {
    const ports = testPorts({ seed: (seed += 1) });
    await ports.clock.advance(site.ports.clock.now().getTime() - ports.clock.now().getTime());
    const db = site.database.open({ ports });
    ports.crash.dieAfter(point);
    const house = testHouse({ db, ports, settings: SETTINGS });
    const request = { actor, input, idempotencyKey: key, requestId: ports.ids.requestId() };
    await execute(house, operation, request).catch(() => null);
    const reached = ports.crash.reached.length;
    ports.crash.dieAfter(null);
    await db.close();
    return reached;
  }

  test.each(Object.keys(FLOWS))(
    'a %s counts with the money, or not at all and then by the retry',
    async (name) => {
      const flow = FLOWS[name];
      if (!flow) throw new Error(`there is no flow ${name}`);
      const seen = new Set<bigint>();
      let points = 1;
      for (let point = -1; point < points; point += 1) {
        const input = await flow.prepare();
        const before = await counted();
        const reached = await run(flow.operation, input, `${name}-${point}`, point < 0 ? null : point);
        if (point < 0) points = reached;
        else seen.add((await counted()) - before);
        const retry = { actor, input, idempotencyKey: `${name}-${point}`, requestId: site.ports.ids.requestId() };
        expect((await execute(site.house, flow.operation, retry)).status).toBe(200);
        expect([point, (await counted()) - before]).toEqual([point, MOVED]);
      }
      expect(points).toBeGreaterThanOrEqual(8);
      expect(seen).toEqual(new Set([0n, MOVED]));
    },
    60_000,
  );
});

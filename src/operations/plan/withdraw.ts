import { z } from 'zod';
import { planForSale } from '../../domain/plan/plan.ts';
import { refuse } from '../../domain/refusal.ts';
import { insertPlan, lockPlanCode, readPlans } from '../../store/plan.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { planCodeField, planSchema, toPlan } from './plan.ts';

export const planWithdraw = operation({
  name: 'plan.withdraw',
  summary: 'Sell a plan no more',
  description:
    'From now on nobody buys it or changes to it. Who has it keeps it, and renews at its last price. plan.create offers it again.',
  http: { method: 'post', path: '/v1/plans/{code}/withdraw', status: 200 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({ code: planCodeField }),
  output: planSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, { code }) {
    const { db, ports } = call.house;
    return db.transaction('plan.withdraw', async (tx) => {
      await lockPlanCode(tx, code);
      const versions = (await readPlans(tx)).filter((version) => version.code === code);
      const newest = versions.at(-1);
      if (newest === undefined) return refuse('not_found', 'There is no plan with this code.');
      const now = ports.clock.now();
      if (planForSale(versions, code, now) === null)
        return refuse('state_conflict', 'The plan is not for sale at the moment.');
      const coming = versions.find(({ activeFrom }) => activeFrom >= now);
      if (coming !== undefined)
        return refuse(
          'state_conflict',
          'A version is about to begin, and would sell it again. Wait until it has begun.',
          {
            details: { version: coming.version, active_from: coming.activeFrom.toISOString() },
          },
        );
      const plan = {
        ...newest,
        sid: ports.ids.sid(),
        version: newest.version + 1,
        isForSale: false,
        activeFrom: now,
        createdAt: now,
        createdBy: call.actor.id,
      };
      await insertPlan(tx, plan);
      await recordAudit(tx, call, { action: 'plan.withdraw', subject: plan.sid, after: { code } });
      return toPlan(plan);
    });
  },
});

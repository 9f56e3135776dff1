import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listPeriods } from '../../store/plan-period.ts';
import { operation } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { subscriptionSchema, toSubscription, visibleSubscription } from './subscription.ts';

/** Four years of months; who wants more reads the statement. */
const PERIODS_MAX = 50;

export const subscriptionGet = operation({
  name: 'subscription.get',
  summary: 'Read a subscription, with the periods that were paid',
  http: { method: 'get', path: '/v1/subscriptions/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z
    .object({
      ...subscriptionSchema.shape,
      periods: z
        .array(
          z.object({
            number: z.int(),
            part: z.int().describe('0; more after a change of plan within the period.'),
            plan: z.string(),
            plan_version: z.int(),
            starts_at: instant,
            ends_at: instant,
            paid: signedAmount,
          }),
        )
        .describe(`The newest ${PERIODS_MAX}, newest first.`),
    })
    .meta({ id: 'SubscriptionWithPeriods' }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const row = await visibleSubscription(house.db, actor, input.sid);
    if (isRefusal(row)) return row;
    const periods = await listPeriods(house.db, row.id, PERIODS_MAX);
    return {
      ...toSubscription(row),
      periods: periods.map((period) => ({
        number: period.number,
        part: period.part,
        plan: period.planCode,
        plan_version: period.planVersion,
        starts_at: period.startsAt.toISOString(),
        ends_at: period.endsAt.toISOString(),
        paid: formatDecimal(period.paid),
      })),
    };
  },
});

import { z } from 'zod';
import { SUBSCRIPTION_STATES } from '../../domain/plan/subscription.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listSubscriptions } from '../../store/subscription.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { planCodeField } from '../plan/plan.ts';
import { sidField } from '../schema.ts';
import { ownersListed } from '../visible.ts';
import { subscriptionSchema, toSubscription } from './subscription.ts';

export const subscriptionList = operation({
  name: 'subscription.list',
  summary: 'List subscriptions, newest first',
  http: { method: 'get', path: '/v1/subscriptions', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional(),
    state: z.enum(SUBSCRIPTION_STATES).optional(),
    plan: planCodeField.optional(),
    ...pageInput,
  }),
  output: pageOutput(subscriptionSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'subscription.list', input.cursor);
    if (isRefusal(before)) return before;
    const owners = await ownersListed(house.db, actor, input.wallet_sid);
    if (isRefusal(owners)) return owners;
    const rows = await listSubscriptions(house.db, {
      before,
      owners,
      state: input.state ?? null,
      planCode: input.plan ?? null,
      limit: input.limit + 1,
    });
    return pageOf(house, 'subscription.list', rows, input.limit, (row) => row.sid, toSubscription);
  },
});

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readSubscription, saveSubscriptions } from '../../store/subscription.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { endSubscription } from './end.ts';
import { presentSubscription, subscriptionSchema, toSubscription } from './subscription.ts';

export const subscriptionCancel = operation({
  name: 'subscription.cancel',
  summary: 'Let a plan end with the period that was paid',
  description:
    'It counts until its period ends; then its VMs are given back. A plan whose next period is due and unpaid ends at once. Until the end ' +
    'of the period subscription.resume takes it back. A cancellation that comes after the end of a period counts for the next one.',
  http: { method: 'post', path: '/v1/subscriptions/{sid}/cancel', status: 200 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: subscriptionSchema,
  refusals: ['not_found'],
  async run(call, { sid }) {
    const { house } = call;
    return house.db.transaction('subscription.cancel', async (tx) => {
      const row = await presentSubscription(tx, house, call.actor, sid);
      if (isRefusal(row)) return row;
      if (row.state === 'ended' || (row.state === 'active' && !row.isRenewing)) return toSubscription(row);
      if (row.state === 'past_due') {
        await endSubscription(tx, house, { subscription: row.id, reason: 'cancelled', at: house.ports.clock.now() });
      } else {
        await saveSubscriptions(tx, [{ ...row, isRenewing: false, nextPlanCode: null }]);
      }
      const after = await readSubscription(tx, sid);
      assert(after !== null, 'a subscription is never deleted');
      await recordAudit(tx, call, {
        action: 'subscription.cancel',
        subject: sid,
        before: { state: row.state, is_renewing: row.isRenewing, next_plan: row.nextPlanCode },
        after: { state: after.state, ends_at: (after.endedAt ?? after.periodEndsAt).toISOString() },
      });
      return toSubscription(after);
    });
  },
});

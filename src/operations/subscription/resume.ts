import { z } from 'zod';
import { remindsAt } from '../../domain/plan/subscription.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { saveSubscriptions } from '../../store/subscription.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { hasEnded, presentSubscription, subscriptionSchema, toSubscription } from './subscription.ts';

export const subscriptionResume = operation({
  name: 'subscription.resume',
  summary: 'Have a plan renew that was to end with its period',
  http: { method: 'post', path: '/v1/subscriptions/{sid}/resume', status: 200 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: subscriptionSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, { sid }) {
    const { house } = call;
    return house.db.transaction('subscription.resume', async (tx) => {
      const row = await presentSubscription(tx, house, call.actor, sid);
      if (isRefusal(row)) return row;
      if (row.state === 'ended') return hasEnded(row);
      if (row.isRenewing) return toSubscription(row);
      const reminds = remindsAt({ startsAt: row.periodStartsAt, endsAt: row.periodEndsAt });
      const resumed = { ...row, isRenewing: true, remindsAt: reminds };
      await saveSubscriptions(tx, [resumed]);
      await recordAudit(tx, call, {
        action: 'subscription.resume',
        subject: sid,
        before: { is_renewing: false },
        after: { is_renewing: true },
      });
      return toSubscription(resumed);
    });
  },
});

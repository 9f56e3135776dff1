import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readSubscription } from '../../store/subscription.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { endSubscription } from './end.ts';
import { presentSubscription, subscriptionSchema, toSubscription } from './subscription.ts';

export const subscriptionEnd = operation({
  name: 'subscription.end',
  summary: 'End a plan now, whatever was paid',
  description:
    'For operators. Its VMs are given back at once and nothing is paid back by itself: what the customer should have for the rest of the ' +
    'period is given by billing.adjust. To let it end with its period use subscription.cancel.',
  http: { method: 'post', path: '/v1/subscriptions/{sid}/end', status: 200 },
  access: 'operator',
  right: 'money',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(500).describe('Why; kept in the audit row.') }),
  output: subscriptionSchema,
  refusals: ['not_found'],
  async run(call, { sid, reason }) {
    const { house } = call;
    return house.db.transaction('subscription.end', async (tx) => {
      const row = await presentSubscription(tx, house, call.actor, sid);
      if (isRefusal(row)) return row;
      const end = { subscription: row.id, reason: 'operator', at: house.ports.clock.now() } as const;
      if (!(await endSubscription(tx, house, end))) return toSubscription(row);
      await recordAudit(tx, call, {
        action: 'subscription.end',
        subject: sid,
        reason,
        before: { state: row.state, period_ends_at: row.periodEndsAt.toISOString() },
        after: { state: 'ended', vms: row.vmsUsed },
      });
      const after = await readSubscription(tx, sid);
      assert(after !== null, 'a subscription is never deleted');
      return toSubscription(after);
    });
  },
});

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { refuse } from '../../domain/refusal.ts';
import { readInbox, type InboxRow } from '../../store/inbox.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Call } from '../operation.ts';
import { causeOf } from '../payment/cause.ts';
import { sidField } from '../schema.ts';
import { applyWebhook } from './apply.ts';
import { toWebhookEvent, webhookEventSchema } from './webhook-event.ts';

export const webhookEventReplay = operation({
  name: 'webhook-event.replay',
  summary: 'Try a webhook again now',
  description:
    'The payment is settled by what the provider says now, not by what the event said then. An event that was applied answers with ' +
    'reason already_applied and changes nothing. Each press is audited.',
  http: { method: 'post', path: '/v1/webhook-events/{sid}/replay', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: webhookEventSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const before = await readInbox(call.house.db, input.sid);
    if (!before) return refuse('not_found', 'There is no webhook event with this sid.');
    const after = await applyWebhook(call.house, input.sid, causeOf(call, 'replay'));
    assert(after !== null, 'a webhook event is never deleted');
    const reason = before.state === 'applied' ? 'already_applied' : after.reason;
    await audit(call, before, after, reason);
    return { ...toWebhookEvent(after), reason };
  },
});

async function audit(call: Call, before: InboxRow, after: InboxRow, reason: string | null): Promise<void> {
  const { db } = call.house;
  await db.transaction('webhook.audit_replay', (tx) =>
    recordAudit(tx, call, {
      action: 'webhook-event.replay',
      subject: before.sid,
      outcome: after.state === 'applied' || after.state === 'ignored' ? 'done' : 'failed',
      reason,
      before: { state: before.state },
      after: { state: after.state },
    }),
  );
}

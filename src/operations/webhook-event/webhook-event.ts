import { z } from 'zod';
import { INBOX_SOURCES, INBOX_STATES, type InboxRow } from '../../store/inbox.ts';
import { instant, sidField } from '../schema.ts';

/** A verified webhook as the operator sees it. */
export const webhookEventSchema = z
  .object({
    sid: sidField,
    provider: z.string(),
    event_id: z.string(),
    event_type: z.string(),
    source: z
      .enum(INBOX_SOURCES)
      .describe("webhook: it was delivered · list: no delivery arrived, and it was read from the provider's own list"),
    state: z.enum(INBOX_STATES),
    reason: z.string().nullable().describe('Why it is ignored, pending, quarantined or dead: a stable word.'),
    payment_sid: sidField.nullable().describe('The payment it was found to belong to.'),
    attempts: z.int(),
    received_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'WebhookEvent' });

export type WebhookEvent = z.input<typeof webhookEventSchema>;

export const toWebhookEvent = (row: InboxRow): WebhookEvent => ({
  sid: row.sid,
  provider: row.provider,
  event_id: row.eventId,
  event_type: row.eventType,
  source: row.source,
  state: row.state,
  reason: row.reason,
  payment_sid: row.paymentSid,
  attempts: row.attempts,
  received_at: row.receivedAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

import { z } from 'zod';
import { EVENT_TYPE_NAMES } from '../../domain/event/types.ts';
import type { EventRow } from '../../store/event.ts';
import { instant, sidField } from '../schema.ts';

/** Something that happened, as others are told of it. */
export const eventSchema = z
  .object({
    sid: sidField.describe('A ULID; the `webhook-id` of every delivery of this event.'),
    type: z.enum(EVENT_TYPE_NAMES),
    user_sid: sidField.nullable().describe("Null for the house's own events."),
    body: z.string().describe('The very JSON text that is signed and sent.'),
    occurred_at: instant,
  })
  .meta({ id: 'Event' });

export const toEvent = (row: EventRow): z.input<typeof eventSchema> => ({
  sid: row.sid,
  type: row.type,
  user_sid: row.userSid,
  body: row.body,
  occurred_at: row.occurredAt.toISOString(),
});

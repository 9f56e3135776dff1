import { z } from 'zod';
import { EVENT_TYPE_NAMES } from '../../domain/event/types.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { DELIVERY_STATES, readDelivery, type AttemptRow, type DeliveryRow } from '../../store/delivery.ts';
import { ownEndpoint } from '../endpoint/endpoint.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField } from '../schema.ts';

/** One event on its way to one endpoint. */
export const deliverySchema = z
  .object({
    sid: sidField,
    endpoint_sid: sidField,
    event_sid: sidField.describe('The `webhook-id`.'),
    event_type: z.enum(EVENT_TYPE_NAMES),
    state: z.enum(DELIVERY_STATES).describe('pending: will be tried (again) · delivered · failed: tried too often'),
    attempts: z.int(),
    next_attempt_at: instant.nullable(),
    last_status: z.int().nullable().describe('What was answered last; null when nothing was.'),
    last_error: z.string().nullable().describe('Why there was no answer: a stable word.'),
    created_at: instant,
    ended_at: instant.nullable(),
  })
  .meta({ id: 'Delivery' });

export const attemptSchema = z
  .object({
    number: z.int(),
    at: instant,
    duration_ms: z.int(),
    status: z.int().nullable(),
    error: z.string().nullable(),
    answer: z.string().nullable().describe('The first bytes of what was answered.'),
  })
  .meta({ id: 'DeliveryAttempt' });

export const toDelivery = (row: DeliveryRow): z.input<typeof deliverySchema> => ({
  sid: row.sid,
  endpoint_sid: row.endpoint,
  event_sid: row.event,
  event_type: row.eventType,
  state: row.state,
  attempts: row.attempts,
  next_attempt_at: row.dueAt?.toISOString() ?? null,
  last_status: row.lastStatus,
  last_error: row.lastError,
  created_at: row.createdAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
});

export const toAttempt = (row: AttemptRow): z.input<typeof attemptSchema> => ({
  number: row.number,
  at: row.at.toISOString(),
  duration_ms: row.durationMs,
  status: row.status,
  error: row.error,
  answer: row.answer,
});

/** A delivery to an endpoint that the actor may see. */
export async function ownDelivery(tx: Tx, actor: Actor, sid: string): Promise<DeliveryRow | Refusal> {
  const row = await readDelivery(tx, sid);
  const endpoint = row === null ? null : await ownEndpoint(tx, actor, row.endpoint, 'look');
  const isTheirs = row !== null && endpoint !== null && !isRefusal(endpoint);
  return isTheirs ? row : refuse('not_found', 'There is no delivery with this sid.');
}

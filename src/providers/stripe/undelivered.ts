import { z } from 'zod';
import { ProviderFailure, type PaymentProvider } from '../provider.ts';
import { checked, type StripeCall } from './client.ts';
import { EVENT_TYPES } from './event.ts';
import { readEventObject } from './webhook.ts';

/** An event with its object takes up to 10 KB, and an answer may have 1 MB. */
const PAGE_SIZE = 50;
/** As many as one list takes. */
const TYPES_MAX = 20;

const listShape = z.object({
  object: z.literal('list'),
  has_more: z.boolean(),
  data: z.array(z.looseObject({ id: z.string() })),
});

/**
 * `GET /v1/events?delivery_success=false`: what no endpoint has taken, up to 30 days back, newest first.
 *
 * The cursor names the group of types that is walked (one list takes twenty) and the last event given out.
 */
export function listUndelivered(call: StripeCall): NonNullable<PaymentProvider['listUndelivered']> {
  const groups = Array.from({ length: Math.ceil(EVENT_TYPES.length / TYPES_MAX) }, (_, index) =>
    EVENT_TYPES.slice(index * TYPES_MAX, (index + 1) * TYPES_MAX),
  );
  return async ({ since, until }, cursor) => {
    const [group = '0', after = ''] = (cursor ?? '0').split(':');
    const types = groups[Number(group)] ?? [];
    const answer = await call('list-events', false, (stripe) =>
      stripe.events.list({
        delivery_success: false,
        types: [...types],
        created: { gte: Math.floor(since.getTime() / 1000), lte: Math.floor(until.getTime() / 1000) },
        limit: PAGE_SIZE,
        ...(after === '' ? {} : { starting_after: after }),
      }),
    );
    const { data, has_more: hasMore } = checked(listShape, answer, 'none');
    const last = data.at(-1)?.id;
    const next = Number(group) + 1;
    const nextCursor = hasMore && last !== undefined ? `${group}:${last}` : next < groups.length ? `${next}` : null;
    return { events: data.map(toListed), nextCursor };
  };
}

function toListed(event: object) {
  const read = readEventObject(event);
  if (read === null) throw new ProviderFailure('broken', 'none', "An event in Stripe's list has the wrong shape.");
  return { ...read, body: new TextEncoder().encode(JSON.stringify(event)) };
}

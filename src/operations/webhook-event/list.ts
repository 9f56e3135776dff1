import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { INBOX_STATES, listInbox } from '../../store/inbox.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { toWebhookEvent, webhookEventSchema } from './webhook-event.ts';

const NAME = 'webhook-event.list';

export const webhookEventList = operation({
  name: NAME,
  summary: 'List the verified webhooks, newest first',
  http: { method: 'get', path: '/v1/webhook-events', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ state: z.enum(INBOX_STATES).optional(), ...pageInput }),
  output: pageOutput(webhookEventSchema),
  refusals: [],
  async run(call, input) {
    const { house } = call;
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listInbox(house.db, { before, state: input.state ?? null, limit: input.limit + 1 });
    return pageOf(house, NAME, rows, input.limit, (row) => row.sid, toWebhookEvent);
  },
});

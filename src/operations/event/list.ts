import { z } from 'zod';
import { EVENT_TYPE_NAMES } from '../../domain/event/types.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listEvents } from '../../store/event.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { ownerField, ownersListed } from '../visible.ts';
import { eventSchema, toEvent } from './event.ts';

const NAME = 'event.list';

export const eventList = operation({
  name: NAME,
  summary: 'List what happened and is told to others, newest first',
  description: 'A user sees the events of wallets that they reach, an operator all.',
  http: { method: 'get', path: '/v1/events', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: ownerField, type: z.enum(EVENT_TYPE_NAMES).optional(), ...pageInput }),
  output: pageOutput(eventSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const owners = await ownersListed(house.db, actor, input.wallet_sid);
    if (isRefusal(owners)) return owners;
    const page = { before, owners, type: input.type ?? null, limit: input.limit + 1 };
    return pageOf(house, NAME, await listEvents(house.db, page), input.limit, (row) => row.sid, toEvent);
  },
});

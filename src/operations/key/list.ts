import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { listKeys } from '../../store/key.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { keySchema, toKey } from './key.ts';

export const keyList = operation({
  name: 'key.list',
  summary: 'List keys of users, newest first, ended ones included',
  description: 'Without owner_sid a user’s own; an operator’s list has all. An organisation’s are for its owners.',
  http: { method: 'get', path: '/v1/keys', status: 200 },
  access: 'user',
  // A key that leaked must not say where else to look.
  scope: null,
  member: 'owner',

  // An organisation's keys are its owners' affair, as their making is.

  idempotency: 'none',
  input: z.strictObject({ owner_sid: sidField.optional(), ...pageInput }),
  output: pageOutput(keySchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'key.list', input.cursor);
    if (isRefusal(before)) return before;
    if (input.owner_sid !== undefined && !maySee(actor, input.owner_sid))
      return refuse('not_found', 'There is no user or organisation with this sid.');
    const ownerSid = input.owner_sid ?? (actor.kind === 'user' ? actor.userSid : null);
    const rows = await listKeys(house.db, { before, ownerSid, limit: input.limit + 1 });
    return pageOf(
      house,
      'key.list',
      rows,
      input.limit,
      (key) => key.sid,
      (key) => toKey(house, key),
    );
  },
});

import { z } from 'zod';
import { GRANT_STATES } from '../../domain/grant/grant.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listGrants } from '../../store/grant.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { ownRowsOf } from '../visible.ts';
import { grantSchema, toGrant } from './grant.ts';

export const grantList = operation({
  name: 'grant.list',
  summary: 'List credit that was given, newest first',
  http: { method: 'get', path: '/v1/grants', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: sidField.optional(), state: z.enum(GRANT_STATES).optional(), ...pageInput }),
  output: pageOutput(grantSchema),
  refusals: [],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'grant.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listGrants(house.db, {
      before,
      walletSid: input.wallet_sid ?? null,
      owners: ownRowsOf(actor),
      state: input.state ?? null,
      limit: input.limit + 1,
    });
    return pageOf(house, 'grant.list', rows, input.limit, (grant) => grant.sid, toGrant);
  },
});

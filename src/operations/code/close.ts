import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { closeCode, readCodeRow } from '../../store/code.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { codeSchema, noSuchCode, toCode } from './code.ts';

export const codeClose = operation({
  name: 'code.close',
  summary: 'End a promo code: nobody redeems it any more',
  description:
    'For good, and at once: a code that has got about is stopped by it. Credit that it gave stays; grant.revoke takes it back. Sent again it ' +
    'answers as the first time.',
  http: { method: 'post', path: '/v1/codes/{sid}/close', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: codeSchema,
  refusals: ['not_found'],
  async run(call, { sid, reason }) {
    const { db, ports } = call.house;
    return await db.transaction('code.close', async (tx) => {
      const now = ports.clock.now();
      const before = await readCodeRow(tx, sid);
      if (before === null) return noSuchCode();
      if (await closeCode(tx, { sid, at: now, by: call.actor.id }))
        await recordAudit(tx, call, { action: 'code.close', subject: sid, reason, after: { code: before.word } });
      const after = await readCodeRow(tx, sid);
      assert(after !== null, 'a code is never deleted');
      return toCode(after, now);
    });
  },
});

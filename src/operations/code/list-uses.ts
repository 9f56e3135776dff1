import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listCodeUses, readCodeRow } from '../../store/code.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { codeUseSchema, noSuchCode, toCodeUse } from './code.ts';

export const codeListUses = operation({
  name: 'code.list-uses',
  summary: 'List who redeemed a promo code, newest first',
  http: { method: 'get', path: '/v1/codes/{sid}/uses', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, ...pageInput }),
  output: pageOutput(codeUseSchema),
  refusals: ['not_found'],
  async run({ house }, input) {
    const before = readCursor(house, 'code.list-uses', input.cursor);
    if (isRefusal(before)) return before;
    if ((await readCodeRow(house.db, input.sid)) === null) return noSuchCode();
    const page = { code: input.sid, before: before === null ? null : Number(before), limit: input.limit + 1 };
    const rows = await listCodeUses(house.db, page);
    return pageOf(house, 'code.list-uses', rows, input.limit, (use) => String(use.number), toCodeUse);
  },
});

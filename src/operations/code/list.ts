import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listCodes } from '../../store/code.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { textField } from '../schema.ts';
import { codeSchema, toCode } from './code.ts';

export const codeList = operation({
  name: 'code.list',
  summary: 'List promo codes, newest first',
  http: { method: 'get', path: '/v1/codes', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    search: textField(100).optional().describe('Finds the text anywhere in a code or its description.'),
    ...pageInput,
  }),
  output: pageOutput(codeSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'code.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listCodes(house.db, { before, search: input.search ?? null, limit: input.limit + 1 });
    const now = house.ports.clock.now();
    return pageOf(
      house,
      'code.list',
      rows,
      input.limit,
      (code) => code.sid,
      (code) => toCode(code, now),
    );
  },
});

import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { CORRECTION_KINDS, CORRECTION_STATES, listCorrections } from '../../store/correction.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { correctionSchema, toCorrection } from './correction.ts';

export const correctionList = operation({
  name: 'correction.list',
  summary: 'List corrections of many lines, newest first',
  http: { method: 'get', path: '/v1/corrections', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    state: z.enum(CORRECTION_STATES).optional(),
    kind: z.enum(CORRECTION_KINDS).optional(),
    ...pageInput,
  }),
  output: pageOutput(correctionSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'correction.list', input.cursor);
    if (isRefusal(before)) return before;
    const { state = null, kind = null, limit } = input;
    const rows = await listCorrections(house.db, { before, state, kind, limit: limit + 1 });
    return pageOf(house, 'correction.list', rows, limit, (row) => row.sid, toCorrection);
  },
});

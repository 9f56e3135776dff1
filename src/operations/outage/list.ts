import { z } from 'zod';
import { OUTAGE_STATES, OUTAGE_SUBJECTS } from '../../domain/outage/outage.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listOutages } from '../../store/outage.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { outageSchema, toOutage } from './outage.ts';

export const outageList = operation({
  name: 'outage.list',
  summary: 'List outages, newest first',
  http: { method: 'get', path: '/v1/outages', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    state: z.enum(OUTAGE_STATES).optional(),
    subject: z.enum(OUTAGE_SUBJECTS).optional(),
    ...pageInput,
  }),
  output: pageOutput(outageSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'outage.list', input.cursor);
    if (isRefusal(before)) return before;
    const { state = null, subject = null, limit } = input;
    const rows = await listOutages(house.db, { before, state, subject, limit: limit + 1 });
    return pageOf(house, 'outage.list', rows, limit, (row) => row.sid, toOutage);
  },
});

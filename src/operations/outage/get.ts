import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readOutage } from '../../store/outage.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { outageSchema, toOutage } from './outage.ts';

export const outageGet = operation({
  name: 'outage.get',
  summary: 'Show an outage, and how far giving back for it is',
  http: { method: 'get', path: '/v1/outages/{sid}', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: outageSchema,
  refusals: ['not_found'],
  async run({ house }, { sid }) {
    const row = await readOutage(house.db, sid);
    return row ? toOutage(row) : refuse('not_found', 'There is no outage with this sid.');
  },
});

import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readCorrection } from '../../store/correction.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { correctionSchema, toCorrection } from './correction.ts';

export const correctionGet = operation({
  name: 'correction.get',
  summary: 'Show a correction of many lines and how far it is',
  http: { method: 'get', path: '/v1/corrections/{sid}', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: correctionSchema,
  refusals: ['not_found'],
  async run({ house }, { sid }) {
    const row = await readCorrection(house.db, sid);
    return row ? toCorrection(row) : refuse('not_found', 'There is no correction with this sid.');
  },
});

import { z } from 'zod';
import { obstaclesOf } from '../../domain/erasure/obstacle.ts';
import { refuse } from '../../domain/refusal.ts';
import { readErasure, readErasureStanding } from '../../store/erasure.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { actsFor } from '../visible.ts';
import { erasureSchema, toErasure } from './erasure.ts';

export const erasureGet = operation({
  name: 'erasure.get',
  summary: 'Say whether an account can be deleted, or how far that is',
  http: { method: 'get', path: '/v1/users/{sid}/erasure', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: erasureSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const row = actsFor(actor, input.sid) ? await readErasure(house.db, input.sid) : null;
    if (row === null) return refuse('not_found', 'There is no user with this sid.');
    if (row.erasedAt !== null) return toErasure(row, []);
    return toErasure(row, obstaclesOf(await readErasureStanding(house.db, row)));
  },
});

import { z } from 'zod';
import { operation } from '../operation.ts';
import { clockSchema, toClock } from './clock.ts';

export const clockGet = operation({
  name: 'clock.get',
  summary: 'Say what time it is here',
  description: 'Of a sandbox also how far its clock is ahead, and how far a move has come.',
  http: { method: 'get', path: '/v1/clock', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: clockSchema,
  refusals: [],
  run: ({ house }) => toClock(house),
});

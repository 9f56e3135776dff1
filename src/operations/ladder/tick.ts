import { z } from 'zod';
import { operation } from '../operation.ts';
import { recomputeLadders } from './recompute.ts';

export const ladderTick = operation({
  name: 'ladder.tick',
  summary: 'Prove the runs of continuous use from the ledger now',
  description:
    'It runs every night by itself. A run that was kept too short is widened; what was charged stays charged.',
  http: { method: 'post', path: '/admin/discount-ladder-tick', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    wallets: z.int().describe('How many were looked at.'),
    mended: z.int().describe('Runs that the ledger proves longer than they were kept.'),
  }),
  refusals: [],
  run: ({ house }) => recomputeLadders(house),
});

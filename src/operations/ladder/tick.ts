import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { apartRefusal } from '../clock/compare.ts';
import { operation } from '../operation.ts';
import { signedAmount } from '../schema.ts';
import { recomputeLadders } from './recompute.ts';

export const ladderTick = operation({
  name: 'ladder.tick',
  summary: 'Prove the runs of continuous use now, and correct lines on a wrong rung',
  description:
    'It runs every day by itself. A record that came late, or was taken back, can move the beginning of a run of use: then lines of days ' +
    'that are over, and that stand on another rung than all lines together prove, are corrected by postings of the difference. So what a ' +
    'day costs does not depend on the order in which its records came. Only wallets with new entries are looked at.',
  http: { method: 'post', path: '/admin/discount-ladder-tick', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    wallets: z.int().describe('How many were looked at.'),
    mended: z.int().describe('Runs that the ledger proves to be others than were kept.'),
    rerated: z.int().describe('Lines that were corrected.'),
    moved: signedAmount.describe('What wallets were given by that; negative: what they paid.'),
  }),
  refusals: [],
  async run({ house }) {
    const apart = apartRefusal(house);
    if (apart) return apart;
    const { moved, ...counts } = await recomputeLadders(house);
    return { ...counts, moved: formatDecimal(moved) };
  },
});

import { z } from 'zod';
import type { Ladder } from '../../domain/discount/ladder.ts';
import { formatScaled } from '../../domain/usage/decimal.ts';
import { categoryField } from '../price/price.ts';
import { instant } from '../schema.ts';

export const ladderSchema = z
  .object({
    category: categoryField,
    version: z.int(),
    rungs: z.array(
      z.object({
        after_days: z.int().describe('Days of continuous use.'),
        multiplier: z.string().describe('What the list price is multiplied by from then on.'),
      }),
    ),
    grace_days: z.int().describe('Use is continuous while no gap is longer.'),
    floor_at_cost: z.boolean().describe('Whether no discount goes below what the provider charged.'),
    active_from: instant,
  })
  .meta({ id: 'Ladder' });

export function toLadder(ladder: Ladder): z.input<typeof ladderSchema> {
  return {
    category: ladder.category,
    version: ladder.version,
    rungs: ladder.rungs.map(({ afterDays, multiplier }) => ({
      after_days: afterDays,
      multiplier: formatScaled(multiplier, 4),
    })),
    grace_days: ladder.graceDays,
    floor_at_cost: ladder.isFloorAtCost,
    active_from: ladder.activeFrom.toISOString(),
  };
}

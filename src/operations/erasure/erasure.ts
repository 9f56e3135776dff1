import { z } from 'zod';
import { OBSTACLES, type Obstacle } from '../../domain/erasure/obstacle.ts';
import type { ErasureRow } from '../../store/erasure.ts';
import { instant, sidField } from '../schema.ts';

export const erasureSchema = z
  .object({
    user_sid: sidField,
    erased_at: instant.nullable().describe('Since when the account is deleted; null: it is not.'),
    is_complete: z
      .boolean()
      .describe(
        'Whether nothing is left to do. Saved cards are removed at the provider after the rest, and looked for once more.',
      ),
    obstacles: z
      .array(z.object({ code: z.enum(OBSTACLES), message: z.string() }))
      .describe('Why the account cannot be deleted now; empty: it can, or is.'),
  })
  .meta({ id: 'Erasure' });
export type Erasure = z.input<typeof erasureSchema>;

export const toErasure = (row: ErasureRow, obstacles: readonly Obstacle[]): Erasure => ({
  user_sid: row.userSid,
  erased_at: row.erasedAt?.toISOString() ?? null,
  is_complete: row.erasedAt !== null && row.nextSweepAt === null,
  obstacles: [...obstacles],
});

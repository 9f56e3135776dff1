import { z } from 'zod';
import type { StreamRow } from '../../store/sequence.ts';
import { categoryField } from '../price/price.ts';
import { instant } from '../schema.ts';

/** The numbers of a node's records in one category. */
export const streamSchema = z
  .object({
    category: categoryField,
    last: z.int().describe('The highest number that has come. A node that has lost its count goes on from here.'),
    missing: z.int().describe('How many numbers from 1 to the last have not come.'),
    first_missing: z.int().nullable().describe('The lowest of them.'),
    missing_since: instant.nullable().describe('When the first number above that one came.'),
    gaps: z
      .array(z.object({ from: z.int(), to: z.int(), noticed_at: instant }))
      .describe(
        'The lowest gaps, both ends missing, with the instant at which a higher number came first. Send them again.',
      ),
    reused: z
      .int()
      .describe(
        'New records under a number that had come before: charged all the same. A record that is sent again while its first call still ' +
          'runs may be counted as well.',
      ),
    given_up: z.int().describe('Numbers that are not waited for any more.'),
  })
  .meta({ id: 'NumberStream' });

export function toStream(row: StreamRow, gapsMax: number): z.input<typeof streamSchema> {
  const [lowest] = row.gaps;
  return {
    category: row.category,
    last: Number(row.last),
    missing: Number(row.missing),
    first_missing: lowest === undefined ? null : Number(lowest.from),
    missing_since: lowest?.noticedAt.toISOString() ?? null,
    gaps: row.gaps.slice(0, gapsMax).map(({ from, to, noticedAt }) => ({
      from: Number(from),
      to: Number(to),
      noticed_at: noticedAt.toISOString(),
    })),
    reused: Number(row.reused),
    given_up: Number(row.givenUp),
  };
}

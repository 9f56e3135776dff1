import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Rung } from '../../domain/discount/ladder.ts';
import { parseScaled } from '../../domain/usage/decimal.ts';
import { hasVolumePriceFrom } from '../../domain/usage/volume-price.ts';
import { insertLadder } from '../../store/ladder.ts';
import { listPricesFor, lockCategory } from '../../store/price.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { categoryField } from '../price/price.ts';
import { instant } from '../schema.ts';
import { ladderSchema, toLadder } from './ladder.ts';

const RUNGS_MAX = 20;

export const ladderSet = operation({
  name: 'ladder.set',
  summary: 'Give a category a new version of its discount ladder',
  description: 'Counts for what happens from `active_from` on; what was charged stays charged. No rungs: no discount.',
  http: { method: 'post', path: '/v1/ladders', status: 201 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({
    category: categoryField,
    rungs: z
      .array(z.strictObject({ after_days: z.int().min(1).max(3_650), multiplier: z.string() }))
      .max(RUNGS_MAX)
      .describe('By rising days, with falling multipliers from below 1 to 0, at most four decimals.'),
    grace_days: z.int().min(1).max(365).default(7),
    floor_at_cost: z.boolean().default(true),
    active_from: instant.optional().describe('Now if left out. Not in the past.'),
  }),
  output: ladderSchema,
  refusals: ['state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    const rungs = readRungs(input.rungs);
    if ('refusal' in rungs) return rungs.refusal;
    const activeFrom = input.active_from === undefined ? now : new Date(input.active_from);
    if (activeFrom < now) return invalid('#/active_from', 'must not be in the past');
    const { category, grace_days: graceDays, floor_at_cost: isFloorAtCost } = input;
    return db.transaction('ladder.set', async (tx) => {
      await lockCategory(tx, category);
      if (rungs.rungs.length > 0 && hasVolumePriceFrom(await listPricesFor(tx, [category]), category, activeFrom))
        return refuse('state_conflict', COUNTS_VOLUME);
      const asked = { category, rungs: rungs.rungs, graceDays, isFloorAtCost, activeFrom };
      const ladder = await insertLadder(tx, asked, { at: now, by: call.actor.id });
      await recordAudit(tx, call, {
        action: 'ladder.set',
        subject: ladder.category,
        after: { version: ladder.version, rungs: JSON.stringify(toLadder(ladder).rungs), grace_days: ladder.graceDays },
      });
      return toLadder(ladder);
    });
  },
});

const COUNTS_VOLUME =
  'The category has a price then that counts the volume of a month, and a ladder does not go together with one: ' +
  'the order of the records would decide what they cost. Give it a price of another kind from then on first (price.create).';

function readRungs(
  sent: readonly { readonly after_days: number; readonly multiplier: string }[],
): { readonly rungs: readonly Rung[] } | { readonly refusal: Refusal } {
  const rungs: Rung[] = [];
  for (const [index, { after_days: afterDays, multiplier: text }] of sent.entries()) {
    const before = rungs.at(-1);
    const multiplier = parseScaled(text, 4);
    if (multiplier === null || multiplier >= (before?.multiplier ?? 10_000n))
      return {
        refusal: invalid(`#/rungs/${index}/multiplier`, 'must be less than the one before, at most four decimals'),
      };
    if (afterDays <= (before?.afterDays ?? 0))
      return { refusal: invalid(`#/rungs/${index}/after_days`, 'must be more than the ones before') };
    rungs.push({ afterDays, multiplier });
  }
  return { rungs };
}

const invalid = (pointer: string, detail: string): Refusal =>
  refuse('invalid_request', 'The ladder is not valid.', { errors: [{ pointer, detail }] });

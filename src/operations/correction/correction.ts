import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { CORRECTION_KINDS, CORRECTION_STATES, type CorrectionRow } from '../../store/correction.ts';
import type { LineFilter } from '../../store/usage-line.ts';
import { EVER } from '../node/usage.ts';
import { categoryField, resourceKindField } from '../price/price.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

/** Which lines a correction is about. Each field that is given narrows it. */
export const filterInput = {
  node_sid: sidField.optional().describe('What this node reported.'),
  wallet_sid: sidField.optional().describe('What this wallet was charged.'),
  category: categoryField.optional(),
  resource_kind: resourceKindField.optional(),
  price_sid: sidField.optional().describe('What stands at this price.'),
  occurred_from: instant.optional().describe('What was used from then on.'),
  occurred_until: instant.optional().describe('What was used before then.'),
  recorded_from: instant.optional().describe('What was charged from then on.'),
  recorded_until: instant.optional().describe('What was charged before then; never later than the correction itself.'),
};
const filterFields = z.strictObject(filterInput);
export type FilterInput = z.output<typeof filterFields>;

export const correctionSchema = z
  .object({
    sid: sidField,
    kind: z
      .enum(CORRECTION_KINDS)
      .describe(
        'void: take back. reprice: charge anew. rerate: made by the house, when a run of use turned out another.',
      ),
    state: z.enum(CORRECTION_STATES),
    progress: z.string().describe('For people: "400 of 1200 lines".'),
    lines_total: z.int().describe('How many lines there were to look at.'),
    lines_done: z.int(),
    lines_changed: z.int().describe('Lines with a new posting; the others stood as they should.'),
    lines_skipped: z.int().describe('Lines that could not be corrected, for example without a price of their time.'),
    moved: signedAmount.describe('What wallets were given; negative: what they paid.'),
    reason: z.string(),
    filter: z.record(z.string(), z.string()).describe('The fields by which its lines were chosen.'),
    created_at: instant,
    created_by: z.string(),
    ended_at: instant.nullable().describe('Null while it runs.'),
  })
  .meta({ id: 'Correction' });

export function toCorrection(row: CorrectionRow): z.input<typeof correctionSchema> {
  return {
    sid: row.sid,
    kind: row.kind,
    state: row.state,
    progress: `${row.done} of ${row.total} lines`,
    lines_total: Number(row.total),
    lines_done: Number(row.done),
    lines_changed: Number(row.changed),
    lines_skipped: Number(row.skipped),
    moved: formatDecimal(row.moved),
    reason: row.reason,
    filter: fromFilter(row.filter),
    created_at: row.createdAt.toISOString(),
    created_by: row.createdBy,
    ended_at: row.endedAt?.toISOString() ?? null,
  };
}

/** A millisecond: bounds are exclusive, and what was charged at the very moment of the correction belongs to it. */
const MOMENT_MS = 1;

/** Nothing is charged before a correction that it does not know: it looks at what was recorded up to `now`. */
export function toFilter(input: FilterInput, now: Date): LineFilter {
  const at = (text: string | undefined, otherwise: Date): Date => (text === undefined ? otherwise : new Date(text));
  const end = new Date(now.getTime() + MOMENT_MS);
  const recordedUntil = at(input.recorded_until, end);
  return {
    walletSid: input.wallet_sid ?? null,
    nodeSid: input.node_sid ?? null,
    category: input.category ?? null,
    resourceKind: input.resource_kind ?? null,
    priceSid: input.price_sid ?? null,
    occurredFrom: at(input.occurred_from, EVER.since),
    occurredUntil: at(input.occurred_until, EVER.until),
    recordedFrom: at(input.recorded_from, EVER.since),
    recordedUntil: recordedUntil < end ? recordedUntil : end,
  };
}

function fromFilter(filter: LineFilter): Record<string, string> {
  const { occurredFrom, occurredUntil, recordedFrom, recordedUntil } = filter;
  const fields: Record<string, string | null> = {
    node_sid: filter.nodeSid,
    wallet_sid: filter.walletSid,
    category: filter.category,
    resource_kind: filter.resourceKind,
    price_sid: filter.priceSid,
    occurred_from: occurredFrom > EVER.since ? occurredFrom.toISOString() : null,
    occurred_until: occurredUntil < EVER.until ? occurredUntil.toISOString() : null,
    recorded_from: recordedFrom > EVER.since ? recordedFrom.toISOString() : null,
    recorded_until: recordedUntil.toISOString(),
  };
  return Object.fromEntries(Object.entries(fields).flatMap(([name, text]) => (text === null ? [] : [[name, text]])));
}

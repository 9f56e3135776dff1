import { z } from 'zod';
import { FRACTIONS_PER_MICRO } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import type { CorrectionKind } from '../../store/correction.ts';
import { listUsageLines, type LineFilter, type UsageLineRow } from '../../store/usage-line.ts';
import type { House } from '../house.ts';
import { sidField, signedAmount } from '../schema.ts';
import { partsOf } from '../usage/correct-lines.ts';
import { toUsageLine, type UsageLine } from '../usage/usage-line.ts';
import { priceBookFor, STEP_LINES, targetOf } from './run.ts';

/** What one request looks at: some seconds. A longer list is summed up to here. */
const PREVIEW_LINES_MAX = 20_000;
const SAMPLE_LINES = 10;

const sampleSchema = z.object({
  wallet_sid: sidField,
  entry: z.int().describe('The number of the line in the wallet’s statement.'),
  before: signedAmount,
  after: signedAmount,
  skipped_because: z.string().nullable().describe('Why it would stay as it is; null when it would be corrected.'),
});

export const previewSchema = z
  .object({
    lines_changed: z.int(),
    lines_skipped: z.int(),
    sum_before: signedAmount.describe('What the lines come to now, rounded down.'),
    sum_after: signedAmount.describe('What they would come to.'),
    sum_moved: signedAmount.describe('What would be moved for it, whichever way.'),
    is_complete: z.boolean().describe(`False: only the first ${PREVIEW_LINES_MAX} lines were looked at.`),
    sample: z.array(sampleSchema).describe('The first lines that would change, or be skipped.'),
  })
  .meta({ id: 'CorrectionPreview' });

/** What a correction would do, without doing it. */
export async function previewCorrection(
  { db }: House,
  kind: CorrectionKind,
  filter: LineFilter,
): Promise<z.input<typeof previewSchema>> {
  let [before, after, moved] = [0n, 0n, 0n];
  let [seen, changed, skipped] = [0, 0, 0];
  const sample: z.input<typeof sampleSchema>[] = [];
  let last: UsageLineRow | null = null;
  for (;;) {
    const page: UsageLineRow[] = await listUsageLines(db, filter, { after: last, limit: STEP_LINES });
    const book = await priceBookFor(db, page);
    for (const row of page) {
      const line = toUsageLine(row);
      const stands = line.now === null ? 0n : partsOf(line.now);
      const target = targetOf(kind, line, book);
      const refusal = isRefusal(target) ? target.message : null;
      const next = isRefusal(target) ? stands : target === 'nothing' ? 0n : partsOf(target);
      before += stands;
      after += next;
      moved += next > stands ? next - stands : stands - next;
      const isChanged = refusal === null && (next !== stands || kind === 'void');
      changed += isChanged ? 1 : 0;
      skipped += refusal === null ? 0 : 1;
      const isShown = (isChanged || refusal !== null) && sample.length < SAMPLE_LINES;
      if (isShown) sample.push(toSample(line, { stands, next, refusal }));
    }
    seen += page.length;
    last = page.at(-1) ?? last;
    const isComplete = page.length < STEP_LINES;
    if (!isComplete && seen < PREVIEW_LINES_MAX) continue;
    return {
      lines_changed: changed,
      lines_skipped: skipped,
      sum_before: dollarsOf(before),
      sum_after: dollarsOf(after),
      sum_moved: dollarsOf(moved),
      is_complete: isComplete,
      sample,
    };
  }
}

const toSample = (
  line: UsageLine,
  { stands, next, refusal }: { readonly stands: bigint; readonly next: bigint; readonly refusal: string | null },
): z.input<typeof sampleSchema> => ({
  wallet_sid: line.walletSid,
  entry: Number(line.seq),
  before: dollarsOf(stands),
  after: dollarsOf(next),
  skipped_because: refusal,
});

/** Rounded down: what stands is never negative. */
const dollarsOf = (parts: bigint): string => formatDecimal(parts / FRACTIONS_PER_MICRO);

import { z } from 'zod';
import { micros, parseDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { insertCorrection, type CorrectionRow } from '../../store/correction.ts';
import type { Tx } from '../../store/db.ts';
import { readNode } from '../../store/node.ts';
import { readPrice } from '../../store/price.ts';
import { countUsageLines, type LineFilter } from '../../store/usage-line.ts';
import { readWalletBySid } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Call } from '../operation.ts';
import { countMoved, hasDailyLimit } from '../operator/daily-limit.ts';
import { textField } from '../schema.ts';
import { foldAll } from '../usage/fold-all.ts';
import { correctionSchema, filterInput, toCorrection, toFilter, type FilterInput } from './correction.ts';
import { previewCorrection, previewSchema } from './preview.ts';

export const correctionCreate = operation({
  name: 'correction.create',
  summary: 'Take back, or charge anew, every usage line that fits; dry run first',
  description:
    'With `dry_run` nothing is written: the answer has the sums before and after and the first lines. Without it the answer comes at once, ' +
    'and the lines are worked through in steps; `correction.get` says how far it is. `void` takes lines back. `reprice` charges each with the ' +
    'prices and the ladder that are kept now for its day, and posts the difference. A line is never corrected twice for the same: what ' +
    'stands as it should is left alone.',
  http: { method: 'post', path: '/v1/corrections', status: 201 },
  access: 'operator',
  right: 'money',
  idempotency: 'optional',
  input: z.strictObject({
    kind: z.enum(['void', 'reprice']),
    reason: textField(255),
    ...filterInput,
    dry_run: z.boolean().default(false),
  }),
  output: z.object({
    correction: correctionSchema.nullable().describe('Null for a dry run.'),
    preview: previewSchema.nullable().describe('Null but for a dry run.'),
  }),
  refusals: ['not_found', 'amount_out_of_range'],
  async run(call, input) {
    const { house, actor } = call;
    const { db, ports, jobs } = house;
    const { kind, reason, dry_run: isDryRun, ...chosen } = input;
    const wrong = await wrongWith(db, chosen);
    if (wrong) return wrong;
    await foldAll(house);
    const now = ports.clock.now();
    const filter = toFilter(chosen, now);
    if (isDryRun) return { correction: null, preview: await previewCorrection(house, kind, filter) };
    const total = await countUsageLines(db, filter);
    const moving = hasDailyLimit(call) ? await amountOf(call, kind, filter) : 0n;
    if (isRefusal(moving)) return moving;
    return await call.commit(async (tx) => {
      const row: CorrectionRow = {
        sid: ports.ids.sid(),
        kind,
        state: 'running',
        reason,
        filter,
        createdAt: now,
        createdBy: actor.id,
        endedAt: null,
        cursor: { account: 0n, seq: 0n },
        total,
        done: 0n,
        changed: 0n,
        skipped: 0n,
        moved: micros(0n),
      };
      await insertCorrection(tx, row);
      const correction = toCorrection(row);
      const after = { kind, lines_total: correction.lines_total, filter: JSON.stringify(correction.filter) };
      await recordAudit(tx, call, { action: 'correction.create', subject: row.sid, reason, after });
      await jobs.enqueue(tx, 'correction.run', { sid: row.sid });
      await countMoved(tx, call, moving);
      return { correction, preview: null };
    });
  },
});

/** What it would move, as it stands now: the lines are corrected later, by a job, and counted for who asked. */
async function amountOf({ house }: Call, kind: CorrectionRow['kind'], filter: LineFilter): Promise<bigint | Refusal> {
  const preview = await previewCorrection(house, kind, filter);
  if (preview.is_complete) return parseDecimal(preview.sum_moved) ?? 0n;
  return refuse('amount_out_of_range', 'These are more lines than your daily limit can be held against: choose fewer.');
}

/** A correction of everything is a slip; and so is one of something that is not there. */
async function wrongWith(tx: Tx, chosen: FilterInput): Promise<Refusal | null> {
  if (Object.values(chosen).every((value) => value === undefined)) {
    const errors = [{ pointer: '#/node_sid', detail: 'or another field that says which lines is needed' }];
    return refuse('invalid_request', 'Say which lines: give at least one field to choose them by.', { errors });
  }
  const { node_sid: node, wallet_sid: wallet, price_sid: price } = chosen;
  if (node !== undefined && !(await readNode(tx, node))) return refuse('not_found', 'There is no node with this sid.');
  if (wallet !== undefined && !(await readWalletBySid(tx, wallet)))
    return refuse('not_found', 'There is no wallet with this sid.');
  if (price !== undefined && !(await readPrice(tx, price)))
    return refuse('not_found', 'There is no price with this sid.');
  return null;
}

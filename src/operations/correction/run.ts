import { formatDecimal, micros } from '../../domain/money.ts';
import {
  lockCorrection,
  runningCorrections,
  updateCorrection,
  type CorrectionKind,
  type CorrectionRow,
} from '../../store/correction.ts';
import type { Tx } from '../../store/db.ts';
import { listLadders } from '../../store/ladder.ts';
import { listPricesFor } from '../../store/price.ts';
import { listUsageLines, type UsageLineRow } from '../../store/usage-line.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { correctLines, type Corrected, type Target } from '../usage/correct-lines.ts';
import { foldAll } from '../usage/fold-all.ts';
import { repriced, type PriceBook } from '../usage/price-again.ts';
import { toUsageLine, type UsageLine } from '../usage/usage-line.ts';

/** Lines of one commit: some hundredths of a second under their wallets' locks. */
export const STEP_LINES = 200;
/** Corrections that one tick takes up; there is seldom more than one. */
const RESUMED_MAX = 20;

/**
 * Works through a correction, step by step, until it is at its end or cancelled.
 *
 * Safe to: run again after a crash at any moment, and in several processes at once: each step takes the correction's lock, and writes its
 * postings and how far it has come in one transaction.
 */
export async function runCorrection(house: House, sid: string): Promise<void> {
  // What was charged between the last fold and the correction's commit belongs to it as well, and is found by the days it is folded into.
  await foldAll(house);
  for (;;) {
    const isRunning = await house.db.transaction('correction.step', (tx) => stepCorrection(house, tx, sid));
    if (!isRunning) return;
  }
}

/** Takes up corrections whose process has died. */
export async function resumeCorrections(house: House): Promise<void> {
  for (const sid of await runningCorrections(house.db, RESUMED_MAX)) await runCorrection(house, sid);
}

async function stepCorrection(house: House, tx: Tx, sid: string): Promise<boolean> {
  const row = await lockCorrection(tx, sid);
  if (row?.state !== 'running') return false;
  const page = await listUsageLines(tx, row.filter, { after: row.cursor, limit: STEP_LINES });
  const book = await priceBookFor(tx, page);
  const correcting = {
    actorId: row.createdBy,
    reason: row.reason,
    correction: sid,
    why: row.kind,
  };
  const corrected = await correctLines(house, tx, page, correcting, (line) => targetOf(row.kind, line, book));
  const now = house.ports.clock.now();
  const isAtEnd = page.length < STEP_LINES;
  const after = countedIn(row, page, corrected);
  const ended = isAtEnd ? { ...after, total: after.done, state: 'done' as const, endedAt: now } : after;
  await updateCorrection(tx, ended);
  if (isAtEnd) await recordEnd(house, tx, ended);
  return !isAtEnd;
}

function countedIn(row: CorrectionRow, page: readonly UsageLineRow[], corrected: readonly Corrected[]): CorrectionRow {
  const done = row.done + BigInt(page.length);
  const changed = corrected.flatMap((one) => (one.kind === 'changed' ? one.made : []));
  const last = page.at(-1);
  return {
    ...row,
    cursor: last ? { account: last.account, seq: last.seq } : row.cursor,
    done,
    // A line that somebody took back since it was counted is not there any more; one may have been committed late.
    total: done > row.total ? done : row.total,
    changed: row.changed + BigInt(changed.length),
    skipped: row.skipped + BigInt(corrected.filter(({ kind }) => kind === 'skipped').length),
    moved: micros(changed.reduce((sum, { amount }) => sum + amount, row.moved as bigint)),
  };
}

async function recordEnd(house: House, tx: Tx, row: CorrectionRow): Promise<void> {
  await recordAudit(tx, ownAuthor(house, 'correction'), {
    action: 'correction.end',
    subject: row.sid,
    reason: row.reason,
    after: {
      state: row.state,
      lines_done: Number(row.done),
      lines_changed: Number(row.changed),
      lines_skipped: Number(row.skipped),
      moved: formatDecimal(row.moved),
    },
  });
}

/** The prices and ladders, as they are kept now, of everything that a page of lines is about. */
export async function priceBookFor(tx: Tx, page: readonly UsageLineRow[]): Promise<PriceBook> {
  const categories = new Set(page.map((row) => toUsageLine(row).about.category));
  if (categories.size === 0) return { prices: [], ladders: [] };
  const prices = await listPricesFor(tx, [...categories]);
  return { prices, ladders: await listLadders(tx, [...categories]) };
}

/** What a correction makes of a line that was not taken back. */
export function targetOf(kind: CorrectionKind, line: UsageLine, book: PriceBook): Target {
  if (kind === 'void') return 'nothing';
  return repriced(line, book);
}

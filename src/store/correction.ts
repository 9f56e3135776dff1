import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import type { LineFilter, LineKey } from './usage-line.ts';

/** `rerate` is made by the house itself: lines that stood on a wrong rung of the ladder. */
export const CORRECTION_KINDS = ['void', 'reprice', 'rerate'] as const;
export type CorrectionKind = (typeof CORRECTION_KINDS)[number];
export const CORRECTION_STATES = ['running', 'done', 'cancelled'] as const;
export type CorrectionState = (typeof CORRECTION_STATES)[number];

/** A correction of many lines, and how far it is. */
export interface CorrectionRow {
  readonly sid: string;
  readonly kind: CorrectionKind;
  readonly state: CorrectionState;
  readonly reason: string;
  readonly filter: LineFilter;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** Null while it runs. */
  readonly endedAt: Date | null;
  /** The last line that was looked at. */
  readonly cursor: LineKey;
  readonly total: bigint;
  readonly done: bigint;
  readonly changed: bigint;
  readonly skipped: bigint;
  /** Plus: wallets were given so much. */
  readonly moved: Micros;
}

interface CorrectionRecord extends Record<string, unknown> {
  sid: string;
  kind: CorrectionKind;
  state: CorrectionState;
  reason: string;
  filter: Record<string, string | null>;
  created_at: Date;
  created_by: string;
  ended_at: Date | null;
  cursor_account: bigint;
  cursor_seq: bigint;
  lines_total: bigint;
  lines_done: bigint;
  lines_changed: bigint;
  lines_skipped: bigint;
  moved: bigint;
}

const fromRow = (row: CorrectionRecord): CorrectionRow => ({
  sid: row.sid,
  kind: row.kind,
  state: row.state,
  reason: row.reason,
  filter: filterFrom(row.filter),
  createdAt: row.created_at,
  createdBy: row.created_by,
  endedAt: row.ended_at,
  cursor: { account: row.cursor_account, seq: row.cursor_seq },
  total: row.lines_total,
  done: row.lines_done,
  changed: row.lines_changed,
  skipped: row.lines_skipped,
  moved: micros(row.moved),
});

/** As the column holds it: the filter with instants as text. */
function filterFrom(kept: Readonly<Record<string, string | null>>): LineFilter {
  const instant = (name: string): Date => new Date(kept[name] ?? Number.NaN);
  return {
    walletSid: kept['walletSid'] ?? null,
    nodeSid: kept['nodeSid'] ?? null,
    category: kept['category'] ?? null,
    resourceKind: kept['resourceKind'] ?? null,
    priceSid: kept['priceSid'] ?? null,
    occurredFrom: instant('occurredFrom'),
    occurredUntil: instant('occurredUntil'),
    recordedFrom: instant('recordedFrom'),
    recordedUntil: instant('recordedUntil'),
  };
}

const COLUMNS = `sid, kind, state, reason, filter, created_at, created_by, ended_at, cursor_account, cursor_seq,
     lines_total, lines_done, lines_changed, lines_skipped, moved`;

const insertStatement = statement(
  'correction.insert',
  `insert into correction (${COLUMNS})
   values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
);

export async function insertCorrection(tx: Tx, row: CorrectionRow): Promise<void> {
  await tx.query(insertStatement, [
    row.sid,
    row.kind,
    row.state,
    row.reason,
    JSON.stringify(row.filter),
    row.createdAt,
    row.createdBy,
    row.endedAt,
    row.cursor.account,
    row.cursor.seq,
    row.total,
    row.done,
    row.changed,
    row.skipped,
    row.moved,
  ]);
}

const readStatement = statement('correction.read', `select ${COLUMNS} from correction where sid = $1`);

export async function readCorrection(tx: Tx, sid: string): Promise<CorrectionRow | null> {
  const [row] = await tx.query<CorrectionRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockStatement = statement('correction.lock', `select ${COLUMNS} from correction where sid = $1 for update`);

/** Locked until the transaction ends: before any account, so that nobody who holds one waits for it. */
export async function lockCorrection(tx: Tx, sid: string): Promise<CorrectionRow | null> {
  const [row] = await tx.query<CorrectionRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const updateStatement = statement(
  'correction.update',
  `update correction set state = $2, ended_at = $3, cursor_account = $4, cursor_seq = $5, lines_total = $6, lines_done = $7,
     lines_changed = $8, lines_skipped = $9, moved = $10 where sid = $1`,
);

/** Writes how far a locked correction has come. */
export async function updateCorrection(tx: Tx, row: CorrectionRow): Promise<void> {
  await tx.query(updateStatement, [
    row.sid,
    row.state,
    row.endedAt,
    row.cursor.account,
    row.cursor.seq,
    row.total,
    row.done,
    row.changed,
    row.skipped,
    row.moved,
  ]);
}

const listStatement = statement(
  'correction.list',
  `select ${COLUMNS} from correction where ($1::text is null or sid < $1) and ($2::text is null or state = $2)
     and ($3::text is null or kind = $3)
   order by sid desc limit $4`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listCorrections(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly state: CorrectionState | null;
    readonly kind: CorrectionKind | null;
    readonly limit: number;
  },
): Promise<CorrectionRow[]> {
  const { before, state, kind, limit } = page;
  return (await tx.query<CorrectionRecord>(listStatement, [before, state, kind, limit])).map(fromRow);
}

const runningStatement = statement(
  'correction.running',
  `select sid from correction where state = 'running' order by sid limit $1`,
);

/** Those that are not at their end, oldest first. */
export async function runningCorrections(tx: Tx, limit: number): Promise<string[]> {
  return (await tx.query<{ sid: string }>(runningStatement, [limit])).map(({ sid }) => sid);
}

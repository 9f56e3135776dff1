import type { AnswerKind, AnswerState } from '../domain/dispute/answer.ts';
import { statement, type Row, type Tx } from './db.ts';

/** What an operator answers to a dispute. */
export interface DisputeAnswerRow {
  readonly sid: string;
  readonly disputeSid: string;
  readonly kind: AnswerKind;
  readonly state: AnswerState;
  readonly reason: string;
  /** JSON text of what is handed in; null: the loss is accepted. */
  readonly evidence: string | null;
  readonly detail: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface DisputeAnswerRecord extends Row {
  sid: string;
  dispute_sid: string;
  kind: AnswerKind;
  state: AnswerState;
  reason: string;
  evidence: string | null;
  detail: string | null;
  created_by: string;
  created_at: Date;
  updated_at: Date;
}

const fromRow = (row: DisputeAnswerRecord): DisputeAnswerRow => ({
  sid: row.sid,
  disputeSid: row.dispute_sid,
  kind: row.kind,
  state: row.state,
  reason: row.reason,
  evidence: row.evidence,
  detail: row.detail,
  createdBy: row.created_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const COLUMNS = `sid, dispute_sid, kind, state, reason, evidence::text as evidence, detail, created_by, created_at, updated_at`;

const insertStatement = statement(
  'dispute_answer.insert',
  `insert into dispute_answer (sid, dispute_sid, kind, state, reason, evidence, created_by, created_at, updated_at)
   values ($1, $2, $3, 'requested', $4, $5::jsonb, $6, $7, $7)`,
);

/** The intent: committed before the provider hears of it. The caller holds the lock of the dispute's payment. */
export async function insertDisputeAnswer(
  tx: Tx,
  row: Omit<DisputeAnswerRow, 'state' | 'detail' | 'updatedAt'>,
): Promise<void> {
  const { sid, disputeSid, kind, reason, evidence, createdBy, createdAt } = row;
  await tx.query(insertStatement, [sid, disputeSid, kind, reason, evidence, createdBy, createdAt]);
}

const readStatement = statement('dispute_answer.read', `select ${COLUMNS} from dispute_answer where sid = $1`);
const lockStatement = statement(
  'dispute_answer.lock',
  `select ${COLUMNS} from dispute_answer where sid = $1 for no key update`,
);
const ofDisputeStatement = statement(
  'dispute_answer.of_dispute',
  `select ${COLUMNS} from dispute_answer where dispute_sid = $1 order by sid`,
);
const requestedStatement = statement(
  'dispute_answer.requested',
  `select sid from dispute_answer where state = 'requested' order by sid limit $1`,
);

export async function readDisputeAnswer(tx: Tx, sid: string): Promise<DisputeAnswerRow | null> {
  const [row] = await tx.query<DisputeAnswerRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** Reads it and keeps others from changing it until the transaction ends. */
export async function lockDisputeAnswer(tx: Tx, sid: string): Promise<DisputeAnswerRow | null> {
  const [row] = await tx.query<DisputeAnswerRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** Oldest first. */
export async function listAnswersOf(tx: Tx, disputeSid: string): Promise<DisputeAnswerRow[]> {
  return (await tx.query<DisputeAnswerRecord>(ofDisputeStatement, [disputeSid])).map(fromRow);
}

/** Answers that the provider may not have yet, oldest first. */
export async function listRequestedAnswers(tx: Tx, limit: number): Promise<string[]> {
  return (await tx.query<{ sid: string }>(requestedStatement, [limit])).map(({ sid }) => sid);
}

const markStatement = statement(
  'dispute_answer.mark',
  `update dispute_answer set state = $2, detail = $3, updated_at = $4 where sid = $1`,
);

/** What has become of it. The caller holds the row's lock. */
export async function markDisputeAnswer(
  tx: Tx,
  mark: Pick<DisputeAnswerRow, 'sid' | 'state' | 'detail' | 'updatedAt'>,
): Promise<void> {
  await tx.query(markStatement, [mark.sid, mark.state, mark.detail, mark.updatedAt]);
}

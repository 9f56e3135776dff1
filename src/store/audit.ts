import { statement, type Tx } from './db.ts';

export type AuditFacts = Readonly<Record<string, string | number | boolean | null>>;

/** One row for each change somebody made, written in the transaction of the change. */
export interface AuditRow {
  readonly sid: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly reason: string | null;
  readonly before: AuditFacts | null;
  readonly after: AuditFacts | null;
  readonly requestId: string;
}

const insertStatement = statement(
  'audit.insert',
  `insert into audit (sid, at, actor, action, subject, outcome, reason, before, after, request_id)
   values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10)`,
);

export async function writeAudit(tx: Tx, row: AuditRow): Promise<void> {
  await tx.query(insertStatement, [
    row.sid,
    row.at,
    row.actor,
    row.action,
    row.subject,
    row.outcome,
    row.reason,
    row.before === null ? null : JSON.stringify(row.before),
    row.after === null ? null : JSON.stringify(row.after),
    row.requestId,
  ]);
}

const insertManyStatement = statement(
  'audit.insert_many',
  `insert into audit (sid, at, actor, action, subject, outcome, reason, before, after, request_id)
   select sid, at, actor, action, subject, outcome, reason, before, after, request_id
   from jsonb_to_recordset($1::jsonb) as t (sid text, at timestamptz, actor text, action text, subject text, outcome text, reason text,
                                            before jsonb, after jsonb, request_id text)`,
);

/** Rows that belong to no transaction of their own. */
export async function insertAuditRows(tx: Tx, rows: readonly AuditRow[]): Promise<void> {
  const records = rows.map(({ requestId, ...row }) => ({ ...row, request_id: requestId }));
  await tx.query(insertManyStatement, [JSON.stringify(records)]);
}

const listStatement = statement(
  'audit.list',
  `select sid, at, actor, action, subject, outcome, reason, before, after, request_id from audit
   where ($1::text is null or sid < $1) and ($2::text is null or subject = $2) order by sid desc limit $3`,
);

/** Newest first. */
export async function listAudit(
  tx: Tx,
  page: { readonly before: string | null; readonly subject: string | null; readonly limit: number },
): Promise<AuditRow[]> {
  const rows = await tx.query<{
    sid: string;
    at: Date;
    actor: string;
    action: string;
    subject: string;
    outcome: AuditRow['outcome'];
    reason: string | null;
    before: AuditFacts | null;
    after: AuditFacts | null;
    request_id: string;
  }>(listStatement, [page.before, page.subject, page.limit]);
  return rows.map(({ request_id, ...row }) => ({ ...row, requestId: request_id }));
}

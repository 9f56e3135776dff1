import { statement, type Tx } from './db.ts';
import type { NodeRow } from './node.ts';

const readCommitStatement = statement('usage_folder.read', `select commit_sha from usage_folder where node = $1`);

/** The commit of a node's folder up to which everything has its answer; null: none yet. */
export async function readFolderCommit(tx: Tx, node: bigint): Promise<string | null> {
  const [row] = await tx.query<{ commit_sha: string }>(readCommitStatement, [node]);
  return row?.commit_sha ?? null;
}

const writeCommitStatement = statement(
  'usage_folder.write',
  `insert into usage_folder (node, commit_sha, read_at) values ($1, $2, $3)
   on conflict on constraint usage_folder__pk do update set commit_sha = excluded.commit_sha, read_at = excluded.read_at`,
);

export async function writeFolderCommit(tx: Tx, node: bigint, commit: string, readAt: Date): Promise<void> {
  await tx.query(writeCommitStatement, [node, commit, readAt]);
}

const readFilesStatement = statement('usage_file.read', `select name, blob_sha from usage_file where node = $1`);

/** The content that was read of each file of a node, by name. */
export async function readFileShas(tx: Tx, node: bigint): Promise<Map<string, string>> {
  const rows = await tx.query<{ name: string; blob_sha: string }>(readFilesStatement, [node]);
  return new Map(rows.map(({ name, blob_sha: sha }) => [name, sha]));
}

const forgetFolderStatement = statement('usage_folder.forget', `delete from usage_folder where node = $1`);
const forgetFilesStatement = statement('usage_file.forget', `delete from usage_file where node = $1`);

/** From now on everything of the node is as if it had never been read. */
export async function forgetFolder(tx: Tx, node: bigint): Promise<void> {
  await tx.query(forgetFolderStatement, [node]);
  await tx.query(forgetFilesStatement, [node]);
}

/** What could not be taken of a file. */
export interface Quarantined {
  /** From 1; 0 is the file as a whole. */
  readonly position: number;
  readonly idempotencyKey: string | null;
  readonly code: string;
  readonly reason: string;
}

const resolveStatement = statement(
  'usage_quarantine.resolve',
  `update usage_quarantine set resolved_at = $3 where node = $1 and file = $2 and resolved_at is null`,
);
const quarantineStatement = statement(
  'usage_quarantine.insert',
  `insert into usage_quarantine (sid, node, file, blob_sha, first_seen_at, position, idempotency_key, code, reason)
   select sid, $1, $2, $3, $4, position, idempotency_key, code, reason
   from unnest($5::text[], $6::int4[], $7::text[], $8::text[], $9::text[]) as found (sid, position, idempotency_key, code, reason)
   order by position
   on conflict on constraint usage_quarantine__one_per_place do update set resolved_at = null, reason = excluded.reason`,
);
const writeFileStatement = statement(
  'usage_file.write',
  `insert into usage_file (node, name, blob_sha, records, read_at) values ($1, $2, $3, $4, $5)
   on conflict on constraint usage_file__pk
   do update set blob_sha = excluded.blob_sha, records = excluded.records, read_at = excluded.read_at`,
);

export interface FileResult {
  readonly node: bigint;
  readonly name: string;
  readonly blobSha: string;
  readonly records: number;
  /** With the sids for new rows. */
  readonly quarantined: readonly (Quarantined & { readonly sid: string })[];
  readonly at: Date;
}

/** Writes down the final answers to a file: what stood against it before is resolved unless it is found again. In one transaction. */
export async function writeFileResult(tx: Tx, result: FileResult): Promise<void> {
  const { node, name, blobSha, quarantined, at } = result;
  // The file's own row first: whoever else has read this file waits here and not in a circle.
  await tx.query(writeFileStatement, [node, name, blobSha, result.records, at]);
  await tx.query(resolveStatement, [node, name, at]);
  if (quarantined.length === 0) return;
  await tx.query(quarantineStatement, [
    node,
    name,
    blobSha,
    at,
    quarantined.map(({ sid }) => sid),
    quarantined.map(({ position }) => position),
    quarantined.map(({ idempotencyKey }) => idempotencyKey),
    quarantined.map(({ code }) => code),
    quarantined.map(({ reason }) => reason),
  ]);
}

const resolveGoneStatement = statement(
  'usage_quarantine.resolve_gone',
  `update usage_quarantine set resolved_at = $3 where node = $1 and file <> all($2::text[]) and resolved_at is null`,
);

/** Nothing stands any more against files that are not there any more. */
export async function resolveGone(tx: Tx, node: bigint, names: readonly string[], at: Date): Promise<void> {
  await tx.query(resolveGoneStatement, [node, names, at]);
}

export interface QuarantineRow extends Quarantined {
  readonly sid: string;
  readonly nodeSid: NodeRow['sid'];
  readonly nodeName: NodeRow['name'];
  readonly file: string;
  readonly blobSha: string;
  readonly firstSeenAt: Date;
  readonly resolvedAt: Date | null;
}

const listStatement = statement(
  'usage_quarantine.list',
  `select quarantined.sid, node.sid as node_sid, node.name as node_name, quarantined.file, quarantined.position, quarantined.blob_sha,
          quarantined.idempotency_key, quarantined.code, quarantined.reason, quarantined.first_seen_at, quarantined.resolved_at
   from usage_quarantine as quarantined join node on node.id = quarantined.node
   where ($1::text is null or quarantined.sid < $1) and ($2::text is null or node.sid = $2) and ($3 or quarantined.resolved_at is null)
   order by quarantined.sid desc limit $4`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listQuarantine(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly nodeSid: string | null;
    readonly hasResolved: boolean;
    readonly limit: number;
  },
): Promise<QuarantineRow[]> {
  const rows = await tx.query<{
    sid: string;
    node_sid: string;
    node_name: string;
    file: string;
    position: number;
    blob_sha: string;
    idempotency_key: string | null;
    code: string;
    reason: string;
    first_seen_at: Date;
    resolved_at: Date | null;
  }>(listStatement, [page.before, page.nodeSid, page.hasResolved, page.limit]);
  return rows.map((row) => ({
    sid: row.sid,
    nodeSid: row.node_sid,
    nodeName: row.node_name,
    file: row.file,
    position: row.position,
    blobSha: row.blob_sha,
    idempotencyKey: row.idempotency_key,
    code: row.code,
    reason: row.reason,
    firstSeenAt: row.first_seen_at,
    resolvedAt: row.resolved_at,
  }));
}

import { statement, type Tx } from './db.ts';

/** A record that waits to be pushed to the Forge. */
export interface QueuedRecord {
  readonly node: bigint;
  readonly idempotencyKey: string;
  readonly hour: Date;
  readonly fingerprint: string;
  /** JSON text. */
  readonly record: string;
}

const insertStatement = statement(
  'usage_queue.insert',
  // In the order of keys, so that two callers with the same records wait for one another and never in a circle.
  `insert into usage_queue (node, idempotency_key, hour, fingerprint, record, queued_at)
   select $1, idempotency_key, hour, fingerprint, record, $6
   from unnest($2::text[], $3::timestamptz[], $4::uuid[], $5::json[]) as sent (idempotency_key, hour, fingerprint, record)
   order by idempotency_key
   on conflict on constraint usage_queue__pk do nothing
   returning idempotency_key`,
);

const fingerprintsStatement = statement(
  'usage_queue.fingerprints',
  `select idempotency_key, fingerprint from usage_queue where node = $1 and idempotency_key = any($2::text[])`,
);

/**
 * Puts records with different keys into the queue of a node.
 *
 * Shape: the keys that are new, and what every key stands for now. Safe to: repeat, at once.
 */
export async function insertQueued(
  tx: Tx,
  node: bigint,
  records: readonly Omit<QueuedRecord, 'node'>[],
  queuedAt: Date,
): Promise<{ readonly isNew: ReadonlySet<string>; readonly fingerprints: ReadonlyMap<string, string> }> {
  const keys = records.map(({ idempotencyKey }) => idempotencyKey);
  const inserted = await tx.query<{ idempotency_key: string }>(insertStatement, [
    node,
    keys,
    records.map(({ hour }) => hour),
    records.map(({ fingerprint }) => fingerprint),
    records.map(({ record }) => record),
    queuedAt,
  ]);
  const known = await tx.query<{ idempotency_key: string; fingerprint: string }>(fingerprintsStatement, [node, keys]);
  return {
    isNew: new Set(inserted.map(({ idempotency_key }) => idempotency_key)),
    fingerprints: new Map(known.map((row) => [row.idempotency_key, row.fingerprint])),
  };
}

/** One file of which something waits. */
export interface WaitingHour {
  readonly node: bigint;
  readonly nodeName: string;
  readonly hour: Date;
}

const waitingStatement = statement(
  'usage_queue.waiting_hours',
  `select distinct queued.hour, queued.node, node.name from usage_queue as queued join node on node.id = queued.node
   where queued.pushed_at is null and ($1::timestamptz is null or (queued.hour, queued.node) > ($1, $2))
   order by queued.hour, queued.node limit $3`,
);

/** Oldest first. `after` is the last one of the page before. */
export async function listWaitingHours(
  tx: Tx,
  page: { readonly after: Pick<WaitingHour, 'hour' | 'node'> | null; readonly limit: number },
): Promise<WaitingHour[]> {
  const { after, limit } = page;
  const rows = await tx.query<{ hour: Date; node: bigint; name: string }>(waitingStatement, [
    after?.hour ?? null,
    after?.node ?? null,
    limit,
  ]);
  return rows.map(({ hour, node, name }) => ({ hour, node, nodeName: name }));
}

const recordsStatement = statement(
  'usage_queue.records_of_hour',
  `select record from usage_queue where node = $1 and hour = $2 order by idempotency_key`,
);

/** All records of an hour, those that were pushed included: the file is to hold them all, whatever became of it meanwhile. */
export async function readQueuedOfHour(tx: Tx, { node, hour }: Pick<WaitingHour, 'node' | 'hour'>): Promise<unknown[]> {
  return (await tx.query<{ record: unknown }>(recordsStatement, [node, hour])).map(({ record }) => record);
}

const markStatement = statement(
  'usage_queue.mark_pushed',
  `update usage_queue set pushed_at = coalesce(pushed_at, $3), is_in_conflict = is_in_conflict or idempotency_key = any($4::text[])
   where node = $1 and idempotency_key = any($2::text[])`,
);

/** The repository has these keys; `conflicts` with another content. */
export async function markPushed(
  tx: Tx,
  node: bigint,
  pushed: { readonly keys: readonly string[]; readonly conflicts: readonly string[]; readonly at: Date },
): Promise<void> {
  await tx.query(markStatement, [node, pushed.keys, pushed.at, pushed.conflicts]);
}

const countStatement = statement(
  'usage_queue.count_waiting',
  `select count(*) as waiting from usage_queue where pushed_at is null`,
);

export async function countWaiting(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ waiting: bigint }>(countStatement);
  return Number(row?.waiting ?? 0n);
}

const pruneStatement = statement(
  'usage_queue.prune',
  `delete from usage_queue where (node, idempotency_key) in (
     select node, idempotency_key from usage_queue
     where pushed_at < $1 and not is_in_conflict order by pushed_at limit $2 for update skip locked
   )
   returning 1`,
);

/** Removes records that were pushed before the instant, without a conflict; answers how many, at most `limit`. */
export async function pruneQueued(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await tx.query(pruneStatement, [before, limit])).length;
}

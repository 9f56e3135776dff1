import { statement, type Tx } from './db.ts';

/** The first answer to a key, as it was sent. */
export interface StoredAnswer {
  readonly idem: string;
  readonly operation: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

/** The table's own bound, in UTF-8 bytes. */
export const ANSWER_BYTES_MAX = 65_536;

const lockStatement = statement('idempotency.lock', `select pg_try_advisory_xact_lock($1::int8) as locked`);

/**
 * Takes the key until the transaction ends; false when another transaction, here or in another process, has it.
 *
 * It does not wait: a waiter would sit on a pooled connection, and ten of them would stop the house. Not needed for
 * correctness, `idempotency__pk` sees to that; it spares the loser the work that its rollback would throw away.
 */
export async function tryLockKey(tx: Tx, idem: string): Promise<boolean> {
  const key = BigInt.asIntN(64, BigInt(`0x${idem.replaceAll('-', '').slice(0, 16)}`));
  const [row] = await tx.query<{ locked: boolean }>(lockStatement, [key]);
  return row?.locked === true;
}

const readStatement = statement(
  'idempotency.read',
  `select idem, operation, fingerprint, status, body from idempotency where idem = $1`,
);

export async function readAnswer(tx: Tx, idem: string): Promise<StoredAnswer | null> {
  const [row] = await tx.query<{ idem: string; operation: string; fingerprint: string; status: number; body: string }>(
    readStatement,
    [idem],
  );
  return row ?? null;
}

const insertStatement = statement(
  'idempotency.insert',
  `insert into idempotency (idem, operation, fingerprint, status, body, recorded_at) values ($1, $2, $3, $4, $5, $6)`,
);

/** A second answer to the same key violates `idempotency__pk`: the transaction rolls back and runs again, and finds the first. */
export async function insertAnswer(tx: Tx, answer: StoredAnswer, recordedAt: Date): Promise<void> {
  await tx.query(insertStatement, [
    answer.idem,
    answer.operation,
    answer.fingerprint,
    answer.status,
    answer.body,
    recordedAt,
  ]);
}

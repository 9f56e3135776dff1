import { statement, type Tx } from './db.ts';

const pingStatement = statement('health.ping', 'select 1');

/** Rejects when the database does not answer. */
export async function pingDatabase(tx: Tx): Promise<void> {
  await tx.query(pingStatement);
}

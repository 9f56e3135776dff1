import { assert } from '../domain/assert.ts';
import { statement, type Tx } from './db.ts';

const readStatement = statement('database_clock.read', 'select clock_timestamp() as now');

/** What time the database has now, and not when its transaction began. */
export async function readDatabaseClock(tx: Tx): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(readStatement);
  assert(row !== undefined, 'the database says what time it has');
  return row.now;
}

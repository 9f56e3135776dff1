import type { Misses } from '../domain/code/judge.ts';
import { statement, type Tx } from './db.ts';

const lockStatement = statement('code_miss.lock', `select pg_advisory_xact_lock(hashtextextended('code ' || $1, 0))`);
const readStatement = statement('code_miss.read', `select since, count from code_miss where user_sid = $1`);

/**
 * The wrong codes that somebody has typed lately. Whoever asks holds them until the end of the transaction: of fifty tries at once each sees
 * what came of those before it.
 */
export async function lockCodeMisses(tx: Tx, userSid: string): Promise<Misses | null> {
  await tx.query(lockStatement, [userSid]);
  const [row] = await tx.query<{ since: Date; count: number }>(readStatement, [userSid]);
  return row ?? null;
}

const writeStatement = statement(
  'code_miss.write',
  `insert into code_miss (user_sid, since, count) values ($1, $2, $3)
   on conflict on constraint code_miss__pk do update set since = excluded.since, count = excluded.count`,
);

export async function writeCodeMisses(tx: Tx, userSid: string, { since, count }: Misses): Promise<void> {
  await tx.query(writeStatement, [userSid, since, count]);
}

import type { Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

const countStatement = statement(
  'operator_day.count',
  // The row is locked from here to the commit: of two at once the second is told what both come to.
  `insert into operator_day (user_sid, day, moved) values ($1, ($2::timestamptz at time zone 'UTC')::date, $3)
   on conflict (user_sid, day) do update set moved = operator_day.moved + excluded.moved returning moved`,
);

/** Adds to what an operator has moved on this day of UTC, and answers what it comes to. Make it the last lock of its transaction. */
export async function countOperatorDay(tx: Tx, userSid: string, now: Date, amount: Micros): Promise<bigint> {
  const [row] = await tx.query<{ moved: bigint }>(countStatement, [userSid, now, amount]);
  return row?.moved ?? amount;
}

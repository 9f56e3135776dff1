import type { QuietHours } from '../domain/standing/quiet-hours.ts';
import { statement, type Tx } from './db.ts';

const readStatement = statement(
  'notice_setting.read',
  `select quiet_from as "from", quiet_until as until, zone from notice_setting where user_sid = $1`,
);

/** Null: any time is right. */
export async function readQuietHours(tx: Tx, userSid: string): Promise<QuietHours | null> {
  const [row] = await tx.query<{ from: number; until: number; zone: string }>(readStatement, [userSid]);
  return row ?? null;
}

const setStatement = statement(
  'notice_setting.set',
  `insert into notice_setting (user_sid, quiet_from, quiet_until, zone, set_at) values ($1, $2, $3, $4, $5)
   on conflict on constraint notice_setting__pk do update set
     quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, zone = excluded.zone, set_at = excluded.set_at`,
);
const removeStatement = statement('notice_setting.remove', `delete from notice_setting where user_sid = $1`);

export async function setQuietHours(
  tx: Tx,
  setting: { readonly userSid: string; readonly quiet: QuietHours | null; readonly now: Date },
): Promise<void> {
  const { userSid, quiet, now } = setting;
  if (quiet === null) await tx.query(removeStatement, [userSid]);
  else await tx.query(setStatement, [userSid, quiet.from, quiet.until, quiet.zone, now]);
}

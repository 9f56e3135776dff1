import type { MailedType } from '../domain/mail/compose.ts';
import type { Language } from '../domain/language/language.ts';
import { statement, type Row, type Tx } from './db.ts';

export const MAIL_STATES = ['pending', 'sent', 'kept', 'failed'] as const;
export type MailState = (typeof MAIL_STATES)[number];

/** A mail to a user about an event. */
export interface MailRow {
  readonly sid: string;
  readonly event: string;
  readonly eventType: MailedType;
  /** The event's text. */
  readonly eventBody: string;
  readonly userSid: string;
  readonly displayName: string;
  readonly recipient: string;
  readonly language: Language;
  readonly subject: string | null;
  readonly text: string | null;
  readonly html: string | null;
  readonly state: MailState;
  readonly reason: string | null;
  readonly tries: number;
  readonly dueAt: Date | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

interface MailRecord extends Row {
  sid: string;
  event: string;
  event_type: MailedType;
  event_body: string;
  user_sid: string;
  display_name: string;
  recipient: string;
  language: Language;
  subject: string | null;
  body_text: string | null;
  body_html: string | null;
  state: MailState;
  reason: string | null;
  tries: number;
  due_at: Date | null;
  created_at: Date;
  ended_at: Date | null;
}

const fromRow = (row: MailRecord): MailRow => ({
  sid: row.sid,
  event: row.event,
  eventType: row.event_type,
  eventBody: row.event_body,
  userSid: row.user_sid,
  displayName: row.display_name,
  recipient: row.recipient,
  language: row.language,
  subject: row.subject,
  text: row.body_text,
  html: row.body_html,
  state: row.state,
  reason: row.reason,
  tries: row.tries,
  dueAt: row.due_at,
  createdAt: row.created_at,
  endedAt: row.ended_at,
});

const insertStatement = statement(
  'mail.insert',
  // Nothing is written here that could fail on account of a name or a sentence: it runs where money is moved.
  `insert into mail (sid, event, user_sid, recipient, language, state, due_at, created_at)
   select $1, $2, sid, email, language, 'pending', $5, $4 from app_user where sid = $3 and email is not null`,
);

/** A mail for a user who has an address; for another none. `dueAt`: later than now where it waits for the end of their quiet hours. */
export async function insertMail(
  tx: Tx,
  mail: {
    readonly sid: string;
    readonly event: string;
    readonly userSid: string;
    readonly now: Date;
    readonly dueAt: Date;
  },
): Promise<void> {
  await tx.query(insertStatement, [mail.sid, mail.event, mail.userSid, mail.now, mail.dueAt]);
}

const insertManyStatement = statement(
  'mail.insert_many',
  `insert into mail (sid, event, user_sid, recipient, language, state, due_at, created_at)
   select made.sid, made.event, app_user.sid, app_user.email, app_user.language, 'pending', $4, $4
   from unnest($1::text[], $2::text[], $3::text[]) as made (sid, event, user_sid)
   join app_user on app_user.sid = made.user_sid and app_user.email is not null`,
);

/** The same for many. */
export async function insertMails(
  tx: Tx,
  mails: readonly { readonly sid: string; readonly event: string; readonly userSid: string }[],
  now: Date,
): Promise<void> {
  if (mails.length === 0) return;
  await tx.query(insertManyStatement, [
    mails.map(({ sid }) => sid),
    mails.map(({ event }) => event),
    mails.map(({ userSid }) => userSid),
    now,
  ]);
}

const claimStatement = statement(
  'mail.claim_due',
  `update mail set due_at = $2 where sid in (
     select sid from mail where due_at <= $1 order by due_at, sid limit $3 for update skip locked)
   returning sid`,
);

/** Takes mails whose time has come; they are due again at `leaseEndsAt` unless they end before. Oldest first. */
export async function claimDueMails(
  tx: Tx,
  claim: { readonly now: Date; readonly leaseEndsAt: Date; readonly limit: number },
): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(claimStatement, [claim.now, claim.leaseEndsAt, claim.limit]);
  return rows.map((row) => row.sid).toSorted();
}

const selectMail = statement(
  'mail.select',
  `select mail.sid, mail.event, event.type as event_type, event.body as event_body, mail.user_sid, app_user.display_name, recipient,
          mail.language, subject, body_text, body_html, state, reason, tries, due_at, mail.created_at, ended_at
   from mail join event on event.sid = mail.event join app_user on app_user.sid = mail.user_sid`,
).text;

const readStatement = statement('mail.read', `${selectMail} where mail.sid = $1`);

export async function readMail(tx: Tx, sid: string): Promise<MailRow | null> {
  const [row] = await tx.query<MailRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'mail.list',
  `${selectMail}
   where ($1::text is null or mail.sid < $1) and ($2::text is null or state = $2) order by mail.sid desc limit $3`,
);

/** Newest first. */
export async function listMails(
  tx: Tx,
  page: { readonly before: string | null; readonly state: MailState | null; readonly limit: number },
): Promise<MailRow[]> {
  const rows = await tx.query<MailRecord>(listStatement, [page.before, page.state, page.limit]);
  return rows.map(fromRow);
}

const writeStatement = statement(
  'mail.write',
  `update mail set subject = coalesce(subject, $2), body_text = coalesce(body_text, $3), body_html = coalesce(body_html, $4) where sid = $1`,
);

/** Keeps what a mail says before it is sent: what is tried again says the same. */
export async function writeMail(
  tx: Tx,
  sid: string,
  letter: { readonly subject: string; readonly text: string; readonly html: string },
): Promise<void> {
  await tx.query(writeStatement, [sid, letter.subject, letter.text, letter.html]);
}

const markStatement = statement(
  'mail.mark',
  // Sent is the end: a try that was taken for dead and failed late does not undo it.
  `update mail set state = $2, reason = $3, tries = $4, due_at = $5, ended_at = $6 where sid = $1 and state <> 'sent'`,
);

export async function markMail(
  tx: Tx,
  mark: Pick<MailRow, 'sid' | 'state' | 'reason' | 'tries' | 'dueAt' | 'endedAt'>,
): Promise<void> {
  await tx.query(markStatement, [mark.sid, mark.state, mark.reason, mark.tries, mark.dueAt, mark.endedAt]);
}

const pruneStatement = statement(
  'mail.prune',
  `delete from mail where sid in (select sid from mail where created_at < $1 and due_at is null order by sid limit $2)`,
);

/** Forgets mails that have ended and were made before then. */
export async function pruneMails(tx: Tx, before: Date, limit: number): Promise<void> {
  await tx.query(pruneStatement, [before, limit]);
}

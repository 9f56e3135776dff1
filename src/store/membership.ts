import type { MemberRole } from '../domain/identity/role.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

/** Somebody's place in an organisation. */
export interface MembershipRow {
  /** Names what they have spent, also after they left and came back. */
  readonly id: bigint;
  readonly organisationSid: string;
  readonly userSid: string;
  readonly displayName: string;
  readonly role: MemberRole;
  /** Of a member; null: no limit. */
  readonly monthlyCap: Micros | null;
  readonly joinedAt: Date;
}

interface MembershipRecord extends Record<string, unknown> {
  id: bigint;
  organisation_sid: string;
  user_sid: string;
  display_name: string;
  role: MemberRole;
  monthly_cap: bigint | null;
  joined_at: Date;
}

const fromRow = (row: MembershipRecord): MembershipRow => ({
  id: row.id,
  organisationSid: row.organisation_sid,
  userSid: row.user_sid,
  displayName: row.display_name,
  role: row.role,
  monthlyCap: row.monthly_cap === null ? null : micros(row.monthly_cap),
  joinedAt: row.joined_at,
});

const selectMembership = statement(
  'membership.select',
  `select membership.id, membership.organisation_sid, membership.user_sid, app_user.display_name, membership.role, membership.monthly_cap,
          membership.joined_at
   from membership join app_user on app_user.sid = membership.user_sid`,
).text;

const lockStatement = statement(
  'membership.lock',
  // In order of sid: two who wait for the same rows meet in the same order. Sign-ins, which only refer to them, pass.
  `select sid, kind from app_user where sid = any($1::text[]) order by sid for no key update`,
);

/** Whoever changes members of an organisation, or joins one, waits here for those who do. */
export async function lockMembers(tx: Tx, sids: readonly string[]): Promise<void> {
  await tx.query(lockStatement, [sids]);
}

const joinStatement = statement(
  'membership.join',
  `insert into membership (organisation_sid, user_sid, role, monthly_cap, joined_at) values ($1, $2, $3, $4, $5)
   on conflict (organisation_sid, user_sid) do update
     set role = excluded.role, monthly_cap = excluded.monthly_cap, joined_at = excluded.joined_at, left_at = null`,
);

/** Adds a member, also one who was there before. */
export async function insertMembership(
  tx: Tx,
  row: Pick<MembershipRow, 'organisationSid' | 'userSid' | 'role' | 'monthlyCap' | 'joinedAt'>,
): Promise<void> {
  await tx.query(joinStatement, [row.organisationSid, row.userSid, row.role, row.monthlyCap, row.joinedAt]);
}

const setStatement = statement(
  'membership.set',
  `update membership set role = $3, monthly_cap = $4 where organisation_sid = $1 and user_sid = $2 and left_at is null`,
);

export async function setMembership(
  tx: Tx,
  row: Pick<MembershipRow, 'organisationSid' | 'userSid' | 'role' | 'monthlyCap'>,
): Promise<void> {
  await tx.query(setStatement, [row.organisationSid, row.userSid, row.role, row.monthlyCap]);
}

const leaveStatement = statement(
  'membership.leave',
  `update membership set left_at = $3 where organisation_sid = $1 and user_sid = $2 and left_at is null`,
);

export async function endMembership(
  tx: Tx,
  { organisationSid, userSid }: Pick<MembershipRow, 'organisationSid' | 'userSid'>,
  now: Date,
): Promise<void> {
  await tx.query(leaveStatement, [organisationSid, userSid, now]);
}

const leaveAllStatement = statement(
  'membership.leave_all',
  `update membership set left_at = $2 where user_sid = $1 and left_at is null returning organisation_sid`,
);

/** Takes a user out of all organisations; answers which. Whether one of them needs them is asked before, see {@link listSoleOwnerships}. */
export async function endMembershipsOf(tx: Tx, userSid: string, now: Date): Promise<string[]> {
  const rows = await tx.query<{ organisation_sid: string }>(leaveAllStatement, [userSid, now]);
  return rows.map((row) => row.organisation_sid);
}

const listStatement = statement(
  'membership.list',
  `${selectMembership} where membership.organisation_sid = $1 and left_at is null order by membership.joined_at, membership.id`,
);

/** The members of an organisation, the first one first. At most as many as there may be. */
export async function listMembers(tx: Tx, organisationSid: string): Promise<MembershipRow[]> {
  return (await tx.query<MembershipRecord>(listStatement, [organisationSid])).map(fromRow);
}

const readStatement = statement(
  'membership.read',
  `${selectMembership} where membership.organisation_sid = $1 and membership.user_sid = $2 and left_at is null`,
);

export async function readMembership(
  tx: Tx,
  { organisationSid, userSid }: Pick<MembershipRow, 'organisationSid' | 'userSid'>,
): Promise<MembershipRow | null> {
  const [row] = await tx.query<MembershipRecord>(readStatement, [organisationSid, userSid]);
  return row ? fromRow(row) : null;
}

const findAnyStatement = statement(
  'membership.find_any',
  `${selectMembership} where membership.organisation_sid = $1 and membership.user_sid = $2`,
);

/** Also of somebody who has left: their holds are still counted. */
export async function findPastMembership(
  tx: Tx,
  { organisationSid, userSid }: Pick<MembershipRow, 'organisationSid' | 'userSid'>,
): Promise<MembershipRow | null> {
  const [row] = await tx.query<MembershipRecord>(findAnyStatement, [organisationSid, userSid]);
  return row ? fromRow(row) : null;
}

const ofUserStatement = statement(
  'membership.of_user',
  `select organisation_sid, role from membership where user_sid = $1 and left_at is null order by organisation_sid`,
);

/** The organisations of a user, with what they are there. */
export async function readMembershipsOf(tx: Tx, userSid: string): Promise<ReadonlyMap<string, MemberRole>> {
  const rows = await tx.query<{ organisation_sid: string; role: MemberRole }>(ofUserStatement, [userSid]);
  return new Map(rows.map((row) => [row.organisation_sid, row.role]));
}

const soleStatement = statement(
  'membership.sole_owner',
  `select mine.organisation_sid from membership as mine
   where mine.user_sid = $1 and mine.role = 'owner' and mine.left_at is null
     and not exists (
       select from membership as other where other.organisation_sid = mine.organisation_sid and other.user_sid <> mine.user_sid
         and other.role = 'owner' and other.left_at is null
     )
   order by mine.organisation_sid`,
);

/** Organisations that would be without an owner if this user went. */
export async function listSoleOwnerships(tx: Tx, userSid: string): Promise<string[]> {
  const rows = await tx.query<{ organisation_sid: string }>(soleStatement, [userSid]);
  return rows.map((row) => row.organisation_sid);
}

const spentStatement = statement(
  'membership.spent',
  `select membership.user_sid, posting_budget.spent from membership
   join posting_budget on posting_budget.owner = -membership.id and posting_budget.window_start = $2
   where membership.organisation_sid = $1`,
);

/** What each member has spent in the month that began then, by user; who spent nothing is not there. */
export async function readSpentOf(
  tx: Tx,
  organisationSid: string,
  monthStart: Date,
): Promise<ReadonlyMap<string, Micros>> {
  const rows = await tx.query<{ user_sid: string; spent: bigint }>(spentStatement, [organisationSid, monthStart]);
  return new Map(rows.map((row) => [row.user_sid, micros(row.spent)]));
}

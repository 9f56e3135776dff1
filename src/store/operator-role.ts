import type { ListedOperator, OperatorRole } from '../domain/identity/role.ts';
import { statement, type Tx } from './db.ts';

/** What an admin made of a user. */
export interface OperatorRoleRow {
  readonly userSid: string;
  readonly role: OperatorRole;
  readonly grantedBy: string;
  readonly grantedAt: Date;
}

const grantStatement = statement(
  'operator_role.grant',
  `insert into operator_role (user_sid, role, granted_by, granted_at) values ($1, $2, $3, $4)
   on conflict (user_sid) do update set role = excluded.role, granted_by = excluded.granted_by, granted_at = excluded.granted_at`,
);

/** Instead of the role that the user had. */
export async function grantRole(tx: Tx, row: OperatorRoleRow): Promise<void> {
  await tx.query(grantStatement, [row.userSid, row.role, row.grantedBy, row.grantedAt]);
}

const deleteStatement = statement('operator_role.delete', `delete from operator_role where user_sid = $1`);

export async function deleteRole(tx: Tx, userSid: string): Promise<void> {
  await tx.query(deleteStatement, [userSid]);
}

const lockStatement = statement(
  'operator_role.lock',
  // Stronger than a row: two admins who take the role from each other hold different rows. Reading goes on.
  `lock table operator_role in share row exclusive mode`,
);

/** Whoever changes who may do what waits here: of two admins who take the role from each other one is left. */
export async function lockRoles(tx: Tx): Promise<void> {
  await tx.query(lockStatement, []);
}

const readStatement = statement('operator_role.read', `select role from operator_role where user_sid = $1`);

/** What an admin made of the user; null: nothing. */
export async function readGrantedRole(tx: Tx, userSid: string): Promise<OperatorRole | null> {
  const [row] = await tx.query<{ role: OperatorRole }>(readStatement, [userSid]);
  return row?.role ?? null;
}

const otherAdminStatement = statement(
  'operator_role.other_admin',
  // Somebody whom the configuration names counts before they first come: nobody else can come with that identity.
  `with listed as (select * from unnest($1::text[], $2::text[]) as t (issuer, subject)),
   admin as (
     select user_sid from operator_role where role = 'admin' and user_sid <> $3
     union all
     select user_sid from identity where claimed_role = 'admin' and ($4 or user_sid <> $3)
     union all
     select user_sid from identity join listed using (issuer, subject) where $4 or user_sid <> $3
   )
   select 1 as one from admin join app_user on app_user.sid = admin.user_sid where app_user.disabled_at is null
   union all
   select 1 from listed where not exists (
     select from identity where identity.issuer = listed.issuer and identity.subject = listed.subject
   )
   limit 1`,
);

/**
 * Whether somebody can still come in as an admin without what an admin granted this user; `keepsOther` false: without the user as a whole.
 * The admin secret is not looked at.
 */
export async function isAdminLeftWithout(
  tx: Tx,
  userSid: string,
  { listed, keepsOther }: { readonly listed: readonly ListedOperator[]; readonly keepsOther: boolean },
): Promise<boolean> {
  const admins = listed.filter(({ role }) => role === 'admin');
  const values = [admins.map(({ issuer }) => issuer), admins.map(({ subject }) => subject), userSid, keepsOther];
  return (await tx.query(otherAdminStatement, values)).length > 0;
}

/** A user with what makes them an operator. */
export interface OperatorSources {
  readonly userSid: string;
  readonly displayName: string;
  readonly disabledAt: Date | null;
  readonly granted: Pick<OperatorRoleRow, 'role' | 'grantedBy' | 'grantedAt'> | null;
  /** The identities that the configuration names or a provider's claim gives a role. */
  readonly identities: readonly {
    readonly issuer: string;
    readonly subject: string;
    readonly claimedRole: OperatorRole | null;
  }[];
}

const listStatement = statement(
  'operator_role.list',
  `with listed as (select * from unnest($1::text[], $2::text[]) as t (issuer, subject)),
   named as (
     select identity.* from identity left join listed using (issuer, subject)
     where identity.claimed_role is not null or listed.issuer is not null
   ),
   holder as (select user_sid from operator_role union select user_sid from named)
   select app_user.sid, app_user.display_name, app_user.disabled_at, operator_role.role, operator_role.granted_by, operator_role.granted_at,
          coalesce(
            (select jsonb_agg(jsonb_build_array(issuer, subject, claimed_role) order by named.sid) from named
             where named.user_sid = app_user.sid),
            '[]'
          ) as identities
   from holder join app_user on app_user.sid = holder.user_sid left join operator_role on operator_role.user_sid = app_user.sid
   order by app_user.sid`,
);

interface OperatorRecord extends Record<string, unknown> {
  sid: string;
  display_name: string;
  disabled_at: Date | null;
  role: OperatorRole | null;
  granted_by: string | null;
  granted_at: Date | null;
  identities: [string, string, OperatorRole | null][];
}

/** Everybody whom a grant, the configuration or a claim makes an operator, oldest first. An operator's team fits a page. */
export async function listOperators(tx: Tx, listed: readonly ListedOperator[]): Promise<OperatorSources[]> {
  const values = [listed.map(({ issuer }) => issuer), listed.map(({ subject }) => subject)];
  return (await tx.query<OperatorRecord>(listStatement, values)).map(fromRow);
}

const fromRow = (row: OperatorRecord): OperatorSources => ({
  userSid: row.sid,
  displayName: row.display_name,
  disabledAt: row.disabled_at,
  granted:
    row.role === null || row.granted_by === null || row.granted_at === null
      ? null
      : { role: row.role, grantedBy: row.granted_by, grantedAt: row.granted_at },
  identities: row.identities.map(([issuer, subject, claimedRole]) => ({ issuer, subject, claimedRole })),
});

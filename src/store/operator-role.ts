import type { OperatorRole } from '../domain/identity/role.ts';
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

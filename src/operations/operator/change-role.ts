import type { OperatorRole } from '../../domain/identity/role.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { deleteRole, grantRole, isAdminLeftWithout, lockRoles, readGrantedRole } from '../../store/operator-role.ts';
import { revokeSessionsOf } from '../../store/session.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import type { Call } from '../operation.ts';

export interface RoleChange {
  readonly userSid: string;
  /** Null: none. */
  readonly role: OperatorRole | null;
  readonly reason: string | null;
}

/**
 * Makes a user what an admin wants them to be. All their sessions end: what a session was opened as must not change under it.
 * Safe to repeat: who is it already stays signed in.
 *
 * Refuses not_found, and state_conflict for a closed account and for the last admin.
 */
export async function changeRole(tx: Tx, call: Call, change: RoleChange): Promise<{ ended: number } | Refusal> {
  const { house } = call;
  const { userSid, role, reason } = change;
  const now = house.ports.clock.now();
  await lockRoles(tx);
  const user = await readUser(tx, userSid);
  if (user === null) return refuse('not_found', 'There is no user with this sid.');
  const before = await readGrantedRole(tx, userSid);
  if (before === role) return { ended: 0 };
  if (role !== null && user.disabledAt !== null)
    return refuse('state_conflict', 'This user may not come in: enable them first.');
  if (before === 'admin' && !(await isAdminLeft(tx, house, userSid, { keepsOther: true }))) return lastAdmin();
  if (role === null) await deleteRole(tx, userSid);
  else await grantRole(tx, { userSid, role, grantedBy: call.actor.id, grantedAt: now });
  const ended = (await revokeSessionsOf(tx, userSid, {}, now)).length;
  await recordAudit(tx, call, {
    action: role === null ? 'operator.revoke' : 'operator.grant',
    subject: userSid,
    reason,
    before: { role: before },
    after: { role, sessions_ended: ended },
  });
  return { ended };
}

/** Whether anybody is left who can put a mistake right: with the admin secret, or as an admin. Ask with the roles locked. */
export const isAdminLeft = async (
  tx: Tx,
  house: House,
  userSid: string,
  { keepsOther }: { readonly keepsOther: boolean },
): Promise<boolean> =>
  house.settings.hasAdminSecret ||
  (await isAdminLeftWithout(tx, userSid, { listed: house.settings.operators, keepsOther }));

export const lastAdmin = (): Refusal =>
  refuse('state_conflict', 'This is the last admin, and there is no admin secret: make somebody else an admin first.');

import { z } from 'zod';
import { refusalOfUser } from '../../domain/hold/decide.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { HOLD_KINDS, HOLD_STATES, lockHold, readHold, type HoldRow } from '../../store/hold.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { maySee } from '../visible.ts';

export const holdSchema = z
  .object({
    sid: sidField,
    wallet_sid: sidField,
    kind: z.enum(HOLD_KINDS).describe('lease: asked for by a node, which works on it while it cannot reach us.'),
    node_sid: sidField.nullable().describe('Whose lease it is; null for a plain hold.'),
    amount: signedAmount,
    drawn: signedAmount.describe(
      'Of a lease: what was used of it so far. The rest is still set aside while it is open.',
    ),
    captured: signedAmount,
    state: z.enum(HOLD_STATES),
    description: z.string(),
    by_user_sid: sidField.nullable().describe('The user who set it aside; null: the service, or a node.'),
    created_at: instant,
    expires_at: instant,
    closed_at: instant.nullable(),
  })
  .meta({ id: 'Hold' });

export function toHold(row: HoldRow): z.input<typeof holdSchema> {
  return {
    sid: row.sid,
    wallet_sid: row.walletSid,
    kind: row.kind,
    node_sid: row.nodeSid,
    amount: formatDecimal(row.amount),
    drawn: formatDecimal(row.drawn),
    captured: formatDecimal(row.captured),
    state: row.state,
    description: row.description,
    by_user_sid: row.byUserSid,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    closed_at: row.closedAt?.toISOString() ?? null,
  };
}

/** A hold that the actor may end, locked until the transaction ends. */
export async function holdToEnd(tx: Tx, actor: Actor, sid: string): Promise<HoldRow | Refusal> {
  const hold = await visibleHold(tx, actor, sid, 'lock');
  if (isRefusal(hold) || actor.kind !== 'user') return hold;
  if (
    actor.userSid !== hold.userSid &&
    actor.userSid !== hold.byUserSid &&
    actor.memberships?.get(hold.userSid) !== 'owner'
  )
    return refuse('forbidden', 'Another member has set this aside. They end it, or an owner does.');
  return refusalOfUser(hold) ?? hold;
}

/** A hold the actor may see, locked until the transaction ends or only looked at. */
export async function visibleHold(
  tx: Tx,
  actor: Actor,
  sid: string,
  reading: 'lock' | 'look',
): Promise<HoldRow | Refusal> {
  const hold = reading === 'lock' ? await lockHold(tx, sid) : await readHold(tx, sid);
  return hold && maySee(actor, hold.userSid) ? hold : refuse('not_found', 'There is no hold with this sid.');
}

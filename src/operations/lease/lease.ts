import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { remainingOf } from '../../domain/hold/decide.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { HOLD_STATES, lockHold, readHold, type HoldRow } from '../../store/hold.ts';
import type { NodeRow } from '../../store/node.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const leaseSchema = z
  .object({
    sid: sidField,
    user_sid: sidField,
    wallet_sid: sidField,
    node_sid: sidField,
    amount: signedAmount,
    drawn: signedAmount.describe('What usage reported under it has cost, up to its amount.'),
    remaining: signedAmount.describe('What is still set aside; 0.00 once it is closed.'),
    state: z.enum(HOLD_STATES).describe('open, released or expired.'),
    created_at: instant,
    expires_at: instant,
    closed_at: instant.nullable(),
  })
  .meta({ id: 'Lease' });

export function toLease(row: HoldRow): z.input<typeof leaseSchema> {
  assert(row.nodeSid !== null, 'a lease has a node');
  return {
    sid: row.sid,
    user_sid: row.userSid,
    wallet_sid: row.walletSid,
    node_sid: row.nodeSid,
    amount: formatDecimal(row.amount),
    drawn: formatDecimal(row.drawn),
    remaining: row.state === 'open' ? formatDecimal(remainingOf(row)) : '0.00',
    state: row.state,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    closed_at: row.closedAt?.toISOString() ?? null,
  };
}

/** A lease of this very node, locked until the transaction ends or only looked at. */
export async function ownLease(
  tx: Tx,
  node: NodeRow,
  sid: string,
  reading: 'lock' | 'look',
): Promise<HoldRow | Refusal> {
  const hold = reading === 'lock' ? await lockHold(tx, sid) : await readHold(tx, sid);
  return hold?.kind === 'lease' && hold.node === node.id
    ? hold
    : refuse('not_found', 'This node has no lease with this sid.');
}

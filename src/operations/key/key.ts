import { z } from 'zod';
import { KEY_SCOPES } from '../../domain/identity/role.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { lockKeyRow, type KeyRow } from '../../store/key.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField } from '../schema.ts';
import { maySee } from '../visible.ts';

export const keySchema = z
  .object({
    sid: sidField,
    owner_sid: sidField.describe('Whose wallet it reaches.'),
    name: z.string(),
    key_id: z.string().describe('The public half of the key, uk_<key_id>_<secret>.'),
    scopes: z.array(z.enum(KEY_SCOPES)),
    state: z.enum(['live', 'expired', 'revoked']),
    created_at: instant,
    expires_at: instant.nullable().describe('Null: it is good until it is revoked.'),
    last_used_at: instant.nullable().describe('To the minute; null: never since it was made or rotated.'),
    old_key_until: instant
      .nullable()
      .describe('Until when the key before the last rotation is good; null: there is none that is.'),
    old_key_last_used_at: instant.nullable().describe('When that one was last used: whether something still has it.'),
    revoked_at: instant.nullable(),
  })
  .meta({ id: 'Key' });

/** What creating and rotating answer: the only time that the key is told. */
export const keyWithSecretSchema = z
  .object({
    ...keySchema.shape,
    key: z
      .string()
      .describe('Told this once, and kept by us as a hash only. Send it as `Authorization: Bearer <key>`.'),
  })
  .meta({ id: 'KeyWithSecret' });

export function toKey({ ports }: Pick<House, 'ports'>, row: KeyRow): z.input<typeof keySchema> {
  const now = ports.clock.now();
  const old = row.oldUntil !== null && row.oldUntil > now ? row : null;
  return {
    sid: row.sid,
    owner_sid: row.ownerSid,
    name: row.name,
    key_id: row.keyId,
    scopes: [...row.scopes],
    state: stateOf(row, now),
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
    last_used_at: row.usedAt?.toISOString() ?? null,
    old_key_until: old?.oldUntil?.toISOString() ?? null,
    old_key_last_used_at: old?.oldUsedAt?.toISOString() ?? null,
    revoked_at: row.revokedAt?.toISOString() ?? null,
  };
}

export function stateOf(row: Pick<KeyRow, 'revokedAt' | 'expiresAt'>, now: Date): 'live' | 'expired' | 'revoked' {
  if (row.revokedAt !== null) return 'revoked';
  return row.expiresAt !== null && row.expiresAt <= now ? 'expired' : 'live';
}

const OVERLAP_SECONDS_MAX = 7 * 86_400;

/** Of nodes' keys and of users'. */
export const overlapField = z
  .int()
  .min(0)
  .max(OVERLAP_SECONDS_MAX)
  .default(3_600)
  .describe('How long the old key is good beside the new one. 0 after a theft. A key older than the old one ends now.');

/** A key of somebody whom the actor reaches, locked for a change. What is not theirs answers exactly as what is not there. */
export async function ownKey(tx: Tx, actor: Actor, sid: string): Promise<KeyRow | Refusal> {
  const row = await lockKeyRow(tx, sid);
  return row !== null && maySee(actor, row.ownerSid) ? row : refuse('not_found', 'There is no key with this sid.');
}

/** The same for whoever is told the key: an operator looks at keys and ends them, and never holds one that spends what is a user's. */
export async function keyToHold(tx: Tx, actor: Actor, sid: string): Promise<KeyRow | Refusal> {
  const row = await ownKey(tx, actor, sid);
  return isRefusal(row) ? row : (refusalToHold(actor, row.ownerSid) ?? row);
}

export const refusalToHold = (actor: Actor, ownerSid: string): Refusal | null =>
  actor.kind === 'operator' && actor.userSid !== ownerSid
    ? refuse('forbidden', 'Operators make no keys for others: whoever has one can spend.')
    : null;

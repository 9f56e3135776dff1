import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import type { NodeRow } from '../../store/node.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const nodeSchema = z
  .object({
    sid: sidField,
    name: z.string(),
    key_id: z.string().describe('The public half of its key, nk_<key_id>_<secret>.'),
    key_last_used_at: instant.nullable().describe('To the minute; null: never since it was made or rotated.'),
    old_key_until: instant.nullable().describe('Until when the key before the last rotation is good.'),
    old_key_last_used_at: instant.nullable().describe('When that one was last used: whether the node still has it.'),
    user_sids: z.array(sidField).nullable().describe('Users it may report for; null: everybody.'),
    record_max: signedAmount.describe('The most that one record may cost.'),
    hour_max: signedAmount.describe('The most that its records of one hour may cost together.'),
    created_at: instant,
    revoked_at: instant.nullable(),
  })
  .meta({ id: 'Node' });

export function toNode(node: NodeRow): z.input<typeof nodeSchema> {
  return {
    sid: node.sid,
    name: node.name,
    key_id: node.keyId,
    key_last_used_at: node.keyUsedAt?.toISOString() ?? null,
    old_key_until: node.oldKeyUntil?.toISOString() ?? null,
    old_key_last_used_at: node.oldKeyUsedAt?.toISOString() ?? null,
    user_sids: node.userSids === null ? null : [...node.userSids],
    record_max: formatDecimal(node.recordMax),
    hour_max: formatDecimal(node.hourMax),
    created_at: node.createdAt.toISOString(),
    revoked_at: node.revokedAt?.toISOString() ?? null,
  };
}

/** What registering and rotating answer: the only time that the key is told. */
export const nodeWithKeySchema = z.object({
  ...nodeSchema.shape,
  key: z.string().describe('Told this once, and kept by us as a hash only. Send it as `Authorization: Bearer <key>`.'),
});

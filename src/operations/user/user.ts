import { z } from 'zod';
import { LANGUAGES } from '../../domain/language/language.ts';
import type { UserRow } from '../../store/user.ts';
import { instant, sidField } from '../schema.ts';

export const userSchema = z
  .object({
    sid: sidField,
    kind: z.enum(['person', 'organisation']).describe('Nobody signs in as an organisation: its members act for it.'),
    display_name: z.string(),
    forge_id: z.string().nullable(),
    mycelium_address: z.string().nullable(),
    email: z.string().nullable().describe('Where mail goes; null: nowhere. Not proven to be theirs.'),
    language: z.enum(LANGUAGES).describe('Of mail and receipts.'),
    created_at: instant,
    disabled_at: instant.nullable().describe('Since when they may not come in; null: they may.'),
  })
  .meta({ id: 'User' });

export function toUser(user: UserRow): z.input<typeof userSchema> {
  return {
    sid: user.sid,
    kind: user.kind,
    display_name: user.displayName,
    forge_id: user.forgeId,
    mycelium_address: user.myceliumAddress,
    email: user.email,
    language: user.language,
    created_at: user.createdAt.toISOString(),
    disabled_at: user.disabledAt?.toISOString() ?? null,
  };
}

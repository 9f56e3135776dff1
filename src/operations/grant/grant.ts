import { z } from 'zod';
import { GRANT_KINDS, GRANT_STATES } from '../../domain/grant/grant.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import type { GrantRow } from '../../store/grant.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const grantSchema = z
  .object({
    sid: sidField,
    wallet_sid: sidField,
    kind: z
      .enum(GRANT_KINDS)
      .describe('promo: by a code or a campaign. goodwill: by an operator. bonus: by a rule, such as a first top-up.'),
    amount: signedAmount.describe('What was given.'),
    left: signedAmount.describe('What of it can still be used.'),
    held: signedAmount.describe('What open holds have set aside of it.'),
    used: signedAmount.describe('What was paid with it.'),
    taken_back: signedAmount.describe('What was left of it when it expired or was revoked.'),
    priority: z.int(),
    expires_at: instant.nullable().describe('From then on it cannot be used; null: it has no end.'),
    reason: z.string(),
    state: z.enum(GRANT_STATES),
    created_at: instant,
    ended_at: instant.nullable(),
  })
  .meta({ id: 'Grant' });

export const toGrant = (row: GrantRow): z.input<typeof grantSchema> => ({
  sid: row.sid,
  wallet_sid: row.walletSid,
  kind: row.kind,
  amount: formatDecimal(row.amount),
  left: formatDecimal(row.left),
  held: formatDecimal(row.held),
  used: formatDecimal(micros(row.amount - row.left - row.held - row.takenBack)),
  taken_back: formatDecimal(row.takenBack),
  priority: row.priority,
  expires_at: row.expiresAt?.toISOString() ?? null,
  reason: row.reason,
  state: row.state,
  created_at: row.createdAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
});

import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { listIdentities, type IdentityRow } from '../../store/identity.ts';
import { operation } from '../operation.ts';
import { instant, sidField } from '../schema.ts';
import { maySee } from '../visible.ts';

export const identitySchema = z
  .object({
    sid: sidField,
    kind: z.enum(['forge', 'oidc', 'mycelium', 'sandbox']),
    issuer: z.string().describe('Who vouches for it.'),
    subject: z.string().describe("The issuer's number of the user, or the overlay address."),
    label: z.string().describe('What its owner knows it by; nothing follows from it.'),
    linked_at: instant,
    last_used_at: instant.nullable(),
  })
  .meta({ id: 'Identity' });

export const toIdentity = (row: IdentityRow): z.input<typeof identitySchema> => ({
  sid: row.sid,
  kind: row.kind,
  issuer: row.issuer,
  subject: row.subject,
  label: row.label,
  linked_at: row.linkedAt.toISOString(),
  last_used_at: row.lastUsedAt?.toISOString() ?? null,
});

export const identityList = operation({
  name: 'identity.list',
  summary: 'List the ways in which a user can sign in',
  http: { method: 'get', path: '/v1/users/{sid}/identities', status: 200 },
  access: 'user',
  scope: null,
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ items: z.array(identitySchema), next_cursor: z.null() }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    if (!maySee(actor, input.sid)) return refuse('not_found', 'There is no user with this sid.');
    return { items: (await listIdentities(house.db, input.sid)).map(toIdentity), next_cursor: null };
  },
});

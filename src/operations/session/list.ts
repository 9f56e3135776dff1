import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { listLiveSessions, type SessionRow } from '../../store/session.ts';
import { operation } from '../operation.ts';
import { instant, sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { seenSince } from './open.ts';

const listedSchema = z
  .object({
    sid: sidField,
    is_current: z.boolean().describe('The one that asks.'),
    address: z.string().nullable().describe('Where it was opened from.'),
    agent: z.string().nullable().describe('The browser or program, as it called itself then.'),
    created_at: instant,
    seen_at: instant.describe('When it was last used, to the minute.'),
    expires_at: instant,
  })
  .meta({ id: 'ListedSession' });

export const sessionList = operation({
  name: 'session.list',
  summary: 'List where a user is signed in, newest first',
  http: { method: 'get', path: '/v1/users/{sid}/sessions', status: 200 },
  access: 'user',
  scope: null,
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ items: z.array(listedSchema), next_cursor: z.null() }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    if (!maySee(actor, input.sid)) return refuse('not_found', 'There is no user with this sid.');
    const now = house.ports.clock.now();
    const rows = await listLiveSessions(house.db, input.sid, { now, seenSince: seenSince(house) });
    const current = 'credential' in actor ? actor.credential?.sid : undefined;
    return { items: rows.map((row) => toListed(row, current)), next_cursor: null };
  },
});

const toListed = (row: SessionRow, current: string | undefined): z.input<typeof listedSchema> => ({
  sid: row.sid,
  is_current: row.sid === current,
  address: row.address,
  agent: row.agent,
  created_at: row.createdAt.toISOString(),
  seen_at: row.seenAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
});

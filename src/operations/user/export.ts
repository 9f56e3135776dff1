import { z } from 'zod';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { exportsBegun, lockForExport } from '../../store/export.ts';
import { readUser } from '../../store/user.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { PART_NAMES, readPart, type PartName, type Subject } from '../export/parts.ts';
import { operation, type Call } from '../operation.ts';
import { readCursor, writeCursor } from '../page.ts';
import { instant, sidField } from '../schema.ts';
import { actsFor } from '../visible.ts';

/** Exports that one person may begin of one user in an hour: each reads everything there is. */
const EXPORTS_MAX = 5;
const HOUR_MS = 3_600_000;

export const userExport = operation({
  name: 'user.export',
  summary: 'Export everything that is kept of a user, part after part',
  description:
    `For the user, and for operators who may export. Each answer is a stretch of one part; follow next_cursor, within an hour. Over HTTP ` +
    'GET /v1/users/{sid}/export.json gives all of it as one document, and /v1/users/{sid}/export.csv the statement of the wallet. ' +
    `${EXPORTS_MAX} may be begun in an hour. Secrets are not in it, nor who else had to do with a record.`,
  http: { method: 'get', path: '/v1/users/{sid}/export', status: 200 },
  access: 'user',
  right: 'export',
  scope: null,
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    part: z.enum(PART_NAMES).optional().describe('Only this part.'),
    cursor: z.string().max(512).optional().describe('`next_cursor` of the answer before; leave it out to begin.'),
  }),
  output: z.object({
    user_sid: sidField,
    begun_at: instant,
    part: z.enum(PART_NAMES),
    records: z.array(z.record(z.string(), z.unknown())),
    next_cursor: z.string().nullable(),
  }),
  refusals: ['not_found', 'rate_limited'],
  async run(call, input) {
    const { house, actor } = call;
    const subject = actsFor(actor, input.sid) ? await readSubject(call, input.sid) : null;
    if (subject === null) return refuse('not_found', 'There is no user with this sid.');
    const place = readPlace(call, input);
    if (isRefusal(place)) return place;
    const refused = input.cursor === undefined ? await begin(call, input.sid) : null;
    if (refused) return refused;
    const { records, next } = await readPart(house, subject, place.part, place.before);
    const following = next === null ? nextPart(place.part, input.part) : place.part;
    return {
      user_sid: input.sid,
      begun_at: place.begunAt.toISOString(),
      part: place.part,
      records: [...records],
      next_cursor:
        following === null
          ? null
          : writeCursor(house, 'user.export', textOf({ ...place, part: following, before: next })),
    };
  },
});

async function readSubject({ house }: Call, sid: string): Promise<Subject | null> {
  const [user, wallet] = [await readUser(house.db, sid), await readWalletByUser(house.db, sid)];
  return user && wallet && { user, wallet };
}

/** How far an export is. */
interface Place {
  readonly userSid: string;
  readonly begunAt: Date;
  readonly part: PartName;
  readonly before: string | null;
}

const textOf = ({ userSid, begunAt, part, before }: Place): string =>
  [userSid, begunAt.getTime(), part, before ?? ''].join('|');

function readPlace(
  { house }: Call,
  input: { readonly sid: string; readonly part?: PartName | undefined; readonly cursor?: string | undefined },
): Place | Refusal {
  const now = house.ports.clock.now();
  const text = readCursor(house, 'user.export', input.cursor);
  if (isRefusal(text)) return text;
  if (text === null) return { userSid: input.sid, begunAt: now, part: input.part ?? PART_NAMES[0], before: null };
  const [userSid = '', begunMs = '', part = '', before = ''] = text.split('|');
  const begunAt = new Date(Number(begunMs));
  if (userSid === input.sid && now.getTime() - begunAt.getTime() <= HOUR_MS)
    return { userSid, begunAt, part: part as PartName, before: before === '' ? null : before };
  const errors = [
    { pointer: '#/cursor', detail: 'is of another export, or of one that was begun more than an hour ago' },
  ];
  return refuse('invalid_request', 'Begin the export anew.', { errors });
}

function nextPart(part: PartName, only: PartName | undefined): PartName | null {
  if (only !== undefined) return null;
  return PART_NAMES[PART_NAMES.indexOf(part) + 1] ?? null;
}

/** Writes down that it was begun, or refuses because that was done too often. */
async function begin(call: Call, userSid: string): Promise<Refusal | null> {
  const { house, actor } = call;
  const now = house.ports.clock.now();
  return await house.db.transaction('user.export', async (tx) => {
    await lockForExport(tx, userSid);
    const since = new Date(now.getTime() - HOUR_MS);
    const begun = await exportsBegun(tx, { userSid, actor: actor.id, since });
    const oldest = begun.at(-EXPORTS_MAX);
    if (oldest !== undefined) {
      const retryAfterSeconds = Math.max(1, Math.ceil((oldest.getTime() + HOUR_MS - now.getTime()) / 1_000));
      const message = `${EXPORTS_MAX} exports were begun within an hour. Wait a while.`;
      return refuse('rate_limited', message, { retryAfterSeconds });
    }
    await recordAudit(tx, call, { action: 'user.export', subject: userSid });
    return null;
  });
}

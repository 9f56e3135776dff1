import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { KEY_SCOPES } from '../../domain/identity/role.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { lockIdentitiesOf } from '../../store/identity.ts';
import { countLiveKeys, insertKey, readKeyRow } from '../../store/key.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { operation, type Actor } from '../operation.ts';
import { instant, sidField, textField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { keyWithSecretSchema, refusalToHold, toKey } from './key.ts';
import { makeKey } from './new-key.ts';
import { tellOwner } from './tell-owner.ts';

/** Good at the same time, for one owner: more is a script that makes one each time it runs. */
const LIVE_KEYS_MAX = 20n;
const EXPIRY_YEARS_MAX = 10;
const YEAR_MS = 366 * 86_400_000;

export const keyCreate = operation({
  name: 'key.create',
  summary: 'Make a key for a script, and tell it this once',
  description:
    'It reaches one wallet, its owner’s, and does what its scopes say: read shows, top_up puts money in, spend debits and sets aside. A key ' +
    'that is lost is rotated. At most 20 of an owner are good at a time.',
  http: { method: 'post', path: '/v1/keys', status: 201 },
  access: 'user',
  right: 'secrets',
  // What it answers is told once, and stored nowhere to be answered again.
  idempotency: 'none',
  input: z.strictObject({
    name: textField(100).describe('What it is for.'),
    scopes: z
      .array(z.enum(KEY_SCOPES))
      .min(1)
      .refine((scopes) => new Set(scopes).size === scopes.length, 'must name each once')
      .default(['read']),
    expires_at: instant.nullable().default(null).describe('When it ends by itself; null: when it is revoked.'),
    owner_sid: sidField.optional().describe('You, or an organisation that you own; left out: you.'),
  }),
  output: keyWithSecretSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const ownerSid = ownerOf(actor, input.owner_sid);
    if (isRefusal(ownerSid)) return ownerSid;
    const expiresAt = readExpiry(house, input.expires_at);
    if (isRefusal(expiresAt)) return expiresAt;
    const { text, ...key } = makeKey(house, 'user');
    const sid = house.ports.ids.sid();
    return house.db.transaction('key.create', async (tx) => {
      const now = house.ports.clock.now();
      // Of two at once the second counts the first.
      if (!(await lockIdentitiesOf(tx, ownerSid))) return noOwner();
      // An attempt whose commit came through and whose answer was lost: this is its answer.
      const before = await readKeyRow(tx, sid);
      if (before) return { ...toKey(house, before), key: text };
      if ((await countLiveKeys(tx, ownerSid, now)) >= LIVE_KEYS_MAX)
        return refuse('state_conflict', 'There are as many keys as there may be. Revoke one first.', {
          details: { keys_max: Number(LIVE_KEYS_MAX) },
        });
      const { name, scopes } = input;
      await insertKey(tx, { sid, ownerSid, name, scopes, createdAt: now, expiresAt, ...key });
      const made = await readKeyRow(tx, sid);
      assert(made !== null, 'the key was just stored');
      await recordAudit(tx, call, {
        action: 'key.create',
        subject: sid,
        // Not its name: that is the owner's own word, and goes with them; the trail stays.
        after: {
          owner_sid: ownerSid,
          key_id: made.keyId,
          scopes: scopes.join(' '),
          expires_at: expiresAt?.toISOString() ?? null,
        },
      });
      await tellOwner(tx, house, 'key.created', made);
      return { ...toKey(house, made), key: text };
    });
  },
});

const noOwner = (): Refusal => refuse('not_found', 'There is no user or organisation with this sid.');

function ownerOf(actor: Actor, asked: string | undefined): string | Refusal {
  const own = actor.kind === 'user' || actor.kind === 'operator' ? actor.userSid : null;
  const ownerSid = asked ?? own;
  if (ownerSid === null)
    return refuse('forbidden', 'A key is somebody’s: sign in as yourself, not with the admin secret.');
  return maySee(actor, ownerSid) ? (refusalToHold(actor, ownerSid) ?? ownerSid) : noOwner();
}

function readExpiry({ ports }: House, text: string | null): Date | null | Refusal {
  if (text === null) return null;
  const at = new Date(text);
  const ms = at.getTime() - ports.clock.now().getTime();
  if (ms > 0 && ms <= EXPIRY_YEARS_MAX * YEAR_MS) return at;
  return refuse('invalid_request', 'A key cannot end then.', {
    errors: [{ pointer: '#/expires_at', detail: `must lie ahead, by ${EXPIRY_YEARS_MAX} years at most` }],
  });
}

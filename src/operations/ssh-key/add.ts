import { z } from 'zod';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { parseSshKey } from '../../domain/ssh-key/parse.ts';
import { lockIdentitiesOf } from '../../store/identity.ts';
import { countSshKeys, insertSshKey } from '../../store/ssh-key.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Actor } from '../operation.ts';
import { textField } from '../schema.ts';
import { SSH_KEYS_MAX, sshKeySchema, toSshKey } from './ssh-key.ts';

const NAME_MAX = 100;
/** An RSA key of 16,384 bits has some 2,800 characters. */
const KEY_CHARACTERS_MAX = 8_000;

export const sshKeyAdd = operation({
  name: 'ssh-key.add',
  summary: 'Add a public SSH key, to reach VMs with',
  description:
    'One line as ssh-keygen writes it into the file that ends in .pub: ed25519, ECDSA, or RSA of at least 2,048 bits. It comes onto VMs that are ' +
    'asked for from then on. Everybody adds their own.',
  http: { method: 'post', path: '/v1/ssh-keys', status: 201 },
  access: 'user',
  // Whoever adds one can come into the next VM.
  right: 'secrets',
  forSelf: true,
  // The same key is there once.
  idempotency: 'none',
  input: z.strictObject({
    public_key: z.string().min(1).max(KEY_CHARACTERS_MAX).describe('For example `ssh-ed25519 AAAAC3… me@laptop`.'),
    name: textField(NAME_MAX).optional().describe('What its owner knows it by; left out: the comment behind the key.'),
  }),
  output: sshKeySchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const userSid = ownerOf(actor);
    if (isRefusal(userSid)) return userSid;
    const key = parseSshKey(input.public_key);
    if ('problem' in key) {
      const message = `The key ${key.problem}.`;
      return refuse('invalid_request', message, { errors: [{ pointer: '#/public_key', detail: key.problem }] });
    }
    const { publicKey, fingerprint, comment } = key;
    const name = input.name ?? nameOf(comment, publicKey);
    const row = {
      sid: house.ports.ids.sid(),
      userSid,
      name,
      publicKey,
      fingerprint,
      createdAt: house.ports.clock.now(),
    };
    return await house.db.transaction('ssh-key.add', async (tx) => {
      // Of two at once the second counts the first.
      if (!(await lockIdentitiesOf(tx, userSid))) return refuse('not_found', 'There is no user with this sid.');
      if ((await countSshKeys(tx, userSid)) >= SSH_KEYS_MAX) return tooMany();
      if (!(await insertSshKey(tx, row))) return refuse('state_conflict', 'You have added this key already.');
      await recordAudit(tx, call, {
        action: 'ssh-key.add',
        subject: row.sid,
        after: { user_sid: userSid, fingerprint },
      });
      return toSshKey(row);
    });
  },
});

/** A comment is anything that somebody has typed: what is no name is left out. */
function nameOf(comment: string, publicKey: string): string {
  const parsed = textField(NAME_MAX).safeParse(comment.slice(0, NAME_MAX));
  return parsed.success ? parsed.data : (publicKey.split(' ')[0] ?? 'ssh');
}

/** Whose SSH keys a call is about: their own. */
export function ownerOf(actor: Actor): string | Refusal {
  const userSid = actor.kind === 'user' || actor.kind === 'operator' ? actor.userSid : null;
  return userSid ?? refuse('forbidden', 'An SSH key is somebody’s: sign in as yourself, not with the admin secret.');
}

const tooMany = (): Refusal =>
  refuse('state_conflict', 'There are as many SSH keys as there may be. Remove one first.', {
    details: { ssh_keys_max: SSH_KEYS_MAX },
  });

import { z } from 'zod';
import type { SshKeyRow } from '../../store/ssh-key.ts';
import { instant, sidField } from '../schema.ts';

/** Of one user: more is a script that makes one each time it runs. */
export const SSH_KEYS_MAX = 50;

export const sshKeySchema = z
  .object({
    sid: sidField,
    user_sid: sidField,
    name: z.string(),
    public_key: z.string().describe('Type and base64, as OpenSSH writes them.'),
    fingerprint: z.string().describe('As `ssh-keygen -l` shows it.'),
    created_at: instant,
  })
  .meta({ id: 'SshKey' });

export const toSshKey = (row: SshKeyRow): z.input<typeof sshKeySchema> => ({
  sid: row.sid,
  user_sid: row.userSid,
  name: row.name,
  public_key: row.publicKey,
  fingerprint: row.fingerprint,
  created_at: row.createdAt.toISOString(),
});

import { readFileSync, statSync } from 'node:fs';
import process from 'node:process';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who PostgreSQL runs as. Null: as we do. It refuses root, so root hands it to the owner of the data if there is one,
 * else to `nobody`, which every system has in its user table (initdb wants an entry there).
 */
export function serverUser(clusterFolder: string): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const found = statSync(clusterFolder, { throwIfNoEntry: false });
  if (found !== undefined && found.uid !== 0) return { uid: found.uid, gid: found.gid };
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('nobody:'));
  const [, , uid, gid] = entry?.split(':') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error(
      'PostgreSQL refuses to run as root, and there is no user "nobody": start as another user, or set DATABASE_URL',
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}

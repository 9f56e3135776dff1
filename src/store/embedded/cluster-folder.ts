import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { isOpenToAll } from './binaries.ts';
import type { ServerUser } from './server-user.ts';

/** Where data goes when root's chosen folder cannot be entered by the server's user. */
const OUTSIDE_FOLDER = '/var/lib/hero-onboarding';
/** A socket's path has at most 107 bytes, and PostgreSQL adds `/.s.PGSQL.65535.lock`. */
const SOCKET_FOLDER_MAX = 85;

/** Makes the folder that holds all of one embedded database, and answers where it really is. */
export function prepareFolder(wanted: string): string {
  const folder = realFolder(wanted);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return realpathSync(folder);
}

function realFolder(wanted: string): string {
  const folder = path.resolve(wanted);
  if (process.getuid?.() !== 0 || isOpenToAll(folder)) return folder;
  return path.join(OUTSIDE_FOLDER, createHash('sha256').update(folder).digest('hex').slice(0, 12));
}

export const clusterFolderOf = (folder: string): string => path.join(folder, 'postgres');
export const logFileOf = (folder: string): string => path.join(folder, 'postgres.log');

/** A folder that only the server's user and root can enter. */
export function makePrivate(folder: string, user: ServerUser | null): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (user !== null) chownSync(folder, user.uid, user.gid);
}

/** Beside the data when the path is short enough, else a new one under the system's temporary folder. */
export function makeSocketFolder(folder: string, user: ServerUser | null): string {
  const beside = path.join(folder, 'run');
  const chosen = Buffer.byteLength(beside) <= SOCKET_FOLDER_MAX ? beside : mkdtempSync(path.join(tmpdir(), 'hero-'));
  makePrivate(chosen, user);
  return chosen;
}

export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
}

/** What a running (or dead) server wrote about itself. Null: there is no file, or it is not written to its end yet. */
export function readPostmasterFile(clusterFolder: string): PostmasterFile | null {
  let lines: string[];
  try {
    lines = readFileSync(path.join(clusterFolder, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const [pid, , , port, socketFolder] = lines;
  if (pid === undefined || port === undefined || socketFolder === undefined) return null;
  return { pid: Number(pid), port: Number(port), socketFolder };
}

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderInUse, lockFolder } from '../../src/store/embedded/folder-lock.ts';
import { startOf } from '../../src/store/embedded/processes.ts';

const since = new Date('2026-03-01T12:00:00Z');
/** Above every limit of process numbers. */
const NO_PROCESS = 2 ** 30;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const heldBy = (pid: number, start: string | null): void =>
  writeFileSync(path.join(folder, 'server.lock.7'), JSON.stringify({ pid, start, since: since.toISOString() }));

describe('the lock of a data folder', () => {
  it('G11 is refused while its holder lives, in a sentence that names it', () => {
    heldBy(process.pid, startOf(process.pid));
    expect(() => lockFolder(folder, since)).toThrow(FolderInUse);
    expect(() => lockFolder(folder, since)).toThrow(
      `${folder} is in use by the server with process id ${process.pid}, running since 2026-03-01T12:00:00.000Z`,
    );
  });

  it.each([
    ['whose process is gone', NO_PROCESS, 'boot:1'],
    ['whose number now belongs to another process', process.pid, 'boot:1'],
  ])('is taken over from a holder %s', (_, pid, start) => {
    heldBy(pid, start);
    const lock = lockFolder(folder, since);
    expect(readdirSync(folder)).toEqual(['server.lock.8']);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that cannot be read holds nobody off', () => {
    writeFileSync(path.join(folder, 'server.lock.1'), '');
    const lock = lockFolder(folder, since);
    expect(readdirSync(folder)).toEqual(['server.lock.2']);
    lock.release();
  });
});

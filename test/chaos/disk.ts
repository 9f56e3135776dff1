import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Room for a new cluster and some seconds of work. */
const SIZE = '192m';
const BLOCK = Buffer.alloc(256 * 1024, 'x');
const SMALLEST = Buffer.alloc(512, 'x');

/** A disk so small that it can be filled: a tmpfs of its own. */
export class Disk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Null when this machine does not let us mount one. */
  static mount(): Disk | null {
    const folder = mkdtempSync(path.join('/var/tmp', 'hero-chaos-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0755`, 'hero-chaos', folder]);
    if (mounted.status === 0) {
      const disk = new Disk(folder);
      process.once('exit', disk.#unmountAtExit);
      return disk;
    }
    rmSync(folder, { recursive: true, force: true });
    return null;
  }

  /** To the last byte. */
  fill(): void {
    const file = openSync(this.#filler(), 'a');
    try {
      for (const block of [BLOCK, SMALLEST]) while (canWrite(file, block));
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#filler(), { force: true });
  }

  unmount(): void {
    process.off('exit', this.#unmountAtExit);
    this.#unmountAtExit();
  }

  readonly #unmountAtExit = (): void => {
    spawnSync('umount', ['-l', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  };

  readonly #filler = (): string => path.join(this.folder, 'filler');
}

function canWrite(file: number, block: Buffer): boolean {
  try {
    return writeSync(file, block) === block.length;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}

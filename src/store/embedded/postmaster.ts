import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Ports } from '../../ports/ports.ts';
import { openSession } from '../postgres.ts';
import { readPostmasterFile } from './cluster-folder.ts';
import { isAlive, programOf } from './processes.ts';
import { startProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

export interface PostmasterOptions {
  readonly program: string;
  readonly clusterFolder: string;
  readonly logFile: string;
  readonly socketFolder: () => string;
  readonly user: ServerUser | null;
  readonly owner: string;
  readonly ports: Ports;
  readonly tcpPort?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

const PORT = 5432;
const POLL_MS = 50;
const WATCH_MS = 250;
/** A server killed a moment ago can hold its folder and its shared memory for a while. */
const STALE_WITHIN_MS = 10_000;
const STALE = /lock file|shared memory block|Address already in use/;
/** Recovery after a crash reads the log since the last checkpoint. */
const READY_WITHIN_MS = 60_000;
const FAST_STOP_WITHIN_MS = 10_000;
const LOG_TAIL_BYTES = 2_000;
const LOG_FILE_MAX_BYTES = 16 * 1024 * 1024;

/** Owns the life of one server process: found or started, watched, started again when it dies, stopped. */
export class Postmaster {
  readonly #options: PostmasterOptions;
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  #pid = 0;
  #socketFolder = '';

  constructor(options: PostmasterOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#pid;
  }

  url(database: string): string {
    const { owner, tcpPort } = this.#options;
    if (tcpPort !== undefined) return `postgresql://${owner}@127.0.0.1:${tcpPort}/${database}`;
    return `postgresql://${owner}@localhost:${PORT}/${database}?host=${encodeURIComponent(this.#socketFolder)}`;
  }

  /** True when a running server was adopted. */
  async adoptOrStart(): Promise<boolean> {
    if (await this.#adopt()) return true;
    await this.#start();
    return false;
  }

  /** The server is ours alone, so nobody else would start it again. */
  keepRunning(): void {
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    if (!isAlive(this.#pid)) return;
    signal(this.#pid, 'SIGINT');
    if (await this.#until(() => !isAlive(this.#pid), FAST_STOP_WITHIN_MS)) return;
    this.#options.ports.log.warn({ pid: this.#pid }, 'PostgreSQL did not stop in time: ended at once, it will recover');
    signal(this.#pid, 'SIGQUIT');
    await this.#until(() => !isAlive(this.#pid), FAST_STOP_WITHIN_MS);
  }

  async #adopt(): Promise<boolean> {
    const { clusterFolder, ports } = this.#options;
    const startedMs = ports.clock.monotonicMs();
    for (;;) {
      const found = readPostmasterFile(clusterFolder);
      if (found === null || !isAlive(found.pid)) return false;
      const program = programOf(found.pid);
      if (program !== null && program !== path.basename(this.#options.program)) {
        // Its number went to another program; PostgreSQL itself would take that one for a server and refuse.
        rmSync(path.join(clusterFolder, 'postmaster.pid'), { force: true });
        return false;
      }
      this.#pid = found.pid;
      this.#socketFolder = found.socketFolder;
      if (await this.#answers()) {
        ports.log.info({ pid: found.pid }, 'took over the PostgreSQL that an earlier process left running');
        return true;
      }
      if (ports.clock.monotonicMs() - startedMs > READY_WITHIN_MS) {
        throw new Error(
          `PostgreSQL (process id ${found.pid}) runs in ${clusterFolder} and does not answer. ${this.#logTail()}`,
        );
      }
      await ports.clock.sleep(POLL_MS);
    }
  }

  async #start(): Promise<void> {
    const { clock } = this.#options.ports;
    const startedMs = clock.monotonicMs();
    for (;;) {
      const logStart = this.#logSize();
      const hasStarted = await this.#startOnce();
      if (hasStarted || this.#stopping.signal.aborted) return;
      const complaint = this.#logTail(logStart);
      if (!STALE.test(complaint) || clock.monotonicMs() - startedMs > STALE_WITHIN_MS) {
        throw new Error(`PostgreSQL did not start in ${this.#options.clusterFolder}. ${complaint}`);
      }
      await clock.sleep(POLL_MS * 2, this.#stopping.signal);
    }
  }

  /** False when the server gave up. */
  async #startOnce(): Promise<boolean> {
    const { program, user, ports } = this.#options;
    this.#socketFolder = this.#options.socketFolder();
    const log = openSync(this.#options.logFile, 'a', 0o640);
    // Detached: Ctrl-C in a terminal reaches us first, and we stop it in good order.
    const child = startProgram(program, this.#arguments(), user, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    const server = { isGone: false };
    child.once('exit', () => (server.isGone = true));
    child.once('error', (error) => {
      server.isGone = true;
      ports.log.error({ error }, 'PostgreSQL could not be run');
    });
    child.unref();
    this.#pid = child.pid ?? 0;
    const startedMs = ports.clock.monotonicMs();
    while (!server.isGone) {
      if (await this.#answers()) return true;
      if (ports.clock.monotonicMs() - startedMs > READY_WITHIN_MS) {
        throw new Error(`PostgreSQL runs and does not answer. ${this.#logTail()}`);
      }
      await ports.clock.sleep(POLL_MS);
    }
    return false;
  }

  #arguments(): string[] {
    const { clusterFolder, tcpPort, settings } = this.#options;
    const all = {
      listen_addresses: tcpPort === undefined ? '' : '127.0.0.1',
      port: String(tcpPort ?? PORT),
      unix_socket_directories: this.#socketFolder,
      unix_socket_permissions: '0700',
      ...settings,
    };
    return ['-D', clusterFolder, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  }

  /** Asks it something, and that it is the server of our folder and no other. */
  async #answers(): Promise<boolean> {
    const { ports, clusterFolder } = this.#options;
    try {
      const session = await openSession({ url: this.url('postgres'), ports, role: null });
      try {
        const rows = await session.query('select 1 from pg_settings where name = $1 and setting = $2', [
          'data_directory',
          clusterFolder,
        ]);
        return rows.length === 1 && readPostmasterFile(clusterFolder)?.pid === this.#pid;
      } finally {
        await session.close();
      }
    } catch {
      return false;
    }
  }

  async #watch(): Promise<void> {
    const { clock, log } = this.#options.ports;
    const { signal: stopping } = this.#stopping;
    for (;;) {
      await clock.sleep(WATCH_MS, stopping);
      if (stopping.aborted) return;
      if (isAlive(this.#pid)) continue;
      log.error({ pid: this.#pid, end: this.#logTail() }, 'PostgreSQL died and is started again');
      try {
        await this.#start();
        log.info({ pid: this.#pid }, 'PostgreSQL runs again');
      } catch (error) {
        log.error({ error }, 'PostgreSQL could not be started again');
      }
    }
  }

  async #until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const { clock } = this.#options.ports;
    const startedMs = clock.monotonicMs();
    while (!condition()) {
      if (clock.monotonicMs() - startedMs > withinMs) return false;
      await clock.sleep(POLL_MS / 2);
    }
    return true;
  }

  /** Where the next start begins to write. A log that grew long is put aside first, in place of the one before. */
  #logSize(): number {
    const { logFile } = this.#options;
    const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= LOG_FILE_MAX_BYTES) return size;
    renameSync(logFile, `${logFile}.old`);
    return 0;
  }

  #logTail(from = 0): string {
    const { logFile } = this.#options;
    const bytes = existsSync(logFile) ? readFileSync(logFile).subarray(from) : Buffer.alloc(0);
    return `The end of ${logFile}:\n${bytes.subarray(-LOG_TAIL_BYTES).toString()}`;
  }
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It went by itself in the meantime.
  }
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { findBinaries, type Binaries } from '../../src/store/embedded/binaries.ts';
import { runToEnd, startProgram } from '../../src/store/embedded/run-program.ts';
import { serverUser, type ServerUser } from '../../src/store/embedded/server-user.ts';
import { freePort } from '../support/cluster.ts';
import { childrenOf, kill9, pause } from './processes.ts';

const OWNER = 'hero_onboarding';
const READY_WITHIN_MS = 60_000;
/** A server killed a moment ago can hold its shared memory for a while: the next one refuses, and is tried again. */
const START_WITHIN_MS = 20_000;
/** On a disk, and not in /tmp, which is memory on many machines: fsync must cost what it costs. */
const ROOT = '/var/tmp';

export interface OwnPostgresOptions {
  readonly dataFolder?: string;
  /** More `name=value` for the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Made {
  readonly cluster: string;
  readonly port: number;
  readonly binaries: Binaries;
  readonly user: ServerUser | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** A PostgreSQL that belongs to a test alone: a direct child, durable, killed and started as the test says. */
export class OwnPostgres {
  readonly port: number;
  readonly #folder: string;
  readonly #cluster: string;
  readonly #binaries: Binaries;
  readonly #user: ServerUser | null;
  #child: ChildProcess | null = null;

  readonly #settings: Readonly<Record<string, string>>;

  private constructor(folder: string, { cluster, port, binaries, user, settings }: Readonly<Made>) {
    this.#folder = folder;
    this.port = port;
    this.#cluster = cluster;
    this.#settings = settings;
    this.#binaries = binaries;
    this.#user = user;
  }

  /** Makes the cluster and does not start it. `dataFolder`: where, if not on the disk; it exists, and is left by `remove`. */
  static async make(options: OwnPostgresOptions = {}): Promise<OwnPostgres> {
    const folder = mkdtempSync(path.join(ROOT, 'hero-chaos-'));
    const dataFolder = options.dataFolder ?? folder;
    const cluster = path.join(dataFolder, 'cluster');
    const user = serverUser(cluster);
    chmodSync(folder, 0o755);
    if (user !== null) chownSync(dataFolder, user.uid, user.gid);
    const binaries = findBinaries(process.env['PG_BIN'] ?? null, user);
    const port = await freePort();
    const made = new OwnPostgres(folder, { cluster, port, binaries, user, settings: options.settings ?? {} });
    const settings = ['--encoding=UTF8', '--locale=C', '--data-checksums', '--auth=trust', `--username=${OWNER}`];
    await runToEnd(binaries.initdb, ['-D', cluster, ...settings], user);
    return made;
  }

  urlOf(database: string, user: string = OWNER): string {
    return `postgresql://${user}@127.0.0.1:${this.port}/${database}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    while (!(await this.#startOnce())) {
      if (performance.now() - startedMs > START_WITHIN_MS) throw new Error(`PostgreSQL does not start:\n${this.log()}`);
      await pause(100);
    }
  }

  /** With signal 9, and its children with it, as a machine that loses its power. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
    const family = [child.pid, ...childrenOf(child.pid)];
    for (const pid of family) kill9(pid);
    await ended;
    this.#child = null;
  }

  /** False once it ended by itself, or was killed. */
  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** For whoever has no time to wait: what runs, to be killed at once. */
  get pids(): number[] {
    const pid = this.#child?.pid;
    return pid === undefined ? [] : [pid, ...childrenOf(pid)];
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  log(): string {
    return readFileSync(this.#logFile(), 'utf8').slice(-4_000);
  }

  async execute(text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.urlOf(database), connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const answer = await client.query<Record<string, unknown>>(text);
      return answer.rows;
    } finally {
      await client.end();
    }
  }

  /** False when it gave up. */
  async #startOnce(): Promise<boolean> {
    const log = openSync(this.#logFile(), 'a');
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: '',
      fsync: 'on',
      synchronous_commit: 'on',
      max_connections: '200',
      ...this.#settings,
    };
    const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const stdio: ('ignore' | number)[] = ['ignore', log, log];
    const child = startProgram(this.#binaries.postgres, ['-D', this.#cluster, ...given], this.#user, { stdio });
    closeSync(log);
    this.#child = child;
    const startedMs = performance.now();
    while (child.exitCode === null && child.signalCode === null) {
      const answers = await this.execute('select 1').then(
        () => true,
        () => false,
      );
      if (answers) return true;
      if (performance.now() - startedMs > READY_WITHIN_MS)
        throw new Error(`PostgreSQL does not answer:\n${this.log()}`);
      await pause(20);
    }
    return false;
  }

  /** Outside the cluster's folder, which may be on a disk that is full. */
  readonly #logFile = (): string => path.join(this.#folder, 'postgres.log');
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { Client, Pool, types } from 'pg';
import type { PoolClient, PoolConfig } from 'pg';
import type { Ports } from '../ports/ports.ts';
import { classify, RETRIABLE_KEYS } from './database-errors.ts';
import { DatabaseUnavailable } from './database-unavailable.ts';
import type { Db } from './db.ts';
import { parserOf } from './pg-text.ts';
import { dbOver } from './transaction.ts';
import type { Answer, Connection, Query, TransactionSettings } from './transaction.ts';

/** What the application runs as: it may not change or remove what is append-only. Made by the migrations. */
export const APP_ROLE = 'hero_onboarding_app';

export interface DatabaseOptions {
  /** `postgresql://user@host:port/database`; a socket folder as `?host=%2Ffolder`. */
  readonly url: string;
  readonly ports: Ports;
  /** The role to become at connect. Null: stay who the URL says (owners: migrations, tests). */
  readonly role?: string | null;
  /** Connections for everybody; about 10: more make a hot row slower, not faster. */
  readonly poolMax?: number;
  /** Connections kept apart for webhooks and health, which must answer while all others are busy. */
  readonly reservedMax?: number;
  /** How many may wait for a connection; the next is turned away at once. */
  readonly waitingMax?: number;
  readonly limits?: Partial<DatabaseLimits>;
  /** Unique keys, besides the house's own, whose loser runs again. */
  readonly retriableKeys?: readonly string[];
  readonly observe?: (statementName: string, ms: number, isOk: boolean) => void;
}

/** All in milliseconds. The last three are enforced by the server, and end a stuck session without us. */
export interface DatabaseLimits {
  /** To get a connection: from the pool, or to a server that does not answer. */
  readonly connectMs: number;
  /** For the answer to one statement, when the network swallows it. Longer than `statementMs`. */
  readonly answerMs: number;
  /** No attempt at a transaction begins later than this after its first. */
  readonly retryWithinMs: number;
  readonly statementMs: number;
  readonly lockMs: number;
  readonly idleInTransactionMs: number;
}

export const DATABASE_LIMITS: DatabaseLimits = {
  connectMs: 1_800,
  answerMs: 15_000,
  retryWithinMs: 8_000,
  statementMs: 10_000,
  lockMs: 5_000,
  idleInTransactionMs: 10_000,
};

export interface Database extends Db {
  /** The same database over connections of its own. Closed with its parent. */
  readonly reserved: Db;
  /** For metrics. */
  connections(): { readonly open: number; readonly idle: number; readonly waiting: number };
}

const ATTEMPTS_MAX = 5;
const KEEP_ALIVE_AFTER_MS = 5_000;
const CLOSE_WITHIN_MS = 2_000;

/** Opens lazily: the first statement connects. A server that is down is not an error here. */
export function openDatabase(options: DatabaseOptions): Database {
  const { ports } = options;
  const scopes: TransactionSettings['scopes'] = new AsyncLocalStorage();
  const main = new GuardedPool(options, options.poolMax ?? 10);
  const reserved = new GuardedPool(options, options.reservedMax ?? 2);
  const limits = { ...DATABASE_LIMITS, ...options.limits };
  const settingsFor = (pool: GuardedPool): TransactionSettings => ({
    ports,
    scopes,
    acquire: () => pool.acquire(),
    retriableKeys: new Set([...RETRIABLE_KEYS, ...(options.retriableKeys ?? [])]),
    attemptsMax: ATTEMPTS_MAX,
    retryWithinMs: limits.retryWithinMs,
    observe: options.observe ?? (() => undefined),
  });
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= Promise.all([main.close(), reserved.close()]).then(() => undefined);
    return closing;
  };
  return {
    ...dbOver(settingsFor(main), close),
    reserved: dbOver(settingsFor(reserved), close),
    connections: () => main.counts(),
  };
}

/** More than the workers of all kinds of jobs want at once: each keeps one to listen, and nobody else could have it. */
const WORKER_POOL_MAX = 20;

/** A plain pool for the job runner, which brings its own SQL and expects the driver's own types. */
export function openWorkerPool(options: DatabaseOptions): Pool {
  const pool = guard(
    new Pool({ ...connectionConfig(options), max: options.poolMax ?? WORKER_POOL_MAX }),
    options.ports,
  );
  return releasedOnce(pool);
}

type Lent = Parameters<Parameters<Pool['connect']>[0]>;

/**
 * A listener of the job runner whose connection breaks while it ends gives it back twice, and the second time would end the process: what was
 * given back already is left alone.
 */
function releasedOnce(pool: Pool): Pool {
  const connect = pool.connect.bind(pool);
  const once = (release: Lent[2]): Lent[2] => {
    let isReleased = false;
    return (problem) => {
      if (isReleased) return;
      isReleased = true;
      release(problem);
    };
  };
  const lend = (use?: (...lent: Lent) => void) =>
    use === undefined ? connect() : connect((error, client, release) => use(error, client, once(release)));
  return Object.assign(pool, { connect: lend });
}

/** One connection of its own, for what cannot share: migrations, session locks. */
export interface Session {
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Connects now; throws what the driver says when it cannot. */
export async function openSession(options: DatabaseOptions): Promise<Session> {
  const client = new Client({ ...connectionConfig(options), types: { getTypeParser } });
  client.on('error', (error) => options.ports.log.debug({ error }, 'a database session was lost'));
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return {
    query: async (text, values) => {
      const answer = await client.query(values === undefined ? { text } : { text, values: [...values] });
      // Several statements in one text give several answers; nobody reads those.
      return Array.isArray(answer) ? [] : answer.rows;
    },
    close: () => client.end(),
  };
}

/** One connection that many take turns on; for a world in which one transaction runs at a time. */
export interface SharedConnection {
  /** `ahead` goes in the same write before it and is not waited for on its own: one round trip for both. */
  run(query: Query, ahead?: Query): Promise<Answer>;
  close(): Promise<void>;
}

/** Connects now, with the types and limits of the pool. */
export async function openSharedConnection(options: DatabaseOptions): Promise<SharedConnection> {
  const client = new Client({ ...connectionConfig(options), types: { getTypeParser }, pipeline: true });
  client.on('error', (error) => options.ports.log.debug({ error }, 'a database connection was lost'));
  await client.connect();
  return {
    run: (query, ahead) => (ahead === undefined ? runOn(client, query) : runBoth(client, ahead, query)),
    close: () => client.end(),
  };
}

class GuardedPool {
  readonly #pool: Pool;
  readonly #waitingMax: number;
  readonly #open = new Set<PoolClient>();
  /** Borrowers, and those who wait to be one. */
  #users = 0;
  #whenUnused: (() => void) | null = null;
  #isClosing = false;
  readonly #ports: Ports;

  constructor(options: DatabaseOptions, max: number) {
    this.#ports = options.ports;
    this.#waitingMax = options.waitingMax ?? 200;
    this.#pool = guard(
      new Pool({ ...connectionConfig(options), types: { getTypeParser }, max, pipeline: true }),
      options.ports,
    );
    this.#pool.on('connect', (client) => {
      this.#open.add(client);
      client.once('end', () => this.#open.delete(client));
    });
  }

  async acquire(): Promise<Connection> {
    if (this.#isClosing) throw new DatabaseUnavailable('the database is being closed');
    if (this.#pool.waitingCount >= this.#waitingMax) {
      throw new DatabaseUnavailable('too many requests wait for a database connection');
    }
    this.#users += 1;
    try {
      return connectionOver(await this.#pool.connect(), () => this.#leave());
    } catch (cause) {
      this.#leave();
      if (classify(cause, new Set()) === 'other') throw cause;
      throw new DatabaseUnavailable('no database connection could be had', { cause });
    }
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#whenUnused?.();
  }

  counts(): { open: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** Takes nobody in, waits for those who are, then for the sockets to be gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#users > 0) await new Promise<void>((resolve) => (this.#whenUnused = resolve));
    await this.#pool.end();
    const gone = [...this.#open].map((client) => new Promise<void>((resolve) => client.once('end', () => resolve())));
    const late = new AbortController();
    await Promise.race([Promise.all(gone), this.#ports.clock.sleep(CLOSE_WITHIN_MS, late.signal)]);
    late.abort();
  }
}

/** Begins are held back: each goes in the same write as the first statement behind it, which saves a round trip a transaction. */
function connectionOver(client: PoolClient, onRelease: () => void): Connection {
  let begin: Query | null = null;
  return {
    run: async (query) => {
      if (query.text.startsWith('begin')) {
        begin = query;
        return { rows: [], command: 'BEGIN' };
      }
      const ahead = begin;
      begin = null;
      if (ahead === null) return await runOn(client, query);
      // The server never heard of a transaction without statements.
      if (query.text === 'commit' || query.text === 'rollback') return { rows: [], command: query.text.toUpperCase() };
      return await runBoth(client, ahead, query);
    },
    release: (destroy) => {
      client.release(destroy);
      onRelease();
    },
  };
}

/** Two statements in one write; the answer is that of the second. The connection must be one that pipelines. */
async function runBoth(client: Client | PoolClient, ahead: Query, query: Query): Promise<Answer> {
  const { stream } = client.connection;
  stream.cork();
  const answers = [runOn(client, ahead), runOn(client, query)] as const;
  stream.uncork();
  const [, answer] = await Promise.all(answers);
  return answer;
}

async function runOn(client: Client | PoolClient, { name, text, values, answerMs }: Query): Promise<Answer> {
  if (name === undefined) return await client.query({ text });
  const query = { name, text, values: values === undefined ? [] : [...values] };
  // The driver reads the second from the query itself; its types know it only as a setting of the connection.
  return await client.query(answerMs === undefined ? query : Object.assign(query, { query_timeout: answerMs }));
}

/** An 'error' event that nobody hears ends the process, and a stopping server sends one to every connection. */
function guard(pool: Pool, ports: Pick<Ports, 'log'>): Pool {
  const hear = (error: Error): void => ports.log.warn({ error }, 'a database connection was lost');
  pool.on('error', hear);
  pool.on('connect', (client) => client.on('error', (error) => ports.log.debug({ error }, 'a connection failed')));
  return pool;
}

function connectionConfig(options: DatabaseOptions): PoolConfig {
  const limits = { ...DATABASE_LIMITS, ...options.limits };
  const role = options.role === undefined ? APP_ROLE : options.role;
  const url = new URL(options.url);
  const given = url.searchParams.get('options');
  url.searchParams.delete('options');
  const settings = [
    ...(given === null ? [] : [given]),
    ...(role === null ? [] : [`-c role=${role}`]),
    `-c statement_timeout=${limits.statementMs}`,
    `-c lock_timeout=${limits.lockMs}`,
    `-c idle_in_transaction_session_timeout=${limits.idleInTransactionMs}`,
    '-c timezone=UTC',
  ];
  return {
    connectionString: url.href,
    application_name: 'hero-onboarding',
    options: settings.join(' '),
    connectionTimeoutMillis: limits.connectMs,
    query_timeout: limits.answerMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  };
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format === 'binary') return types.getTypeParser(oid, 'binary');
  return parserOf(oid, types.getTypeParser(oid, 'text'));
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Ports } from '../../src/ports/ports.ts';
import { RETRIABLE_KEYS } from '../../src/store/database-errors.ts';
import { DatabaseUnavailable } from '../../src/store/database-unavailable.ts';
import type { Db } from '../../src/store/db.ts';
import type { SharedConnection } from '../../src/store/postgres.ts';
import { dbOver, type Answer, type Connection, type Query } from '../../src/store/transaction.ts';
import type { Weather } from './faults.ts';
import { TABLES, type Table } from './renting/rows.ts';
import { never, type Life, type Scheduler } from './scheduler.ts';

export interface SimDatabaseOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly shared: SharedConnection;
  /** Whether the oracle looks at what is written of plans and VMs. */
  readonly isRenting: boolean;
  /** A transaction, or a statement outside of one, begins. */
  readonly onBegin: () => void;
  /** Called after each commit that went through, before anybody else runs. */
  readonly onCommit: (wrote: Wrote) => Promise<void>;
}

/** What a commit changed that the oracle looks at. */
export interface Wrote {
  ledger: boolean;
  inbox: boolean;
  identity: boolean;
  /** In lives of renting: which of its tables. */
  renting: Set<Table>;
}

const WRITES_INBOX = /update inbox set state/;
const WRITES_IDENTITY = /(insert into|update|delete from) (identity|session|key|operator_role) /;
const WRITES_LEDGER = /insert into (entry|batch_leg)|update account/;

const WRITES_RENTING = new RegExp(`(?:insert into|update) (${TABLES.join('|')})\\b`, 'g');
const nothing = (): Wrote => ({ ledger: false, inbox: false, identity: false, renting: new Set() });

/** How long PostgreSQL stays away when it goes down. */
const DOWN_MS = { min: 5_000, spread: 240_000 };

/**
 * The world's one PostgreSQL. The SQL and the transactions are real; a transaction runs as one step, so one connection serves all
 * processes in turn, and "another connection died" is a real rollback on it.
 */
export class SimDatabase {
  readonly #options: SimDatabaseOptions;
  /** By the text of a statement: the tables of renting that it writes. */
  readonly #renting = new Map<string, readonly Table[]>();
  #owner: Life | null = null;
  #hasOpenTransaction = false;
  /** What opens the transaction on the server: it goes with the first statement, one round trip for both. */
  #begin: Query | null = null;
  #wrote: Wrote = nothing();
  #downUntilMs = 0;

  constructor(options: SimDatabaseOptions) {
    this.#options = options;
  }

  /** The house's own database code for one process: its retries, its crash points, over our connection. */
  dbOf(life: Life, ports: Pick<Ports, 'clock' | 'random' | 'crash'>): Db {
    const settings = {
      ports,
      scopes: new AsyncLocalStorage<never>() as never,
      acquire: () => this.#acquire(life),
      retriableKeys: new Set(RETRIABLE_KEYS),
      attemptsMax: 5,
      retryWithinMs: 8_000,
      observe: () => undefined,
    };
    return dbOver(settings, () => Promise.resolve());
  }

  /** What the server does when a client vanishes. */
  async rollBackOf(life: Life): Promise<void> {
    if (this.#owner !== life) return;
    this.#owner = null;
    await this.#rollBack();
  }

  async #acquire(life: Life): Promise<Connection> {
    const { scheduler, weather } = this.#options;
    // Time passes between a look and the transaction that follows it: that is where others get in between.
    await scheduler.park(life, weather.strikes('sql_slow') ? 20 + this.#spread(2_000) : this.#spread(6), 'acquire');
    if (weather.strikes('database_down')) this.#downUntilMs = scheduler.nowMs + this.#downFor();
    if (!weather.isOver && scheduler.nowMs < this.#downUntilMs) {
      await scheduler.park(life, 50, 'refused');
      throw new DatabaseUnavailable('the database is down');
    }
    if (weather.strikes('pool_exhausted')) {
      await scheduler.park(life, 1_800, 'pool');
      throw new DatabaseUnavailable('no connection could be had');
    }
    this.#owner = life;
    return {
      run: (query) => this.#run(life, query),
      release: (destroy) => this.#release(life, destroy),
    };
  }

  #downFor(): number {
    return DOWN_MS.min + this.#spread(DOWN_MS.spread);
  }

  /** Some number below the limit, another one at each step. */
  #spread(limit: number): number {
    return Math.floor(((Math.imul(this.#options.scheduler.steps, 2_654_435_761) >>> 0) / 2 ** 32) * limit);
  }

  async #run(life: Life, query: Query): Promise<Answer> {
    if (life.isDead) return never();
    const { weather } = this.#options;
    if (query.text === 'commit') return this.#commit(query);
    if (query.text !== 'rollback' && this.#hasOpenTransaction) {
      if (weather.strikes('sql_40001')) return this.#fail('40001', 'could not serialize access');
      if (weather.strikes('sql_40P01')) return this.#fail('40P01', 'deadlock detected');
      if (weather.strikes('sql_lost')) return this.#lose();
    }
    if (query.text.startsWith('begin')) return this.#open(query);
    const answer = await this.#real(query);
    if (query.text === 'rollback') this.#hasOpenTransaction = false;
    this.#wrote.ledger ||= WRITES_LEDGER.test(query.text);
    this.#wrote.inbox ||= WRITES_INBOX.test(query.text);
    const isOfIdentity = WRITES_IDENTITY.test(query.text);
    this.#wrote.identity ||= isOfIdentity;
    const tables = this.#options.isRenting ? this.#tablesOf(query.text) : [];
    for (const table of tables) this.#wrote.renting.add(table);
    // A statement of its own is its own commit.
    if ((isOfIdentity || tables.length > 0) && !this.#hasOpenTransaction)
      await this.#options.onCommit({ ...nothing(), identity: isOfIdentity, renting: new Set(tables) });
    return answer;
  }

  #tablesOf(text: string): readonly Table[] {
    const known = this.#renting.get(text);
    if (known) return known;
    const tables = [...text.matchAll(WRITES_RENTING)].map(([, table]) => table as Table);
    this.#renting.set(text, tables);
    return tables;
  }

  #open(begin: Query): Answer {
    this.#hasOpenTransaction = true;
    this.#wrote = nothing();
    this.#begin = begin;
    this.#options.onBegin();
    return { rows: [], command: 'BEGIN' };
  }

  async #commit(query: Query): Promise<Answer> {
    const { weather } = this.#options;
    if (weather.strikes('commit_lost_before')) return this.#lose();
    const answer = await this.#real(query);
    this.#hasOpenTransaction = false;
    if (answer.command === 'COMMIT') await this.#options.onCommit(this.#wrote);
    if (weather.strikes('commit_lost_after')) throw serverError('08006', 'the connection was lost after the commit');
    return answer;
  }

  async #fail(code: string, message: string): Promise<never> {
    // The transaction is doomed, as on a real server; the house rolls it back itself.
    throw serverError(code, message);
  }

  async #lose(): Promise<never> {
    await this.#rollBack();
    throw serverError('08006', 'the connection was lost');
  }

  #release(life: Life, destroy: boolean): void {
    if (this.#owner !== life) return;
    this.#owner = null;
    if (destroy && this.#hasOpenTransaction) void this.#rollBack();
  }

  async #rollBack(): Promise<void> {
    if (!this.#hasOpenTransaction) return;
    this.#hasOpenTransaction = false;
    await this.#real({ text: 'rollback' });
  }

  #real(query: Query): Promise<Answer> {
    const { scheduler, shared } = this.#options;
    const begin = this.#begin;
    this.#begin = null;
    if (begin === null) return scheduler.io(() => shared.run(query));
    // The server never heard of a transaction without statements.
    if (query.text === 'commit') return Promise.resolve({ rows: [], command: 'COMMIT' });
    if (query.text === 'rollback') return Promise.resolve({ rows: [], command: 'ROLLBACK' });
    return scheduler.io(() => shared.run(query, begin));
  }
}

function serverError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' });
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { assert, Bug } from '../domain/assert.ts';
import type { Ports } from '../ports/ports.ts';
import { classify } from './database-errors.ts';
import type { ErrorClass } from './database-errors.ts';
import { DatabaseUnavailable } from './database-unavailable.ts';
import type { Db, Row, Statement, Tx } from './db.ts';

/** One connection, held by one transaction or one statement at a time. */
export interface Connection {
  run(query: Query): Promise<Answer>;
  /** `destroy` closes it, and the server rolls back what was open; otherwise it goes back to its pool. */
  release(destroy: boolean): void;
}
export interface Query {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly answerMs?: number;
}
export interface Answer {
  readonly rows: Row[];
  readonly command: string;
}

export interface TransactionSettings {
  readonly ports: Pick<Ports, 'clock' | 'random' | 'crash'>;
  /** Throws `DatabaseUnavailable` when there is no connection within its time. */
  readonly acquire: () => Promise<Connection>;
  readonly scopes: TransactionScopes;
  readonly retriableKeys: ReadonlySet<string>;
  readonly attemptsMax: number;
  /** No new attempt begins later than this after the first: a caller waits for us. */
  readonly retryWithinMs: number;
  /** Called after each statement; for metrics. */
  readonly observe: (name: string, ms: number, isOk: boolean) => void;
}

/** Which transaction the running code is inside of, so that reaching past it to the pool is caught. */
export type TransactionScopes = AsyncLocalStorage<Scope>;
interface Scope {
  readonly label: string;
  isActive: boolean;
}

type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'thrown'; readonly error: unknown }
  | { readonly kind: 'again'; readonly error: unknown; readonly wasLost: boolean; readonly isUnknown: boolean };

/** Statement names become names of prepared statements, which PostgreSQL cuts at 63 bytes. */
const STATEMENT_NAME_MAX = 63;
const BACKOFF_MS = { retry: 10, lost: 100 } as const;

export function dbOver(settings: TransactionSettings, close: () => Promise<void>): Db {
  return {
    query: <R extends Row>(statement: Statement, values?: readonly unknown[]) =>
      runAlone<R>(settings, statement, values ?? []),
    transaction: (label, body) => runTransaction(settings, label, body),
    close,
  };
}

async function runTransaction<T>(
  settings: TransactionSettings,
  label: string,
  body: (tx: Tx) => Promise<T>,
): Promise<T> {
  assertOutside(settings.scopes, `transaction ${label}`);
  const { clock } = settings.ports;
  const startedMs = clock.monotonicMs();
  let isUnknown = false;
  for (let attempt = 1; ; attempt += 1) {
    const result = await attemptOnce(settings, label, body);
    if (result.kind === 'done') return result.value;
    if (result.kind === 'thrown') throw result.error;
    isUnknown ||= result.isUnknown;
    const isFirstConnect = attempt === 1 && result.error instanceof DatabaseUnavailable;
    const isLate = clock.monotonicMs() - startedMs > settings.retryWithinMs;
    if (isFirstConnect || attempt >= settings.attemptsMax || isLate) {
      throw unavailable(`transaction ${label} did not succeed in ${attempt} attempt(s)`, result.error, isUnknown);
    }
    await clock.sleep(backoffMs(settings, attempt, result.wasLost ? 'lost' : 'retry'));
  }
}

function unavailable(reason: string, cause: unknown, isUnknown: boolean): DatabaseUnavailable {
  if (cause instanceof DatabaseUnavailable && !isUnknown) return cause;
  return new DatabaseUnavailable(reason, { cause, outcome: isUnknown ? 'unknown' : 'not_done' });
}

/** Doubles each time, with half of it left to chance: transactions that met once should not meet again. */
function backoffMs(settings: TransactionSettings, attempt: number, kind: keyof typeof BACKOFF_MS): number {
  const chance = (settings.ports.random.bytes(1)[0] ?? 0) / 255;
  return BACKOFF_MS[kind] * 2 ** (attempt - 1) * (0.5 + chance / 2);
}

async function attemptOnce<T>(
  settings: TransactionSettings,
  label: string,
  body: (tx: Tx) => Promise<T>,
): Promise<Attempt<T>> {
  let connection: Connection;
  try {
    connection = await settings.acquire();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) return { kind: 'thrown', error };
    return { kind: 'again', error, wasLost: true, isUnknown: false };
  }
  const open = new OpenTransaction(settings, connection, label);
  try {
    await connection.run({ text: 'begin isolation level read committed' });
    const value = await settings.scopes.run(open.scope, () => body(open));
    await open.commit();
    return { kind: 'done', value };
  } catch (error) {
    return await open.abandon(error);
  }
}

/** One attempt at a transaction: from `begin` to its end, whichever that is. */
class OpenTransaction implements Tx {
  readonly scope: Scope;
  readonly #settings: TransactionSettings;
  readonly #connection: Connection;
  /** Statements of one transaction run one after another, also when its body starts several at once. */
  #tail: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;
  #crash: { readonly error: unknown } | null = null;
  #isCommitting = false;

  constructor(settings: TransactionSettings, connection: Connection, label: string) {
    this.#settings = settings;
    this.#connection = connection;
    this.scope = { label, isActive: true };
  }

  query<R extends Row>(statement: Statement, values?: readonly unknown[]): Promise<R[]> {
    const answer = this.#tail.then(() => this.#run<R>(statement, values ?? []));
    this.#tail = answer.catch(() => undefined);
    return answer;
  }

  async #run<R extends Row>(statement: Statement, values: readonly unknown[]): Promise<R[]> {
    const { scope } = this;
    assert(scope.isActive, `statement ${statement.name} came after transaction ${scope.label} had ended`);
    await this.#reach(`sql:before:${statement.name}`);
    try {
      const rows = await runNamed<R>(this.#settings, this.#connection, statement, values);
      await this.#reach(`sql:after:${statement.name}`);
      return rows;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  async commit(): Promise<void> {
    await this.#tail;
    this.scope.isActive = false;
    await this.#reach(`commit:before:${this.scope.label}`);
    this.#isCommitting = true;
    const answer = await this.#connection.run({ text: 'commit' });
    this.#isCommitting = false;
    if (answer.command !== 'COMMIT') {
      throw this.#failure ?? new Bug(`transaction ${this.scope.label} was rolled back by the server`);
    }
    await this.#reach(`commit:after:${this.scope.label}`);
    this.#connection.release(false);
  }

  async abandon(thrown: unknown): Promise<Attempt<never>> {
    this.scope.isActive = false;
    if (this.#crash !== null) {
      this.#connection.release(true);
      return { kind: 'thrown', error: this.#crash.error };
    }
    const { error, kind } = this.#explain(thrown);
    if (kind === 'lost') {
      this.#connection.release(true);
      return { kind: 'again', error, wasLost: true, isUnknown: this.#isCommitting };
    }
    await this.#rollBack();
    return kind === 'retry' ? { kind: 'again', error, wasLost: false, isUnknown: false } : { kind: 'thrown', error };
  }

  /** A body may wrap or replace what a statement threw: the statement's own error decides about running it again. */
  #explain(thrown: unknown): { readonly error: unknown; readonly kind: ErrorClass } {
    for (const error of [thrown, this.#failure]) {
      const kind = classify(error, this.#settings.retriableKeys);
      if (kind !== 'other') return { error, kind };
    }
    return { error: thrown, kind: 'other' };
  }

  async #rollBack(): Promise<void> {
    try {
      await this.#tail;
      await this.#connection.run({ text: 'rollback' });
      this.#connection.release(false);
    } catch {
      // The server rolls back by itself when the connection goes.
      this.#connection.release(true);
    }
  }

  async #reach(label: string): Promise<void> {
    // A dead process does nothing more, even if its code swallowed the blow.
    if (this.#crash !== null) throw this.#crash.error;
    try {
      await this.#settings.ports.crash.reach(label);
    } catch (error) {
      this.#crash = { error };
      throw error;
    }
  }
}

/** One statement, its own transaction. Not run again by us: whether that is safe only the caller knows. */
async function runAlone<R extends Row>(
  settings: TransactionSettings,
  statement: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  assertOutside(settings.scopes, `statement ${statement.name}`);
  const { crash } = settings.ports;
  const connection = await settings.acquire();
  let isSound = false;
  try {
    await crash.reach(`sql:before:${statement.name}`);
    const rows = await runNamed<R>(settings, connection, statement, values);
    await crash.reach(`sql:after:${statement.name}`);
    isSound = true;
    return rows;
  } catch (error) {
    const kind = classify(error, settings.retriableKeys);
    isSound = kind !== 'lost' && isFromServer(error);
    if (kind === 'other' || isDuplicate(error)) throw error;
    throw unavailable(`statement ${statement.name} failed`, error, kind === 'lost');
  } finally {
    connection.release(!isSound);
  }
}

async function runNamed<R extends Row>(
  settings: TransactionSettings,
  connection: Connection,
  statement: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  assert(statement.name.length <= STATEMENT_NAME_MAX, `statement name is too long: ${statement.name}`);
  const { clock } = settings.ports;
  const startedMs = clock.monotonicMs();
  let isOk = false;
  try {
    const { name, text, answerMs } = statement;
    const { rows } = await connection.run({ name, text, values, ...(answerMs === undefined ? {} : { answerMs }) });
    isOk = true;
    // The statement and its row type are written side by side in `store/`; its tests hold them together.
    return rows as R[];
  } finally {
    settings.observe(statement.name, clock.monotonicMs() - startedMs, isOk);
  }
}

/** Inside a transaction a second connection can wait for ever for the one that its own caller holds. */
function assertOutside(scopes: TransactionScopes, what: string): void {
  const scope = scopes.getStore();
  if (scope?.isActive === true) throw new Bug(`${what} asked the pool inside transaction ${scope.label}: use its tx`);
}

const isFromServer = (error: unknown): boolean => error instanceof Error && 'severity' in error;
const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '23505';

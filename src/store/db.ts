/**
 * The contract between the house and PostgreSQL. The real one is `openDatabase` in `postgres.ts`.
 */
export interface Statement {
  /** `noun.verb`; names the prepared statement, the crash point and the metric. */
  readonly name: string;
  readonly text: string;
  /** Milliseconds until the answer is given up, instead of the pool's: for the few that may rightly run for minutes. */
  readonly answerMs?: number;
}

/** Names one statement. The text is fixed: values are parameters, never parts of it. */
export const statement = (name: string, text: string): Statement => ({ name, text });

export type Row = Record<string, unknown>;

export interface Tx {
  /** Runs one statement. int8 arrives as bigint, timestamptz as Date, uuid as text, bytea as Buffer. */
  query<R extends Row = Row>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
}

export interface Db extends Tx {
  /**
   * Runs `body` in one READ COMMITTED transaction and commits.
   *
   * Safe to: be run again. 40001, 40P01, 23505 on a key declared retriable, and a lost connection roll back and run
   * the WHOLE body again (at most `attemptsMax`, with jitter); after a lost commit the outcome is unknown, so a body
   * must find its own earlier work by key. Everything else rolls back and is thrown.
   */
  transaction<T>(label: string, body: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

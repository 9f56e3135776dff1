import type { Db, Row, Statement, Tx } from '../../src/store/db.ts';
import { openSharedConnection } from '../../src/store/postgres.ts';
import type { Answer, Query } from '../../src/store/transaction.ts';
import type { TestPorts } from '../support/ports.ts';

/** A database in which nothing stays: what runs in `undone` sees what it writes, and afterwards it never was. */
export interface RolledBack {
  readonly db: Db;
  undone<T>(body: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Over one connection; the house's transactions are savepoints, one after another. The SQL and its locks are real. */
export async function openRolledBack(url: string, ports: TestPorts, role: string): Promise<RolledBack> {
  const connection = await openSharedConnection({ url, ports, role });
  /** What goes in the same write before the next statement: the begin of what will be undone costs no wait of its own. */
  let ahead: Query | undefined;
  let isBegun = false;
  const run = (query: Query): Promise<Answer> => {
    const before = ahead;
    ahead = undefined;
    isBegun = true;
    return connection.run(query, before);
  };
  const command = (text: string): Promise<unknown> => run({ text });
  const query = async <R extends Row = Row>({ name, text }: Statement, values: readonly unknown[] = []): Promise<R[]> =>
    (await run({ name, text, values })).rows as R[];
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const turn = last.then(body);
    last = turn.catch(() => undefined);
    return turn;
  };
  const savepoint = async <T>(body: (tx: Tx) => Promise<T>): Promise<T> => {
    await command('savepoint one');
    try {
      const result = await body({ query });
      await command('release savepoint one');
      return result;
    } catch (error) {
      await command('rollback to savepoint one');
      throw error;
    }
  };
  return {
    db: {
      query,
      transaction: (_label, body) => inTurn(() => savepoint(body)),
      close: () => Promise.resolve(),
    },
    undone: async (body) => {
      // As an operation that reads in one snapshot would ask, too late within this. Nobody writes meanwhile, so nothing else comes of it.
      ahead = { text: 'begin isolation level repeatable read' };
      isBegun = false;
      try {
        return await body();
      } finally {
        ahead = undefined;
        if (isBegun) await command('rollback');
      }
    },
    close: () => connection.close(),
  };
}

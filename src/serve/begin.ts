import type { Ports } from '../ports/ports.ts';
import { classify } from '../store/database-errors.ts';
import { DatabaseUnavailable } from '../store/database-unavailable.ts';
import type { Db } from '../store/db.ts';
import type { Database } from '../store/postgres.ts';
import { DatabaseAway } from './start-refused.ts';

/** Much below the 5 s in which a server is back after its database. */
const RETRY_AFTER_MS = 500;

export interface Beginning {
  /** The database was not there: the server answers 503 until it is. */
  readonly isLate: boolean;
  /** Rejects when the database came and turned out not to be one to work with. */
  readonly begun: Promise<void>;
}

/**
 * Does what needs the database: now, or, when there is none yet, as soon as there is. A server that ended instead would
 * leave it to luck whether whoever starts both has a second try.
 *
 * `begin` is run again after each failure, so it must be safe to. Throws whatever is not just an absent database.
 */
export async function beginNowOrLater(
  begin: () => Promise<void>,
  { clock, log }: Ports,
  signal: AbortSignal,
): Promise<Beginning> {
  let told: string | null = null;
  const hasBegun = async (): Promise<boolean> => {
    try {
      await begin();
      return true;
    } catch (error) {
      if (!isAway(error)) throw error;
      if (told !== error.message) log.warn({ reason: error.message }, 'the database is not there yet: waiting for it');
      told = error.message;
      return false;
    }
  };
  if (await hasBegun()) return { isLate: false, begun: Promise.resolve() };
  const keepTrying = async (): Promise<void> => {
    const startedMs = clock.monotonicMs();
    do {
      await clock.sleep(RETRY_AFTER_MS, signal);
      if (signal.aborted) return;
    } while (!(await hasBegun()));
    log.info({ ms: Math.round(clock.monotonicMs() - startedMs) }, 'the database is there');
  };
  const begun = keepTrying();
  // Heard by whoever waits for it; nobody has to.
  begun.catch(() => undefined);
  return { isLate: true, begun };
}

const isAway = (error: unknown): error is Error =>
  error instanceof DatabaseAway ||
  error instanceof DatabaseUnavailable ||
  (error instanceof Error && classify(error, new Set()) === 'lost');

/**
 * The database, closed to everybody until its schema is known to fit: until then a statement would meet tables that are
 * not there, or are not ours, and answer 500 where 503 is the truth.
 */
export function behindGate(database: Database, isOpen: () => boolean): Database {
  const guarded = (db: Db): Db => ({
    query: async (statement, values) => {
      refuseWhileShut(isOpen);
      return await db.query(statement, values);
    },
    transaction: async (label, body) => {
      refuseWhileShut(isOpen);
      return await db.transaction(label, body);
    },
    close: () => db.close(),
  });
  return {
    ...guarded(database),
    reserved: guarded(database.reserved),
    connections: () => database.connections(),
  };
}

function refuseWhileShut(isOpen: () => boolean): void {
  if (!isOpen()) throw new DatabaseUnavailable('the database has not been there since the start');
}

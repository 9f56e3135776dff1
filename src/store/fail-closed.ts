import { Bug } from '../domain/assert.ts';
import type { Log } from '../ports/ports.ts';
import { DatabaseUnavailable } from './database-unavailable.ts';
import type { Db, Statement, Tx } from './db.ts';

/** A rule of the ledger did not hold while posting: our own assertion, or a CHECK of its tables. */
export class LedgerBroken extends Bug {}

/** What moves money. Refusing these stops every path at once, because there is only one. */
const isPosting = ({ name }: Statement): boolean => name === 'ledger.write_entries' || name === 'ledger.write_declined';

/**
 * The same database, which takes no postings any more once a rule of the ledger was found broken: from then on a wrong balance
 * could be built upon. Reads and everything else go on; callers are told 503. A restart opens it again, after `ledger check` has
 * said what is wrong.
 */
export function failClosed<D extends Db>(db: D, log: Log): D {
  let isBroken = false;
  const guarded = (tx: Tx): Tx => ({
    query: (statement, values) => {
      if (isBroken && isPosting(statement)) throw new DatabaseUnavailable('the ledger has stopped itself');
      return tx.query(statement, values);
    },
  });
  const transaction: Db['transaction'] = async (label, body) => {
    try {
      return await db.transaction(label, (tx) => body(guarded(tx)));
    } catch (error) {
      if (error instanceof LedgerBroken && !isBroken) {
        isBroken = true;
        log.error(
          { error, alert: 'ledger_stopped' },
          'a rule of the ledger is broken: it takes no more postings; run "hero-onboarding ledger check"',
        );
      }
      throw error;
    }
  };
  return { ...db, transaction };
}

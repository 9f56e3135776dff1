import { Bug } from '../domain/assert.ts';
import { refuse } from '../domain/refusal.ts';
import type { PostingLanes } from '../operations/house.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Stops taking postings in once a rule of the ledger was found broken while posting: from then on a wrong balance could
 * be built upon. Reads go on; a restart opens it again, after `ledger check` has said what is wrong.
 */
export function failClosed(lanes: PostingLanes, ports: Ports): PostingLanes {
  let isBroken = false;
  return {
    get depth() {
      return lanes.depth;
    },
    close: () => lanes.close(),
    post: async (record) => {
      if (isBroken) return refuse('unavailable', 'The ledger has stopped itself and waits for the operator.');
      try {
        return await lanes.post(record);
      } catch (error) {
        if (error instanceof Bug) {
          isBroken = true;
          ports.log.error(
            { err: error, alert: 'ledger_stopped' },
            'a rule of the ledger is broken: it takes no more postings; run "ledger check"',
          );
        }
        throw error;
      }
    },
  };
}

import type { Db, Tx } from '../store/db.ts';

/** Carries what was answered out of a transaction that must not commit. */
class Rehearsed<T> {
  readonly answer: T;

  constructor(answer: T) {
    this.answer = answer;
  }
}

/**
 * Does the real thing, keeps its answer and rolls everything back: for previews of what depends on the state under the locks.
 *
 * Safe to: call at any time; nothing is written, and the locks are held as long as the real thing would hold them.
 */
export async function rehearse<T>(db: Db, label: string, body: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await db.transaction(label, async (tx): Promise<never> => {
      // oxlint-disable-next-line typescript/only-throw-error -- not an error: nothing else ends a transaction without its writes
      throw new Rehearsed(await body(tx));
    });
  } catch (thrown) {
    if (thrown instanceof Rehearsed) return (thrown as Rehearsed<T>).answer;
    throw thrown;
  }
}

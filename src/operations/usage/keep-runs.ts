import { widenStreaks } from '../../store/ladder.ts';
import { SharedStatement } from '../../store/shared-statement.ts';
import type { House } from '../house.ts';
import type { WidenedRun } from './charge-records.ts';

const statements = new WeakMap<House, SharedStatement<WidenedRun, never>>();

/** Writes runs that have grown; reports that are answered together share the statement. Safe to: run again, concurrently, in any order. */
export async function keepRuns(house: House, widened: readonly WidenedRun[]): Promise<void> {
  if (widened.length === 0) return;
  const shared = statements.get(house) ?? new SharedStatement(house.ports.clock, (runs) => writeRuns(house, runs));
  statements.set(house, shared);
  await shared.ask(widened);
}

async function writeRuns({ db }: House, runs: readonly WidenedRun[]): Promise<ReadonlyMap<WidenedRun, never>> {
  for (const some of withoutRepetition(runs)) {
    for (const [graceDays, ofGrace] of Map.groupBy(some, (run) => run.graceDays))
      await widenStreaks(db, ofGrace, { graceDays });
  }
  return new Map<WidenedRun, never>();
}

/** One statement cannot write a row twice: two reports that widened the same run go one after the other. */
function withoutRepetition(runs: readonly WidenedRun[]): readonly (readonly WidenedRun[])[] {
  const seen = new Map<string, number>();
  const rounds = Map.groupBy(runs, ({ wallet, category }) => {
    const key = `${wallet}/${category}`;
    const round = seen.get(key) ?? 0;
    seen.set(key, round + 1);
    return round;
  });
  return [...rounds.values()];
}

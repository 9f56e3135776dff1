import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** The longest files, by what their paths contain: begun last, one of them would run alone at the end. */
const LONGEST = [
  'browser/top-up',
  'browser/pages',
  'store/migrate',
  'ledger/overdraft-race',
  'identity/matrix',
  'browser/refund',
  'browser/events',
  'browser/usage',
  'payment/crash-sweep',
  'usage/correction-crash',
  'worst-week',
  'payment/every-order',
  'payment/truth',
  'simulation/month',
  'refund/crash-sweep',
  'chaos/chaos',
  'chaos/kill',
  'payment/once',
  'store/embedded',
];

class LongestFirst extends BaseSequencer {
  override async sort(...asked: Parameters<BaseSequencer['sort']>): ReturnType<BaseSequencer['sort']> {
    const rankOf = (file: string): number => {
      const rank = LONGEST.findIndex((part) => file.includes(part));
      return rank === -1 ? LONGEST.length : rank;
    };
    const files = await super.sort(...asked);
    return files.toSorted((one, other) => rankOf(one.moduleId) - rankOf(other.moduleId));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    // Processes, not threads: tests kill, signal and change ids.
    pool: 'forks',
    // Twice the processors of a small machine: a file waits for a database, a browser or a killed server half of its time.
    maxWorkers: 4,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
});

import { describe, expect, inject, it } from 'vitest';
import { TEMPLATE } from '../support/global-setup.ts';
import { readCommandLine } from './command-line.ts';
import { readCorpus } from './corpus.ts';
import { Chance } from './random.ts';
import { runSeed, type SeedOptions } from './run-seed.ts';
import { outside, Scheduler } from './scheduler.ts';
import { minimise } from './shrink.ts';

const lives = (options: Pick<SeedOptions, 'seed' | 'operations' | 'isRenting' | 'skipped' | 'without'>) =>
  runSeed({ ...options, postgresUrl: inject('postgresUrl'), template: TEMPLATE });

describe('the house under a seed', () => {
  it('lives the same life again from the same seed', async () => {
    const [first, second] = [await lives({ seed: 4, operations: 60 }), await lives({ seed: 4, operations: 60 })];
    expect([second.traceHash, second.steps, second.answers]).toEqual([first.traceHash, first.steps, first.answers]);
    expect(first.answers).toBeGreaterThan(60);
  }, 60_000);

  it.each([1, 6, 9])(
    'keeps every promise under seed %i',
    async (seed) => {
      const { violations } = await lives({ seed, operations: 80 });
      expect(violations).toEqual([]);
    },
    60_000,
  );

  it('keeps every promise in weeks of plans and VMs', async () => {
    const { violations, marks, virtualMs } = await lives({ seed: 4, operations: 60, isRenting: true });
    expect(violations).toEqual([]);
    expect([...marks]).toEqual(expect.arrayContaining(['a plan is bought', 'a VM is given', 'credit is given']));
    expect(virtualMs / 86_400_000).toBeGreaterThan(7);
  }, 60_000);
});

describe('the corpus', () => {
  it('says of each seed what it taught', () => {
    for (const { seed, lesson } of readCorpus()) expect([seed, lesson]).toEqual([seed, expect.stringMatching(/\.$/)]);
  });
});

describe('the scheduler', () => {
  it('runs the earliest first, ties as the seed draws them, and nothing of the dead', async () => {
    const seen: string[] = [];
    const scheduler = new Scheduler(0, new Chance(1, 'ties'));
    const [alive, doomed] = [outside('alive'), outside('doomed')];
    void scheduler.park(alive, 20, 'late').then(() => seen.push(`late at ${scheduler.nowMs}`));
    void scheduler.park(doomed, 10, 'never').then(() => seen.push('of the dead'));
    void scheduler.park(alive, 5, 'early').then(() => seen.push(`early at ${scheduler.nowMs}`));
    void scheduler.park(alive, 6, 'kills').then(() => (doomed.isDead = true));
    await scheduler.run(() => false);
    expect(seen).toEqual(['early at 5', 'late at 20']);
  });

  it('stops what is paused until its pause ends', async () => {
    const scheduler = new Scheduler(0, new Chance(1, 'ties'));
    const paused = outside('paused');
    paused.pausedUntilMs = 500;
    let at = 0;
    void scheduler.park(paused, 5, 'work').then(() => (at = scheduler.nowMs));
    await scheduler.run(() => false);
    expect(at).toBe(500);
  });
});

describe('shrinking', () => {
  it('finds the few that are needed among many', async () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    let asked = 0;
    const kept = await minimise(items, (some) => {
      asked += 1;
      return Promise.resolve(some.includes(17) && some.includes(71));
    });
    expect(kept).toEqual([17, 71]);
    expect(asked).toBeLessThan(60);
  });
});

describe('the command line', () => {
  it('reads what its own replays say', () => {
    const options = readCommandLine(
      ['--seed', '7', '--ops', '90', '--renting', '--skip', '1,4-6', '--without', 'crash,pause'],
      {},
      0,
    );
    expect(options).toMatchObject({ from: 7, to: 7, operations: 90, isRenting: true, seconds: null });
    expect([...(options?.skipped ?? [])]).toEqual([1, 4, 5, 6]);
    expect([...(options?.without ?? [])]).toEqual(['crash', 'pause']);
  });

  it('takes the time of a CI run from the environment', () => {
    expect(readCommandLine(['--ci'], { SIMULATE_SECONDS: '90' }, 0)).toMatchObject({
      seconds: 90,
      from: 1,
      isFull: true,
    });
  });

  it('refuses what it does not understand', () => {
    const refused = [
      [['--seeds', '9..1'], 'two numbers'],
      [['--for', 'ten'], 'a time is'],
      [['--without', 'rain'], 'no fault "rain"'],
      [['--skip', '5-2'], 'neither a number'],
      [['--sed', '1'], 'Unknown option'],
    ] as const;
    for (const [args, why] of refused) expect(() => readCommandLine(args, {}, 0)).toThrow(why);
  });
});

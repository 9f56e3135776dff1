import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/ports/system.ts';
import { testPorts, VirtualClock } from '../support/ports.ts';

describe('the clock of tests', () => {
  it('wakes sleepers in the order they are due, each at its own time', async () => {
    const clock = new VirtualClock(new Date('2026-01-01T00:00:00Z'));
    const woken: string[] = [];
    const sleepAndNote = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push(`${name} ${clock.now().toISOString()}`);
    };
    const all = Promise.all([sleepAndNote('late', 5_000), sleepAndNote('early', 1_000)]);
    await clock.advance(5_000);
    await all;
    expect(woken).toEqual(['early 2026-01-01T00:00:01.000Z', 'late 2026-01-01T00:00:05.000Z']);
  });

  it('wakes again within one step who fell asleep again', async () => {
    const { clock } = testPorts();
    let ticks = 0;
    const end = new AbortController();
    const ticking = (async () => {
      while (!end.signal.aborted) {
        await clock.sleep(100, end.signal);
        ticks += 1;
      }
    })();
    await clock.advance(1_000);
    expect(ticks).toBe(10);
    end.abort();
    await ticking;
    expect(clock.sleeping).toBe(0);
  });

  it('is the same for a set wall clock: durations do not change', () => {
    const { clock } = testPorts();
    const before = clock.monotonicMs();
    clock.setWallClock(new Date('2020-01-01T00:00:00Z'));
    expect(clock.monotonicMs()).toBe(before);
    expect(clock.now().getUTCFullYear()).toBe(2020);
  });
});

describe('the clock of the system', () => {
  it('ends a sleep that is called off, before it or during it', async () => {
    const started = systemClock.monotonicMs();
    const end = new AbortController();
    const asleep = systemClock.sleep(60_000, end.signal);
    end.abort();
    await asleep;
    await systemClock.sleep(60_000, end.signal);
    expect(systemClock.monotonicMs() - started).toBeLessThan(10_000);
  });
});

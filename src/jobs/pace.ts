import { Bug } from '../domain/assert.ts';
import type { Tick } from '../operations/tick.ts';

/** One wait may be short, up to a minute of the clock; two in a row that are shorter than this would be all that the process does. */
const TWO_WAITS_MIN_MS = 200;
/** A timer holds no more than 2³¹ − 1 ms; what is longer would come at once, again and again. */
const WAIT_MAX_MS = 24 * 86_400_000;
/** A day and an hour, in steps that meet every minute of an hour and the second before it. */
const LOOKS = 25 * 60;
const LOOK_EVERY_MS = 61_000;

/**
 * Throws for schedules that never come, come all the time, or that a timer cannot hold, looked at over a day from `now`. Schedules are code:
 * whoever writes an impossible one hears of it when the process starts, not when the machine is busy.
 */
export function refuseImpossiblePaces(ticks: readonly Tick[], now: Date): void {
  for (const { name, waitMs } of ticks) {
    for (let look = 0; look < LOOKS; look += 1) {
      const at = new Date(now.getTime() + look * LOOK_EVERY_MS);
      const firstMs = waitMs(at);
      const isPossible = isWait(firstMs) && firstMs <= WAIT_MAX_MS;
      if (!isPossible || firstMs + waitMs(new Date(at.getTime() + firstMs)) < TWO_WAITS_MIN_MS)
        throw new Bug(`${name} cannot come ${firstMs} ms after ${at.toISOString()}, and as soon again`);
    }
  }
}

/** NaN, nothing and what is negative are no waits: the timer would take them for "at once". */
export const isWait = (waitMs: number): boolean => waitMs > 0;

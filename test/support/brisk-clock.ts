import type { Clock } from '../../src/ports/ports.ts';

/** Shorter waits are back-offs between the tries of one call; longer ones are deadlines, which must not run out by themselves. */
const BACK_OFF_MS_MAX = 8_000;

/** The world's clock for those who call a provider: nobody moves time on while a call is under way, so its short waits take none. */
export const briskClock = (world: Clock): Clock => ({
  now: () => world.now(),
  monotonicMs: () => world.monotonicMs(),
  turn: () => world.turn(),
  sleep: (ms, signal) => (ms <= BACK_OFF_MS_MAX ? world.turn() : world.sleep(ms, signal)),
});

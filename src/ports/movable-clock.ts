import { assert } from '../domain/assert.ts';
import { idsFrom } from './ids.ts';
import type { Clock, Ports } from './ports.ts';

/** A clock that may be put ahead of another one: of a sandbox, where months are to pass in minutes. */
export interface MovableClock extends Clock {
  /** How far it is ahead. */
  readonly aheadMs: number;
  /**
   * Puts it further ahead; it never goes back. Durations do not change, and nobody who sleeps is woken: deadlines and back-offs are times that
   * pass, not times of day.
   */
  moveTo(aheadMs: number): void;
  /** Whether it is being moved by this process just now: who does something by the clock leaves that to the mover. */
  readonly isMoving: boolean;
  /** Begins a move; what it answers ends it. */
  beginMove(): () => void;
}

/** `onMoved` is told before the clock goes on: nothing that follows it may lag behind. */
export function movableClock(base: Clock, onMoved: (aheadMs: number) => void = () => undefined): MovableClock {
  let ahead = 0;
  let moves = 0;
  return {
    now: () => new Date(base.now().getTime() + ahead),
    monotonicMs: () => base.monotonicMs(),
    sleep: (ms, signal) => base.sleep(ms, signal),
    turn: () => base.turn(),
    get aheadMs() {
      return ahead;
    },
    moveTo: (aheadMs) => {
      assert(aheadMs >= ahead, 'the clock goes forwards only');
      onMoved(aheadMs);
      ahead = aheadMs;
    },
    get isMoving() {
      return moves > 0;
    },
    beginMove: () => {
      moves += 1;
      return () => {
        moves -= 1;
      };
    },
  };
}

/** The same ports by another clock: ids carry its time. */
export const portsWithClock = (ports: Ports, clock: MovableClock): Ports => ({
  ...ports,
  clock,
  ids: idsFrom(clock, ports.random),
});

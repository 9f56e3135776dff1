import { refuse, type Refusal } from '../refusal.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNIT_MS = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS } as const;

/** What a person types: `40d`, `6h`, `90m`, `2w`. */
export const DISTANCE_PATTERN = /^[1-9][0-9]{0,5}[mhdw]$/;

/** Long enough for every plan and grant. */
const AHEAD_DAYS_MAX = 5 * 366;

export interface GoalAsked {
  /** A distance from now. */
  readonly by: string | undefined;
  readonly to: Date | undefined;
}

/** Where the clock is to go. `aheadMs`: how far it is ahead already. Refuses what lies in the past, or too far ahead of the machine. */
export function goalOf({ by, to }: GoalAsked, now: Date, aheadMs: number): Date | Refusal {
  const goal = by === undefined ? to : new Date(now.getTime() + distanceMs(by));
  if (goal === undefined || (by !== undefined && to !== undefined)) {
    return refuse('invalid_request', 'Say either how far the clock is to move, or to which instant.', {
      errors: [{ pointer: '#/by', detail: 'either this or to' }],
    });
  }
  const wrong = (detail: string): Refusal =>
    refuse('invalid_request', `The clock cannot move there: ${detail}.`, {
      errors: [{ pointer: by === undefined ? '#/to' : '#/by', detail }],
      details: { now: now.toISOString() },
    });
  if (goal <= now) return wrong(`it is ${now.toISOString()} already, and it goes forwards only`);
  if (aheadMs + (goal.getTime() - now.getTime()) > AHEAD_DAYS_MAX * DAY_MS) {
    return wrong(`it may be at most ${AHEAD_DAYS_MAX} days ahead of this machine`);
  }
  return goal;
}

/** Of a text that {@link DISTANCE_PATTERN} accepts. */
function distanceMs(text: string): number {
  const unit = text.at(-1);
  return Number(text.slice(0, -1)) * (unit === 'm' || unit === 'h' || unit === 'd' || unit === 'w' ? UNIT_MS[unit] : 0);
}

/** Where the clock stands still next on its way. `due`: the next instant at which something is due; null: none is. */
export function nextStop(now: Date, goal: Date, due: Date | null): Date {
  const midnight = new Date(now.getTime() - (now.getTime() % DAY_MS) + DAY_MS);
  const stops = [goal, midnight, ...(due !== null && due > now ? [due] : [])];
  return new Date(Math.min(...stops.map((stop) => stop.getTime())));
}

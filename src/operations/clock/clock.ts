import { z } from 'zod';
import { countEvents, readSandboxClock } from '../../store/sandbox-clock.ts';
import type { House } from '../house.ts';
import { apartSecondsOf } from './compare.ts';
import { instant } from '../schema.ts';

const moveSchema = z
  .object({
    from: instant,
    stops: z
      .int()
      .describe(
        'At how many instants it stood still on its way: where something was due, and at each midnight of UTC.',
      ),
    runs: z.int().describe('How many times something ran that the house does by the clock.'),
    failures: z.int().describe('How many of these failed; the log says why, and the next stop tried again.'),
    events: z.array(z.object({ type: z.string(), count: z.int() })).describe('What was told of meanwhile, by type.'),
  })
  .meta({ id: 'ClockMove' });

export const clockSchema = z
  .object({
    now: instant,
    is_movable: z.boolean().describe('Whether this is a sandbox, where an operator may move it.'),
    ahead_seconds: z.int().describe('How far it is ahead of the machine.'),
    apart_seconds: z
      .int()
      .nullable()
      .describe(
        'How far the clock of this server is ahead of its database’s, negative when behind, where it is so much that nothing is done here because an ' +
          'instant has passed: no plan renews, no hold and no credit ends. Null: they agree.',
      ),
    goal: instant.nullable().describe('Where it is on its way to; null: it goes by itself.'),
    last_move: moveSchema.nullable().describe('The move it is on, or the last one; null: it was never moved.'),
  })
  .meta({ id: 'Clock' });

export async function toClock(house: House): Promise<z.input<typeof clockSchema>> {
  const clock = house.movableClock;
  const now = house.ports.clock.now();
  const apart = apartSecondsOf(house);
  if (clock === null) {
    return {
      now: now.toISOString(),
      is_movable: false,
      ahead_seconds: 0,
      apart_seconds: apart,
      goal: null,
      last_move: null,
    };
  }
  const { goal, movedFrom, stops, runs, failures } = await readSandboxClock(house.db);
  const events = movedFrom === null ? [] : await countEvents(house.db, movedFrom, now);
  return {
    now: now.toISOString(),
    is_movable: true,
    ahead_seconds: aheadSecondsOf(house),
    apart_seconds: apart,
    goal: goal?.toISOString() ?? null,
    last_move:
      movedFrom === null
        ? null
        : {
            from: movedFrom.toISOString(),
            stops,
            runs,
            failures,
            events: events.map(({ type, count }) => ({ type, count: Number(count) })),
          },
  };
}

export const aheadSecondsOf = ({ movableClock }: House): number => Math.round((movableClock?.aheadMs ?? 0) / 1_000);

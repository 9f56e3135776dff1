import { z } from 'zod';
import { DISTANCE_PATTERN, goalOf } from '../../domain/clock/goal.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { carrySession } from '../../store/session.ts';
import { beginMove } from '../../store/sandbox-clock.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Actor } from '../operation.ts';
import { instant } from '../schema.ts';
import { clockSchema, toClock } from './clock.ts';
import { takeOverTime } from './follow.ts';
import { moveToGoal } from './move.ts';

/** The caller is answered by then, wherever the clock stands; it goes on to its goal without them. */
const ANSWER_WITHIN_MS = 20_000;

export const clockAdvance = operation({
  name: 'clock.advance',
  summary: 'Move the clock of a sandbox forwards',
  description:
    'Stops on its way wherever something is due, and does it: plans renew, holds expire and people are told at their own instants, as if the time had passed. Sessions end as well, except the one that called. A move that takes long is answered before it is over, with its goal: ask clock.get how far it has come.',
  http: { method: 'post', path: '/v1/clock/advance', status: 200 },
  access: 'operator',
  right: 'configure',
  // While it moves it does not set out again; a caller who does not know whether it did says an instant instead of a distance.
  idempotency: 'none',
  byPosition: ['by'],
  input: z.strictObject({
    by: z
      .string()
      .regex(DISTANCE_PATTERN, 'must be a number and m, h, d or w, for example 40d')
      .optional()
      .describe('How far, for example 40d, 6h or 90m.'),
    to: instant.optional().describe('Instead: to which instant.'),
  }),
  output: clockSchema,
  refusals: ['state_conflict'],
  async run(call, input) {
    const { house } = call;
    const clock = house.movableClock;
    if (clock === null) {
      return refuse('state_conflict', 'Only the clock of a sandbox can be moved, and this is none.');
    }
    await takeOverTime(house);
    const now = clock.now();
    const to = input.to === undefined ? undefined : new Date(input.to);
    const goal = goalOf({ by: input.by, to }, now, clock.aheadMs);
    if (isRefusal(goal)) return goal;
    const isBegun = await house.db.transaction('clock.advance', async (tx) => {
      if (!(await beginMove(tx, goal, now))) return false;
      await carryAlong(tx, call.actor, { ms: goal.getTime() - now.getTime(), until: goal });
      const [before, after] = [{ now: now.toISOString() }, { goal: goal.toISOString() }];
      await recordAudit(tx, call, { action: 'clock.advance', subject: 'clock', before, after });
      return true;
    });
    if (!isBegun) {
      return refuse('state_conflict', 'The clock is being moved already: wait until it is there (clock.get).');
    }
    await moveToGoal(house, { withinMs: ANSWER_WITHIN_MS });
    return await toClock(house);
  },
});

/** Whoever moves the clock sees what comes of it: their session goes with it, where everybody else's ends at its time. */
async function carryAlong(tx: Tx, actor: Actor, skipped: { readonly ms: number; readonly until: Date }): Promise<void> {
  const credential = actor.kind === 'operator' ? actor.credential : undefined;
  if (credential?.kind === 'session') await carrySession(tx, credential.sid, skipped);
}

import { formatDecimal, micros } from '../../domain/money.ts';
import { refuse } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { countOperatorDay } from '../../store/operator-day.ts';
import type { Call } from '../operation.ts';
import { Undone } from '../run.ts';

/** The limit of what this caller may move in a day; null: none. Admins set it for others, and have none. */
const limitOf = ({ house, actor }: Call): bigint | null =>
  actor.kind === 'operator' && actor.role === 'finance' ? house.settings.financeDailyLimit : null;

export const hasDailyLimit = (call: Call): boolean => limitOf(call) !== null;

/**
 * Counts what a finance operator moves, in the transaction that moves it and at its end: its row is locked until the commit, so two at
 * once cannot both be the last that fits. Which way the money goes does not matter.
 *
 * Throws `Undone`, with amount_out_of_range, when it is more than the day has left: nothing of the transaction stays.
 */
export async function countMoved(tx: Tx, call: Call, amount: bigint): Promise<void> {
  const { actor, house } = call;
  const limit = limitOf(call);
  if (limit === null || actor.kind !== 'operator' || actor.userSid === null) return;
  const moving = micros(amount < 0n ? -amount : amount);
  const moved = await countOperatorDay(tx, actor.userSid, house.ports.clock.now(), moving);
  if (moved <= limit) return;
  const details = { limit: formatDecimal(micros(limit)), used: formatDecimal(micros(moved - moving)) };
  throw new Undone(
    refuse('amount_out_of_range', 'This is more than you may move today. An admin can do it, or you tomorrow (UTC).', {
      details,
    }),
  );
}

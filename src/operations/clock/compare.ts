import { refuse, type Refusal } from '../../domain/refusal.ts';
import { spanOf } from '../../domain/usage/clock-skew.ts';
import { readDatabaseClock } from '../../store/database-clock.ts';
import type { House } from '../house.ts';

const LEFT_UNDONE = 'nothing is done here because an instant has passed, until they agree';

/** Compares this process's clock with the database's; the log says when they come apart, and when they agree again. */
export async function compareClocks({ db, clocks, ports }: House): Promise<void> {
  const { isNews } = await clocks.compare(() => readDatabaseClock(db));
  if (!isNews) return;
  const facts = { ahead_ms: Math.round(clocks.aheadMs) };
  if (clocks.areApart) ports.log.error(facts, `${apartText(clocks.aheadMs)}: ${LEFT_UNDONE}`);
  else ports.log.warn(facts, 'the clocks of this server and of its database agree again');
}

/** Whether they agree. One that seems to have stepped is compared anew: a machine that has slept is right, and was only late. */
export async function doClocksAgree(house: House): Promise<boolean> {
  if (!house.clocks.areApart) return true;
  await compareClocks(house);
  return !house.clocks.areApart;
}

/** Null: they agree. For what somebody asks for that takes money, or something else, because an instant has passed. */
export function apartRefusal({ clocks }: Pick<House, 'clocks'>): Refusal | null {
  if (!clocks.areApart) return null;
  return refuse('unavailable', 'The clock of this server is not right just now. Try again in a few minutes.', {
    retryAfterSeconds: 60,
  });
}

/** By how many seconds ours is ahead, negative when it is behind; null: they agree. */
export const apartSecondsOf = ({ clocks }: Pick<House, 'clocks'>): number | null =>
  clocks.areApart ? Math.round(clocks.aheadMs / 1_000) : null;

export const apartText = (aheadMs: number): string =>
  `The clock of this server is ${spanOf(Math.round(Math.abs(aheadMs) / 1_000) * 1_000)} ${aheadMs > 0 ? 'ahead of' : 'behind'} its database’s`;

import { z } from 'zod';
import { hasEnded, ladderFor, multiplierAt, nextRung, type Ladder, type Streak } from '../../domain/discount/ladder.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { formatScaled } from '../../domain/usage/decimal.ts';
import { listLadders, readStreaks } from '../../store/ladder.ts';
import { operation } from '../operation.ts';
import { instant, sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';

const DAY_MS = 86_400_000;

const standingSchema = z
  .object({
    category: z.string(),
    multiplier: z.string().describe('What a record that happens now is multiplied by.'),
    since: instant.nullable().describe('When the present run of use began; null when there is none.'),
    next: z
      .object({ multiplier: z.string(), at: instant, text: z.string() })
      .nullable()
      .describe('The next rung, if use goes on; null on the last one.'),
    ends_at: instant.nullable().describe('When the run is over if nothing more is used.'),
  })
  .meta({ id: 'LadderStanding' });

export const usageLadder = operation({
  name: 'usage.ladder',
  summary: 'Say where a wallet stands on the discount ladders, and what comes next',
  http: { method: 'get', path: '/v1/billings/{sid}/ladder', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ items: z.array(standingSchema), next_cursor: z.null() }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const { db, ports } = house;
    const wallet = await visibleWallet(db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const now = ports.clock.now();
    const all = await listLadders(db, null);
    const streaks = await readStreaks(db, [wallet.id]);
    const items = [...new Set(all.map(({ category }) => category))].flatMap((category) => {
      const ladder = ladderFor(all, category, now);
      const streak = streaks.find((one) => one.category === category) ?? null;
      return ladder ? [toStanding(ladder, streak, now)] : [];
    });
    return { items, next_cursor: null };
  },
});

function toStanding(ladder: Ladder, kept: Streak | null, now: Date): z.input<typeof standingSchema> {
  // Whoever has not begun, or has stopped for too long, begins now.
  const isRunning = kept !== null && !hasEnded(kept, now, ladder);
  const streak = isRunning ? kept : { startedAt: now, lastAt: now };
  const next = nextRung(ladder, streak, now);
  return {
    category: ladder.category,
    multiplier: formatScaled(multiplierAt(ladder, streak, now), 4),
    since: isRunning ? streak.startedAt.toISOString() : null,
    next: next && {
      multiplier: formatScaled(next.rung.multiplier, 4),
      at: next.at.toISOString(),
      text: inDays(next.at.getTime() - now.getTime()),
    },
    ends_at: isRunning ? new Date(streak.lastAt.getTime() + ladder.graceDays * DAY_MS).toISOString() : null,
  };
}

function inDays(ms: number): string {
  const days = Math.ceil(ms / DAY_MS);
  return `next rung in ${days} ${days === 1 ? 'day' : 'days'}`;
}

import { multiplierAfter, standingOf, type Line } from './judge-lines.ts';
import type { Break } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { partsAt } from './price-model.ts';

export interface RungJudgeOptions {
  readonly lines: readonly Line[];
  /** Use that was not paid: it goes on a run of use all the same. */
  readonly unpaid: readonly { readonly userSid: string; readonly category: string; readonly occurredMs: number }[];
  /** Days before this instant are over, and the house has looked at them. */
  readonly ratedUntilMs: number;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

interface Use {
  readonly occurredMs: number;
  readonly line: Line | null;
}

const GRACE_MS = 7 * 86_400_000;
const WITH_LADDER = new Set(['hero_os_hourly', 'llm']);

/** What a day that is over comes to does not depend on the order in which its records arrived. */
export function judgeRungs({ lines, unpaid, ratedUntilMs, breaks, mark }: RungJudgeOptions): void {
  const uses = new Map<string, Use[]>();
  const add = (userSid: string, category: string, use: Use): void => {
    if (!WITH_LADDER.has(category)) return;
    const key = `${userSid} ${category}`;
    const others = uses.get(key);
    if (others) others.push(use);
    else uses.set(key, [use]);
  };
  for (const line of lines) {
    const { record, occurredMs, voided } = line;
    if (!voided) add(record.user_sid, record.applies_to, { occurredMs, line });
  }
  for (const { userSid, category, occurredMs } of unpaid) add(userSid, category, { occurredMs, line: null });
  for (const [whose, all] of uses) {
    let startMs = Number.NEGATIVE_INFINITY;
    let isPaid = true;
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const { occurredMs, line } of all.toSorted((one, other) => one.occurredMs - other.occurredMs)) {
      if (occurredMs - lastMs > GRACE_MS) [startMs, isPaid] = [occurredMs, line !== null];
      lastMs = occurredMs;
      if (!line || occurredMs >= ratedUntilMs) continue;
      mark('the rung of a day that is over is proved');
      const { record, price, cost, parts, multiplier } = standingOf(line);
      const proved = multiplierAfter(occurredMs - startMs);
      // Rungs that come to the same, as at the floor of cost, are left as they are.
      if (multiplier === proved || partsAt(price, record, cost, proved) === parts) continue;
      const since = `used since ${new Date(startMs).toISOString()}, ${isPaid ? 'paid' : 'unbilled'}`;
      breaks(
        'a day that is over stands on its rung',
        `${whose}: ${line.root} at ${multiplier}, not ${proved}; ${since}`,
      );
    }
  }
}

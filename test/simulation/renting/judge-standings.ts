import { balanceOf, givenOf, type Context } from './context.ts';
import type { Change, Changes, StandingRow } from './rows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As the house of the simulated world is set. */
const GRACE_MS = 72 * HOUR_MS;
const SUSPENDED_MS = 14 * DAY_MS;
/** A house with a wrong clock may see what ends within this as over, or not yet. */
const WRONG_BY_MS = 40 * DAY_MS;

type Reason = StandingRow['reason'];
const isFreeze = (reason: Reason): boolean => reason === 'operator' || reason === 'dispute';

/** From active to released, by the one table, never before its deadline and never without a cause. */
export class StandingJudge {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  afterCommit(changes: Changes): void {
    for (const change of changes.wallet_standing) this.#judge(change);
  }

  atTheEnd(): void {
    const { rows, nowMs } = this.#context;
    for (const row of rows.all('wallet_standing')) {
      const reasons = this.#reasons(row);
      const [reason] = reasons;
      const hasSomething =
        rows.all('subscription').some(({ wallet, state }) => wallet === row.wallet && state !== 'ended') ||
        rows
          .all('allocation')
          .some(({ wallet, state }) => wallet === row.wallet && state !== 'released' && state !== 'failed');
      if (reason === null && row.state === 'suspended') this.#break('who has paid is not suspended', row, '');
      const isRunning = row.state !== 'suspended' && row.state !== 'released';
      // Not where it hangs on given credit that has ended by one clock, and is good by another.
      const isCertain = reason != null && !reasons.includes(null);
      if (isCertain && isRunning && hasSomething && row.deadline_at === null)
        this.#break('what is due has a deadline', row, reason);
      if (row.deadline_at !== null && row.deadline_at.getTime() + 2 * DAY_MS < nowMs())
        this.#break('a deadline is kept', row, row.deadline_at.toISOString());
    }
  }

  #judge({ before, after }: Change<StandingRow>): void {
    const { mark } = this.#context;
    const old = before?.state ?? 'empty';
    if (before !== null && before.reason !== after.reason && !this.#reasons(after).includes(after.reason))
      this.#break('a wallet stands as it does for a reason that is so', after, this.#reasons(after).join(' or '));
    if (before?.deadline_at == null && after.deadline_at !== null && after.state === 'empty') this.#judgeGrace(after);
    if (before?.rescue_until == null && after.rescue_until !== null) mark('a suspended wallet is let in once more');
    if (old === after.state) return;
    if (after.state === 'suspended') this.#judgeSuspension(before, after);
    else if (after.state === 'released') this.#judgeRelease(before, after);
    else if (old === 'suspended') {
      mark('a suspended wallet is restored');
      if (after.reason !== null) this.#break('nobody is restored who owes', after, '');
    }
  }

  #judgeGrace(row: StandingRow): void {
    this.#context.mark('a grace begins');
    const [told, deadline] = [row.noticed_at?.getTime() ?? Infinity, row.deadline_at?.getTime() ?? 0];
    if (deadline < told + GRACE_MS)
      this.#break('a grace has its whole time', row, `${(deadline - told) / HOUR_MS} hours`);
  }

  #judgeSuspension(before: StandingRow | null, after: StandingRow): void {
    this.#context.mark('a wallet is suspended');
    if (after.reason === null) this.#break('nobody is suspended for nothing', after, '');
    const isLate = before?.deadline_at != null && before.deadline_at.getTime() <= after.since.getTime();
    if (after.reason !== 'operator' && !isLate)
      this.#break('nobody is suspended before the deadline', after, `${before?.deadline_at?.toISOString()}`);
    const wanted = isFreeze(after.reason) ? null : after.since.getTime() + SUSPENDED_MS;
    if ((after.deadline_at?.getTime() ?? null) !== wanted)
      this.#break('a suspension has its whole time', after, String(wanted));
  }

  #judgeRelease(before: StandingRow | null, after: StandingRow): void {
    const { rows, mark } = this.#context;
    mark('a wallet is released');
    const atMs = after.since.getTime();
    const isOver = before?.deadline_at != null && before.deadline_at.getTime() <= atMs;
    const isRescued = before?.rescue_until != null && before.rescue_until.getTime() > atMs;
    if (before?.state !== 'suspended' || !isOver || isRescued || isFreeze(before.reason))
      this.#break(
        'nobody is released before the deadline',
        after,
        `${before?.state} ${before?.deadline_at?.toISOString()}`,
      );
    const open = rows.all('subscription').find(({ wallet, state }) => wallet === after.wallet && state !== 'ended');
    if (open) this.#break('who is released has no plan any more', after, open.sid);
  }

  /** What is the matter with the wallet; two where it hangs on whether something given has ended. */
  #reasons(row: StandingRow): Reason[] {
    const { rows, nowMs } = this.#context;
    if (row.is_frozen) return ['operator'];
    const plan = rows.all('subscription').find(({ wallet, state }) => wallet === row.wallet && state !== 'ended');
    if (plan?.state === 'past_due') return ['plan'];
    const own = balanceOf(this.#context, row.wallet * 16n) + balanceOf(this.#context, row.wallet * 16n + 1n);
    const least = own + givenOf(this.#context, row.wallet, nowMs() + WRONG_BY_MS);
    const most = own + givenOf(this.#context, row.wallet, nowMs() - WRONG_BY_MS);
    return [...new Set<Reason>([least < 0n ? 'balance' : null, most < 0n ? 'balance' : null])];
  }

  #break(rule: string, { wallet, state, reason, since }: StandingRow, detail: string): void {
    this.#context.breaks(rule, `wallet ${wallet} is ${state} (${reason}) since ${since.toISOString()}: ${detail}`);
  }
}

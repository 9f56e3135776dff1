import { assert } from '../../domain/assert.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { decideStanding, type StandingDecision } from '../../domain/standing/decide.ts';
import { afterQuietHours } from '../../domain/standing/quiet-hours.ts';
import { nextLookAt, runwayOf, WINDOW_HOURS, type Burn, type Runway } from '../../domain/standing/runway.ts';
import { HOUR_MS, type StandingFacts, type StandingPolicy } from '../../domain/standing/state.ts';
import type { Tx } from '../../store/db.ts';
import { lockBalance } from '../../store/ledger.ts';
import { readQuietHours } from '../../store/notice-setting.ts';
import { lockQuota } from '../../store/quota.ts';
import { insertMove, lockStanding, saveLook, saveStanding } from '../../store/standing.ts';
import { readWalletFacts, renewalOf, type WalletFacts } from '../../store/standing-facts.ts';
import { chargedSince } from '../../store/usage-day.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House, HouseSettings } from '../house.ts';
import { endSubscription } from '../subscription/end.ts';
import { tellStanding } from './tell.ts';

/** Who uses more than this many records a day is looked at by the last of them. */
const ENTRIES_MAX = 20_000;

/**
 * Brings the standing of one wallet to what is so, and tells of it: the change, its row and its events are one commit.
 *
 * Shape: whether its state changed.
 * Safe to: run at any time, in several processes, and to die anywhere: the next one finds the same to do.
 */
export async function settleStanding(house: House, wallet: bigint): Promise<boolean> {
  return await house.db.transaction('standing.settle', async (tx) => {
    const now = house.ports.clock.now();
    await lockStanding(tx, wallet);
    const first = await look(tx, house, wallet, now);
    // Money that is being credited at this moment is waited for before anything is stopped.
    const isHard = first.decision.news.some(({ type }) => type === 'wallet.suspended' || type === 'wallet.released');
    if (isHard) {
      // In the order in which a renewal takes them.
      await lockQuota(tx, wallet);
      await lockBalance(tx, liveAccount(wallet, 'wallet'));
    }
    const seen = isHard ? await look(tx, house, wallet, now) : first;
    return await write(tx, house, seen, now);
  });
}

interface Seen {
  readonly facts: WalletFacts;
  readonly burn: Burn;
  readonly runway: Runway;
  readonly decision: StandingDecision;
}

async function look(tx: Tx, house: House, wallet: bigint, now: Date): Promise<Seen> {
  const [facts] = await readWalletFacts(tx, [wallet]);
  assert(facts !== undefined, 'a wallet that stands somewhere is there');
  const burn = await readBurn(tx, facts, now);
  const runway = runwayOf(burn, now);
  const noticeAt = afterQuietHours(await readQuietHours(tx, facts.userSid), now);
  const asked = { ...factsFor(facts, house.settings), msLeft: facts.plan?.isPastDue === true ? 0 : runway.msLeft };
  const decision = decideStanding(facts.standing, asked, policyOf(house.settings), { now, noticeAt });
  return { facts, burn, runway, decision };
}

/** What uses a wallet up, by the usage of the last day and its plan. */
export async function readBurn(tx: Tx, facts: WalletFacts, now: Date): Promise<Burn> {
  const since = new Date(now.getTime() - Number(WINDOW_HOURS) * HOUR_MS);
  const { charge } = await chargedSince(tx, { wallet: facts.wallet, since, entriesMax: ENTRIES_MAX });
  return { available: facts.available, dayCharge: charge, renewal: renewalOf(facts.plan) };
}

/** What the table of states asks, of what was read; the runway is for who has looked at it. */
export const factsFor = (facts: WalletFacts, { lowBalance }: HouseSettings): StandingFacts => ({
  held: facts.available + facts.reserved,
  lowBalance,
  freeze: facts.freeze,
  isPastDue: facts.plan?.isPastDue === true,
  hasPlan: facts.plan !== null,
  vms: facts.vms,
  stoppedVms: facts.stoppedVms,
  isMoneyComing: facts.isMoneyComing,
});

export const policyOf = ({ warningHours, graceHours, suspendedDays }: HouseSettings): StandingPolicy => ({
  warningHours,
  graceHours,
  suspendedDays,
});

async function write(tx: Tx, house: House, { facts, burn, runway, decision }: Seen, now: Date): Promise<boolean> {
  const { wallet, standing: before } = facts;
  const { after, news } = decision;
  const isMove = after.state !== before.state;
  const moves = before.moves + (isMove ? 1 : 0);
  await saveStanding(tx, { ...after, wallet, moves });
  await saveLook(tx, { wallet, lookAt: nextLookAt(runway, burn, house.settings.warningHours, now), seq: facts.seq });
  if (isMove) {
    await insertMove(tx, {
      wallet,
      number: moves,
      from: before.state,
      to: after.state,
      reason: after.reason,
      at: now,
    });
  }
  if (after.deadlineAt?.getTime() !== before.deadlineAt?.getTime() || (isMove && isStopped(after, before))) {
    await recordAudit(tx, ownAuthor(house, 'standing'), {
      action: 'standing.move',
      subject: facts.walletSid,
      reason: after.reason,
      before: { state: before.state, deadline_at: before.deadlineAt?.toISOString() ?? null },
      after: { state: after.state, deadline_at: after.deadlineAt?.toISOString() ?? null },
    });
  }
  if (isMove && after.state === 'released' && facts.plan !== null) {
    await endSubscription(tx, house, { subscription: facts.plan.subscription, reason: 'unpaid', at: now });
  }
  if (!facts.isErased) await tellStanding(tx, house, { facts, after, news, runway, now });
  return isMove;
}

type State = Pick<WalletFacts['standing'], 'state'>;
const STOPPED: ReadonlySet<string> = new Set(['suspended', 'released']);
const isStopped = (a: State, b: State): boolean => STOPPED.has(a.state) || STOPPED.has(b.state);

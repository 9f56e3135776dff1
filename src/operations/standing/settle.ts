import { assert } from '../../domain/assert.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import type { StandingDecision } from '../../domain/standing/decide.ts';
import { afterQuietHours } from '../../domain/standing/quiet-hours.ts';
import type { Burn } from '../../domain/standing/runway.ts';
import type { Tx } from '../../store/db.ts';
import { lockBalance } from '../../store/ledger.ts';
import { readQuietHours } from '../../store/notice-setting.ts';
import { lockQuota } from '../../store/quota.ts';
import { insertMove, lockStanding, saveLook, saveStanding } from '../../store/standing.ts';
import type { WalletFacts } from '../../store/standing-facts.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { endSubscription } from '../subscription/end.ts';
import { judge, lookAt, nextLook, readBurns, type Look } from './look.ts';
import { tellStanding } from './tell.ts';

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

interface Seen extends Look {
  readonly decision: StandingDecision;
}

async function look(tx: Tx, house: House, wallet: bigint, now: Date): Promise<Seen> {
  const [seen] = await lookAt(tx, [wallet], now);
  assert(seen !== undefined, 'a wallet that stands somewhere is there');
  const noticeAt = afterQuietHours(await readQuietHours(tx, seen.facts.userSid), now);
  return { ...seen, decision: judge(seen, house.settings, { now, noticeAt }) };
}

/** What uses a wallet up, by the usage of the last day and its plan. */
export async function readBurn(tx: Tx, facts: WalletFacts, now: Date): Promise<Burn> {
  const burn = (await readBurns(tx, [facts], now)).get(facts.wallet);
  assert(burn !== undefined, 'a wallet that was asked for is answered');
  return burn;
}

async function write(tx: Tx, house: House, seen: Seen, now: Date): Promise<boolean> {
  const { facts, runway, decision } = seen;
  const { wallet, standing: before } = facts;
  const { after, news } = decision;
  const isMove = after.state !== before.state;
  const moves = before.moves + (isMove ? 1 : 0);
  await saveStanding(tx, { ...after, wallet, moves });
  await saveLook(tx, { wallet, lookAt: nextLook(seen, house.settings, now), seq: facts.seq });
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

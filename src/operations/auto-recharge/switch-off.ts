import type { RechargeReason } from '../../domain/auto-recharge/state.ts';
import type { Tx } from '../../store/db.ts';
import { lockAutoRecharge, saveAutoRecharge, type AutoRechargeRow } from '../../store/auto-recharge.ts';
import { recordAudit, type Author } from '../audit/record.ts';

/** Switches the auto-recharge of a wallet off, and says why; null: there is none. One that is off stays as it is. */
export async function switchOff(
  tx: Tx,
  author: Author,
  wallet: bigint,
  reason: RechargeReason,
): Promise<AutoRechargeRow | null> {
  const before = await lockAutoRecharge(tx, wallet);
  if (!before || before.state === 'off') return before;
  const updatedAt = author.house.ports.clock.now();
  const after: AutoRechargeRow = { ...before, state: 'off', reason, notBefore: null, updatedAt };
  await saveAutoRecharge(tx, after);
  await recordAudit(tx, author, {
    action: 'auto-recharge.disable',
    subject: before.walletSid,
    reason,
    before: { state: before.state },
    after: { state: 'off' },
  });
  return after;
}

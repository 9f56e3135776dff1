import { z } from 'zod';
import { APPROVAL_WAIT_MS } from '../../domain/refund/schedule.ts';
import { isRefusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { lockPayment } from '../../store/payment.ts';
import { readRefund, updateRefund, type RefundRow } from '../../store/refund.ts';
import { ownAuthor, recordAudit, type Author } from '../audit/record.ts';
import { convergeBonus } from '../bonus/converge.ts';
import type { House } from '../house.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { decidedAlready } from './approve.ts';
import { giveBack } from './apply-verdict.ts';
import { refundSchema, toRefund, visibleRefund } from './refund.ts';
import { tellOfRefund } from './tell.ts';

export const refundReject = operation({
  name: 'refund.reject',
  summary: 'Refuse a refund that waits for approval; the wallet has it back',
  description:
    'Whoever asked for it may take it back so, too. After seven days without an approval it goes back by itself.',
  http: { method: 'post', path: '/v1/refunds/{sid}/reject', status: 200 },
  access: 'operator',
  right: 'money',
  // A refund is rejected once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: refundSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, { sid, reason }) {
    const { house, actor } = call;
    return await house.db.transaction('refund.reject', async (tx) => {
      const seen = await visibleRefund(tx, actor, sid);
      if (isRefusal(seen)) return seen;
      await lockPayment(tx, seen.paymentSid);
      const refund = (await readRefund(tx, sid)) ?? seen;
      if (refund.state === 'rejected') return toRefund(refund, actor);
      if (refund.state !== 'awaiting_approval') return decidedAlready(refund);
      return toRefund(await reject(tx, house, { refund, reason, author: call }), actor);
    });
  },
});

/** Nobody has approved it in time: money must not be set aside for ever. */
export async function rejectExpired(house: House, sid: string): Promise<void> {
  await house.db.transaction('refund.expire', async (tx) => {
    const seen = await readRefund(tx, sid);
    if (seen === null) return;
    await lockPayment(tx, seen.paymentSid);
    const refund = await readRefund(tx, sid);
    const now = house.ports.clock.now();
    if (refund?.state !== 'awaiting_approval' || now.getTime() < refund.createdAt.getTime() + APPROVAL_WAIT_MS) return;
    await reject(tx, house, { refund, reason: 'Nobody approved it in time.', author: ownAuthor(house, 'refund') });
  });
}

async function reject(
  tx: Tx,
  house: House,
  { refund, reason, author }: { readonly refund: RefundRow; readonly reason: string; readonly author: Author },
): Promise<RefundRow> {
  const now = house.ports.clock.now();
  await giveBack(tx, house, refund, now);
  const rejected: RefundRow = {
    ...refund,
    state: 'rejected',
    detail: reason,
    decidedBy: author.actor.id,
    decidedAt: now,
    updatedAt: now,
    endedAt: now,
    nextCheckAt: null,
  };
  await updateRefund(tx, rejected);
  const [before, after] = [{ state: refund.state }, { state: rejected.state }];
  await recordAudit(tx, author, { action: 'refund.reject', subject: refund.sid, reason, before, after });
  await convergeBonus(tx, house, { sid: refund.paymentSid }, author);
  await tellOfRefund(tx, house, refund, rejected);
  return rejected;
}

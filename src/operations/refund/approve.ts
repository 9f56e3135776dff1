import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { nextLookAt } from '../../domain/refund/schedule.ts';
import { lockPayment } from '../../store/payment.ts';
import { readRefund, updateRefund, type RefundRow } from '../../store/refund.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { refundSchema, toRefund, visibleRefund } from './refund.ts';
import { countMoved } from '../operator/daily-limit.ts';

export const refundApprove = operation({
  name: 'refund.approve',
  summary: 'Approve a refund that another operator has asked for',
  description: 'Whoever asked for it cannot approve it. The provider is asked after that.',
  http: { method: 'post', path: '/v1/refunds/{sid}/approve', status: 200 },
  access: 'operator',
  right: 'money',
  // A refund is approved once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(255).optional().describe('Kept in the audit row.') }),
  output: refundSchema,
  refusals: ['not_found', 'forbidden', 'state_conflict', 'amount_out_of_range'],
  async run(call, { sid, reason }) {
    const { db, ports, jobs } = call.house;
    return await db.transaction('refund.approve', async (tx) => {
      const seen = await visibleRefund(tx, call.actor, sid);
      if (isRefusal(seen)) return seen;
      await lockPayment(tx, seen.paymentSid);
      const refund = (await readRefund(tx, sid)) ?? seen;
      if (refund.createdBy === call.actor.id)
        return refuse('forbidden', 'You asked for this refund yourself: another operator must approve it.');
      if (refund.decidedBy === call.actor.id && refund.state !== 'rejected') return toRefund(refund, call.actor);
      if (refund.state !== 'awaiting_approval') return decidedAlready(refund);
      const now = ports.clock.now();
      const state = 'requested' as const;
      const decided = { decidedBy: call.actor.id, decidedAt: now, updatedAt: now };
      const approved = { ...refund, ...decided, state, nextCheckAt: nextLookAt({ now, state, checks: 0 }), checks: 0 };
      await updateRefund(tx, approved);
      const [before, after] = [{ state: refund.state }, { state }];
      await recordAudit(tx, call, { action: 'refund.approve', subject: sid, reason: reason ?? null, before, after });
      await jobs.enqueue(tx, 'refund.send', { sid });
      await countMoved(tx, call, approved.amount);
      return toRefund(approved, call.actor);
    });
  },
});

export const decidedAlready = (refund: RefundRow) =>
  refuse('state_conflict', 'This refund does not wait for an approval.', { details: { state: refund.state } });

import { z } from 'zod';
import { deriveIdem } from '../../domain/idem.ts';
import { formatDecimal } from '../../domain/money.ts';
import { reserveLegs } from '../../domain/refund/postings.ts';
import { nextLookAt } from '../../domain/refund/schedule.ts';
import { isRefusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { insertRefund, type RefundRow } from '../../store/refund.ts';
import { recordAudit } from '../audit/record.ts';
import { convergeBonus } from '../bonus/converge.ts';
import { operation, type Call } from '../operation.ts';
import { textField } from '../schema.ts';
import { postOne, toRecord } from './apply-verdict.ts';
import { askNewRefund, decideUnderLocks, newRefundInput, type DecidedRefund, type NewRefundAsk } from './new-refund.ts';
import { refundQuote } from './quote.ts';
import { refundSchema, toRefund } from './refund.ts';
import { tellOfRefund } from './tell.ts';
import { countMoved } from '../operator/daily-limit.ts';

export const refundCreate = operation({
  name: 'refund.create',
  summary: 'Give money of a payment back',
  description:
    'Sets the amount aside in the wallet and stores the intent; the provider is asked after that, with the refund’s sid as its key for ever. When the ' +
    'provider refuses, or its refund fails later, the wallet has the money back; when it does not say, it is asked again until it does. Above a ' +
    'limit a second operator must approve it first. Users may only where self-service is on, within its days, and what they have not spent.',
  http: { method: 'post', path: '/v1/refunds', status: 201 },
  access: 'user',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({
    ...newRefundInput,
    reason: textField(255).describe('Why. Kept for ever; the customer reads it on the statement.'),
  }),
  output: refundSchema,
  refusals: [...refundQuote.refusals, 'idempotency_key_reused'],
  async run(call, input) {
    const ask = await askNewRefund(call, input);
    if (isRefusal(ask)) return ask;
    return await call.commit(async (tx) => {
      const decided = await decideUnderLocks(tx, call, ask);
      if (isRefusal(decided)) return decided;
      const refund = await openRefund(tx, call, { ask, decided, reason: input.reason });
      await countMoved(tx, call, refund.amount);
      return toRefund(refund, call.actor);
    });
  },
});

interface Opening {
  readonly ask: NewRefundAsk;
  readonly decided: DecidedRefund;
  readonly reason: string;
}

/** The intent, the money set aside for it, and the job that asks the provider: all of it, or nothing. */
async function openRefund(tx: Tx, call: Call, opening: Opening): Promise<RefundRow> {
  const { house, actor } = call;
  const now = house.ports.clock.now();
  const refund = toRow(call, opening, now);
  await insertRefund(tx, refund);
  const idem = deriveIdem('refund.reserve', refund.sid);
  const legs = reserveLegs(refund.wallet, refund.amount);
  const record = toRecord(refund, { kind: 'refund_reserve', idem, legs, now, externalRef: null });
  await postOne(tx, house, { ...record, mayOverdraw: opening.decided.plan.mayOverdraw });
  await recordAudit(tx, call, {
    action: 'refund.create',
    subject: refund.sid,
    reason: refund.reason,
    after: {
      state: refund.state,
      amount: formatDecimal(refund.amount),
      payment_sid: refund.paymentSid,
      by: actor.kind,
    },
  });
  await convergeBonus(tx, house, opening.decided.payment, call);
  await tellOfRefund(tx, house, null, refund);
  if (refund.state === 'requested') await house.jobs.enqueue(tx, 'refund.send', { sid: refund.sid });
  return refund;
}

function toRow({ house, actor }: Call, { ask, decided, reason }: Opening, now: Date): RefundRow {
  const { payment, plan } = decided;
  const state = plan.needsApproval ? 'awaiting_approval' : 'requested';
  return {
    sid: house.ports.ids.referenceSid(),
    paymentSid: payment.sid,
    paymentRef: plan.received.paymentRef,
    wallet: payment.wallet,
    walletSid: payment.walletSid,
    userSid: payment.userSid,
    provider: payment.provider,
    providerAccount: payment.providerAccount,
    origin: actor.kind === 'user' ? 'user' : 'operator',
    state,
    amount: ask.amount,
    posted: null,
    currency: payment.currency,
    reason,
    refundRef: null,
    destination: ask.destination,
    claimUrl: null,
    fee: null,
    detail: null,
    createdBy: actor.id,
    createdAt: now,
    decidedBy: null,
    decidedAt: null,
    updatedAt: now,
    endedAt: null,
    nextCheckAt: nextLookAt({ now, state, checks: 0 }),
    checks: 0,
  };
}

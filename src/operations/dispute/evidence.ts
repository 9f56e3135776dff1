import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import type { DisputeRow } from '../../store/dispute.ts';
import { listSignIns, listUsed, sumUsed } from '../../store/evidence.ts';
import { readPayment } from '../../store/payment.ts';
import { listPaymentEvents } from '../../store/payment-event.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import { statementLineSchema, toStatementLine } from '../billing/billing.ts';
import { operation } from '../operation.ts';
import { paymentEventSchema, toPaymentEvent } from '../payment-event/list.ts';
import { paymentSchema, toPayment } from '../payment/payment.ts';
import { instant, signedAmount, sidField } from '../schema.ts';
import { toUser, userSchema } from '../user/user.ts';
import { disputeSchema, toDispute, visibleDispute } from './dispute.ts';
import { evidenceText } from './evidence-text.ts';

/** Banks read a few pages. What is left out is counted, and the newest is what shows that the service was used. */
const LINES_MAX = 200;
/** Sign-ins from before the payment show that it was the same person. */
const SIGN_INS_BEFORE_MS = 90 * 86_400_000;

const factsSchema = z.object({
  made_at: instant,
  dispute: disputeSchema,
  payment: paymentSchema,
  customer: userSchema,
  receipts: z.array(paymentEventSchema).describe('What the customer has paid, newest first, at most 200.'),
  usage: z.object({
    since: instant.describe('When the disputed payment was made.'),
    charges: z.int().describe('How often the wallet was charged since.'),
    total: signedAmount,
    lines: z.array(statementLineSchema).describe('The newest of them, at most 200.'),
  }),
  sign_ins: z
    .array(z.object({ at: instant, address: z.string().nullable().describe('Null: not kept then.') }))
    .describe('From 90 days before the payment on, newest first, at most 200.'),
});
export type Evidence = z.input<typeof factsSchema>;

export const disputeEvidence = operation({
  name: 'dispute.evidence',
  summary: 'Gather what a bank should see of a dispute',
  description:
    'Receipts, usage and sign-ins of the customer whose payment is disputed, as data and as a text to hand in. Personal data: each reading leaves an audit row.',
  http: { method: 'get', path: '/v1/disputes/{sid}/evidence', status: 200 },
  access: 'operator',
  right: 'export',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: factsSchema
    .extend({ text: z.string().describe('The same to be read: plain text.') })
    .meta({ id: 'DisputeEvidence' }),
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    const dispute = await visibleDispute(house.db, actor, input.sid);
    if (isRefusal(dispute)) return dispute;
    const evidence = await house.db.transaction('dispute.evidence', async (tx) => {
      await recordAudit(tx, call, { action: 'dispute.evidence', subject: dispute.sid });
      return await gather(tx, dispute, house.ports.clock.now());
    });
    return { ...evidence, text: evidenceText(evidence) };
  },
});

/** Everything that a bank should see of a dispute, as it is now. */
export async function gather(tx: Tx, dispute: DisputeRow, now: Date): Promise<Evidence> {
  const payment = await readPayment(tx, dispute.paymentSid);
  const customer = await readUser(tx, dispute.userSid);
  assert(payment !== null && customer !== null, 'a dispute has its payment, and that its user');
  const { wallet } = dispute;
  const since = payment.createdAt;
  const receipts = await listPaymentEvents(tx, { wallets: [wallet], before: null, limit: LINES_MAX });
  const { charges, total } = await sumUsed(tx, wallet, since);
  const lines = await listUsed(tx, wallet, since, LINES_MAX);
  const signInsSince = new Date(since.getTime() - SIGN_INS_BEFORE_MS);
  const signIns = await listSignIns(tx, dispute.userSid, signInsSince, LINES_MAX);
  return {
    made_at: now.toISOString(),
    dispute: toDispute(dispute),
    payment: toPayment(payment),
    customer: toUser(customer),
    receipts: receipts.map(toPaymentEvent),
    usage: {
      since: since.toISOString(),
      charges: Number(charges),
      total: formatDecimal(total),
      lines: lines.map((line) => toStatementLine(line, 'owner')),
    },
    sign_ins: signIns.map(({ at, address }) => ({ at: at.toISOString(), address })),
  };
}

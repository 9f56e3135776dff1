import { z } from 'zod';
import { ANSWER_KINDS, ANSWER_STATES, whyUnanswerable, type AnswerKind } from '../../domain/dispute/answer.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { HandedIn } from '../../providers/provider-disputes.ts';
import type { Tx } from '../../store/db.ts';
import { readDispute, type DisputeRow } from '../../store/dispute.ts';
import { insertDisputeAnswer, listAnswersOf, type DisputeAnswerRow } from '../../store/dispute-answer.ts';
import { lockPayment } from '../../store/payment.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import type { Call } from '../operation.ts';
import { instant, sidField } from '../schema.ts';
import { sendAnswer } from './send-answer.ts';

export const answerSchema = z
  .object({
    sid: sidField,
    dispute_sid: sidField,
    kind: z.enum(ANSWER_KINDS).describe('accept: the loss is accepted · evidence: the bank shall see it and decide.'),
    state: z
      .enum(ANSWER_STATES)
      .describe(
        'requested: asked for until the provider has it · sent: the provider has it · refused: it will not take it.',
      ),
    reason: z.string().describe("The operator's own words."),
    detail: z.string().nullable().describe('Why it was refused.'),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'DisputeAnswer' });

export type DisputeAnswer = z.input<typeof answerSchema>;

export const toAnswer = (row: DisputeAnswerRow): DisputeAnswer => ({
  sid: row.sid,
  dispute_sid: row.disputeSid,
  kind: row.kind,
  state: row.state,
  reason: row.reason,
  detail: row.detail,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

/** Why nothing can be answered to a dispute through us now, as a sentence; null: something can. */
export function whyNoAnswer(
  house: House,
  dispute: DisputeRow,
  answers: readonly Pick<DisputeAnswerRow, 'state'>[],
): string | null {
  if (house.providers.get(dispute.provider)?.disputes === undefined)
    return 'This provider takes answers to disputes on its own page only.';
  const isUnderWay = answers.some(({ state }) => state === 'requested');
  return whyUnanswerable(dispute, isUnderWay);
}

interface Wish {
  readonly disputeSid: string;
  readonly kind: AnswerKind;
  readonly reason: string;
  /** Gathers what is handed in, in the transaction of the intent; null: the loss is accepted. */
  readonly gather: ((tx: Tx, dispute: DisputeRow) => Promise<HandedIn>) | null;
}

/** Stores the intent, and then has the provider take it. Shape: the answer as it was stored: what becomes of it is read later. */
export async function answerDispute(call: Call, wish: Wish): Promise<DisputeAnswer | Refusal> {
  const { house } = call;
  const intended = await call.commit((tx) => intend(tx, call, wish));
  if (!isRefusal(intended)) await sendAnswer(house, intended.sid);
  return intended;
}

async function intend(
  tx: Tx,
  call: Call,
  { disputeSid, kind, reason, gather }: Wish,
): Promise<DisputeAnswer | Refusal> {
  const { house, actor } = call;
  const seen = await readDispute(tx, disputeSid);
  if (!seen) return refuse('not_found', 'There is no dispute with this sid.');
  // Whoever changes the dispute, or answers it, holds this lock.
  await lockPayment(tx, seen.paymentSid);
  const dispute = (await readDispute(tx, disputeSid)) ?? seen;
  const why = whyNoAnswer(house, dispute, await listAnswersOf(tx, disputeSid));
  if (why !== null) return refuse('state_conflict', why);
  const now = house.ports.clock.now();
  const evidence = gather === null ? null : JSON.stringify(await gather(tx, dispute));
  const sid = house.ports.ids.sid();
  const row = { sid, disputeSid, kind, reason, evidence, createdBy: actor.id, createdAt: now };
  await insertDisputeAnswer(tx, row);
  await recordAudit(tx, call, {
    action: kind === 'accept' ? 'dispute.accept' : 'dispute.submit-evidence',
    subject: disputeSid,
    reason,
    after: { answer_sid: sid, state: 'requested' },
  });
  return toAnswer({ ...row, state: 'requested', detail: null, updatedAt: now });
}

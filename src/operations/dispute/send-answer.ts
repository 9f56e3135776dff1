import { assert } from '../../domain/assert.ts';
import type { AnswerState } from '../../domain/dispute/answer.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import type { HandedIn } from '../../providers/provider-disputes.ts';
import { readDispute, type DisputeRow } from '../../store/dispute.ts';
import {
  listRequestedAnswers,
  lockDisputeAnswer,
  markDisputeAnswer,
  readDisputeAnswer,
  type DisputeAnswerRow,
} from '../../store/dispute-answer.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { ownCause } from '../payment/cause.ts';
import { settlePayment } from '../payment/settle.ts';

/** Answers of one tick; the next takes the rest. Few disputes are answered in a day. */
const SENT_PER_TICK = 50;

/** Asks again about every answer that the provider may not have. Safe to: run in several processes; the provider knows the key. */
export async function sendAnswers(house: House): Promise<number> {
  const sids = await listRequestedAnswers(house.db, SENT_PER_TICK);
  for (const sid of sids) await sendAnswer(house, sid);
  return sids.length;
}

/**
 * Has the provider take an answer, or finds that it has; then the payment is settled by what it says of the dispute, and the answer is over.
 * A failure is logged; the tick asks again.
 * Safe to: run twice and concurrently: the answer's sid is the provider's idempotency key for ever.
 */
export async function sendAnswer(house: House, sid: string): Promise<void> {
  const answer = await readDisputeAnswer(house.db, sid);
  if (answer?.state !== 'requested') return;
  const dispute = await readDispute(house.db, answer.disputeSid);
  assert(dispute !== null, 'a dispute is never deleted');
  try {
    const end = await giveTo(house, dispute, answer);
    // Before the answer is over: until our row of the dispute knows what it has done, nobody else may answer.
    await settlePayment(house, dispute.paymentSid, ownCause(house, 'reconciler'));
    await finish(house, sid, end);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    const facts = { answer_sid: sid, dispute_sid: dispute.sid, kind: error.kind, error };
    house.ports.log.warn(facts, 'a dispute could not be answered or looked at yet');
  }
}

interface End {
  readonly state: Exclude<AnswerState, 'requested'>;
  readonly detail: string | null;
}

/** Throws ProviderFailure where nobody can say what came of it. */
async function giveTo(house: House, dispute: DisputeRow, answer: DisputeAnswerRow): Promise<End> {
  const provider = house.providers.get(dispute.provider);
  if (provider?.disputes === undefined)
    throw new ProviderFailure('broken', 'none', 'The provider of the dispute is not configured, or takes no answers.');
  if ((await provider.account()).id !== dispute.providerAccount)
    throw new ProviderFailure('broken', 'none', 'The key is of another account than the one the dispute is in.');
  const { disputeRef, paymentRef } = dispute;
  // Our own text, written with the intent.
  const evidence = answer.evidence === null ? null : (JSON.parse(answer.evidence) as HandedIn);
  try {
    await provider.disputes.answer({ answerSid: answer.sid, disputeRef, paymentRef, evidence });
    return { state: 'sent', detail: null };
  } catch (error) {
    const isDefinite = error instanceof ProviderFailure && error.kind === 'refused' && error.outcome === 'none';
    if (isDefinite) return { state: 'refused', detail: error.message };
    throw error;
  }
}

async function finish(house: House, sid: string, { state, detail }: End): Promise<void> {
  await house.db.transaction('dispute.answered', async (tx) => {
    const locked = await lockDisputeAnswer(tx, sid);
    if (locked?.state !== 'requested') return;
    await markDisputeAnswer(tx, { sid, state, detail, updatedAt: house.ports.clock.now() });
    await recordAudit(tx, ownAuthor(house, 'dispute'), {
      action: 'dispute.answered',
      subject: locked.disputeSid,
      outcome: state === 'sent' ? 'done' : 'failed',
      reason: detail,
      before: { state: locked.state },
      after: { answer_sid: sid, kind: locked.kind, state },
    });
  });
}

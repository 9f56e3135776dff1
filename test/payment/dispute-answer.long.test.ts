import { afterEach, describe, expect, it } from 'vitest';
import {
  moveDispute,
  openDispute,
  openDisputeSchema,
  type Dispute as StripeDispute,
} from '../../sandbox/stripe/disputes.ts';
import type { DisputeAnswer } from '../../src/operations/dispute/answer.ts';
import { auditList } from '../../src/operations/audit/list.ts';
import { disputeAccept } from '../../src/operations/dispute/accept.ts';
import { disputeGet } from '../../src/operations/dispute/get.ts';
import { disputeList } from '../../src/operations/dispute/list.ts';
import { sendAnswer, sendAnswers } from '../../src/operations/dispute/send-answer.ts';
import { disputeSubmitEvidence } from '../../src/operations/dispute/submit-evidence.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { dispute as onPaper } from '../support/paper-dispute.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { OPERATOR, paymentStory } from '../support/payment-story.ts';
import { stripeStory, type StripeStory } from '../support/stripe-story.ts';

const stories: StripeStory[] = [];
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

interface Disputed extends StripeStory {
  readonly dispute: StripeDispute;
  readonly sid: string;
  readonly act: (operation: Operation, input?: object, key?: string, house?: House) => ReturnType<StripeStory['run']>;
  readonly look: () => Promise<{ state: string; answers: DisputeAnswer[]; why_no_answer: string | null }>;
}

async function disputed(): Promise<Disputed> {
  const made = await stripeStory();
  stories.push(made);
  return await disputedIn(made);
}

/** A payment of 25.00 of which a bank disputes 10.00. */
async function disputedIn(made: StripeStory): Promise<Disputed> {
  const { told, stripe, hear, open, sessionOf, house: first } = made;
  const payment = await open('25.00');
  const about = await sessionOf(payment);
  stripe.complete(about, 'paid');
  await hear();
  const dispute = openDispute(stripe.state, openDisputeSchema.parse({ about, amountCents: 1_000 }));
  if (!dispute) throw new Error('a dispute was opened');
  await hear();
  await told.ports.clock.advance(1_000);
  const listed = await made.run(disputeList, {}, { actor: OPERATOR });
  const { items } = JSON.parse(listed.body) as { items: { sid: string; dispute_ref: string }[] };
  const sid = items.find(({ dispute_ref: ref }) => ref === dispute.id)?.sid ?? '';
  const act: Disputed['act'] = (operation, input = {}, key = 'the-key', house = first) =>
    execute(house, operation, {
      actor: OPERATOR,
      input: { sid, ...input },
      idempotencyKey: key,
      requestId: house.ports.ids.requestId(),
    });
  const look: Disputed['look'] = async () =>
    JSON.parse((await made.run(disputeGet, { sid }, { actor: OPERATOR })).body) as Awaited<
      ReturnType<Disputed['look']>
    >;
  return { ...made, dispute, sid, act, look };
}

/** Each place makes a dispute of its own: half as many as elsewhere, and in CI every one. */
const STEP = CRASH_EVERY === 1 ? 1 : 2 * CRASH_EVERY;
const WHY = { reason: 'she is right' };
const STATEMENT = { statement: 'It was her own machine' };

describe('a loss that is accepted', () => {
  it('is written off as if the bank had decided, once, however often and by how many it is asked for', async () => {
    const { told, hear, act, look, dispute, another, sid, run } = await disputed();
    expect(await told.cents()).toBe(1_500n);
    const replies = await Promise.all([
      ...Array.from({ length: 3 }, () => act(disputeAccept, WHY, 'the-key')),
      ...Array.from({ length: 3 }, (_, index) => act(disputeAccept, WHY, `other-${index}`, another())),
    ]);
    expect(replies.map(({ status }) => status).filter((status) => status !== 201 && status !== 409)).toEqual([]);
    expect(new Set(replies.filter(({ status }) => status === 201).map(({ body }) => body)).size).toBe(1);
    expect(dispute.status).toBe('lost');
    expect(await look()).toMatchObject({
      state: 'lost',
      answers: [{ kind: 'accept', state: 'sent', reason: 'she is right' }],
      why_no_answer: 'The dispute is lost: there is nothing left to answer.',
    });
    await hear();
    expect(await told.cents()).toBe(1_500n);
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['dispute_lost', 'dispute_opened', 'top_up']);
    const { body } = await run(auditList, { subject: sid }, { actor: OPERATOR });
    const actions = (JSON.parse(body) as { items: { action: string }[] }).items.map(({ action }) => action);
    expect(actions.filter((action) => action.startsWith('dispute.a'))).toEqual(['dispute.answered', 'dispute.accept']);
  });

  it.each(['reset-after-effect', 'error-before-effect'] as const)(
    'G02 %s: it is asked for until Stripe has it',
    async (kind) => {
      const { act, look, stripe, told, house, dispute } = await disputed();
      stripe.turn({ faults: [{ kind, method: 'POST', path: '/v1/disputes', times: 9 }] });
      const asked = act(disputeAccept, WHY);
      const over = { is: false };
      void asked.finally(() => (over.is = true));
      while (!over.is) {
        await new Promise(setImmediate);
        await told.ports.clock.advance(500);
      }
      expect((await asked).status).toBe(201);
      stripe.calm();
      await told.ports.clock.advance(2 * 86_400_000);
      await sendAnswers(house);
      expect(await look()).toMatchObject({ state: 'lost', answers: [{ state: 'sent' }] });
      expect(dispute.status).toBe('lost');
      expect(await sendAnswers(house)).toBe(0);
    },
  );
});

describe('evidence that is handed in', () => {
  it('is what was gathered with the intent, submitted once; the bank then decides', async () => {
    const { act, look, dispute, stripe, told, hear, house } = await disputed();
    const first = await act(disputeSubmitEvidence, STATEMENT);
    expect(first).toMatchObject({ status: 201 });
    expect(await act(disputeSubmitEvidence, STATEMENT)).toMatchObject({ status: 201, body: first.body });
    const { sid } = JSON.parse(first.body) as DisputeAnswer;
    await Promise.all([sendAnswer(house, sid), sendAnswer(house, sid)]);
    expect(dispute).toMatchObject({ status: 'under_review', submissions: 1, metadata: { answer_sid: sid } });
    expect(dispute.evidence).toMatchObject({
      product_description: expect.stringContaining('prepaid credit') as string,
    });
    expect(dispute.evidence['uncategorized_text']).toMatch(/^It was her own machine\n\nThe dispute\n/);
    expect(dispute.evidence['access_activity_log']).toContain('When the customer signed in');
    expect(await look()).toMatchObject({
      state: 'open',
      answers: [{ kind: 'evidence', state: 'sent' }],
      why_no_answer: 'The provider takes no answer to this dispute any more.',
    });
    expect(await act(disputeAccept, WHY, 'another')).toMatchObject({ status: 409 });
    moveDispute(stripe.state, dispute, { status: 'won' });
    await hear();
    expect(await told.cents()).toBe(2_500n);
  });

  it('after the bank’s last word is refused by Stripe, told, and never asked for again', async () => {
    const { act, look, dispute, stripe, house } = await disputed();
    // We have not heard of it.
    stripe.turn({ lossRate: 1 });
    moveDispute(stripe.state, dispute, { status: 'under_review' });
    expect(await act(disputeSubmitEvidence, STATEMENT)).toMatchObject({ status: 201 });
    expect((await look()).answers).toMatchObject([
      { state: 'refused', detail: 'Stripe takes no answer to this dispute any more.' },
    ]);
    expect([dispute.submissions, await sendAnswers(house)]).toEqual([0, 0]);
  });

  it('G01 is handed in once when the process dies at any place of it', async () => {
    const made = await stripeStory({ disputeFreeze: 'amount' });
    stories.push(made);
    const handIn = async (at: number | null): Promise<number> => {
      const { act, dispute, look } = await disputedIn(made);
      const dying = made.anotherOf();
      dying.ports.crash.dieAfter(at);
      await act(disputeSubmitEvidence, STATEMENT, `at-${at}`, dying.house).catch((error: unknown) => error);
      const reached = dying.ports.crash.reached.length;
      await gone(made.told);
      await sendAnswers(made.house);
      const { answers } = await look();
      expect(dispute.submissions).toBe(answers.length);
      expect(answers.filter(({ state }) => state !== 'sent')).toEqual([]);
      // Asked again under the same key it is the same answer, and whatever died is made up for.
      expect(await act(disputeSubmitEvidence, STATEMENT, `at-${at}`)).toMatchObject({ status: 201 });
      expect([(await look()).answers.length, dispute.submissions]).toEqual([1, 1]);
      return reached;
    };
    const points = await handIn(null);
    for (let at = 0; at < points; at += STEP) await handIn(at);
    expect(points).toBeGreaterThan(20);
  }, 60_000);
});

describe('nothing is answered', () => {
  it('to a dispute that is not there, without a reason, by its customer, or where the provider takes no answers', async () => {
    const { run, sid, act } = await disputed();
    expect(await act(disputeAccept, { sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', ...WHY }, 'a')).toMatchObject({ status: 404 });
    expect(await act(disputeAccept, { reason: ' ' }, 'b')).toMatchObject({ status: 400 });
    expect(await run(disputeAccept, { sid, ...WHY }, { key: 'c' })).toMatchObject({ status: 403 });
    const told = await paymentStory();
    const payment = await told.paid();
    onPaper(told.bank, payment.sid, { amount: 5_000_000n, evidenceDueBy: told.ports.clock.now() });
    await settlePayment(told.house, payment.sid, ownCause(told.house, 'webhook'));
    const { body } = await told.run(disputeList, {});
    const [{ sid: other } = { sid: '' }] = (JSON.parse(body) as { items: { sid: string }[] }).items;
    const refused = await told.run(disputeAccept, { sid: other, ...WHY }, { actor: OPERATOR, key: 'd' });
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('on its own page only')]);
    await told.close();
  });
});

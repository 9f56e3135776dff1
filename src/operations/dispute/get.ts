import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listAnswersOf } from '../../store/dispute-answer.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { answerSchema, toAnswer, whyNoAnswer } from './answer.ts';
import { disputeSchema, toDispute, visibleDispute } from './dispute.ts';

export const disputeGet = operation({
  name: 'dispute.get',
  summary: 'Read a dispute',
  http: { method: 'get', path: '/v1/disputes/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: disputeSchema
    .extend({
      answers: z.array(answerSchema).describe('What operators have answered through us, oldest first. Operators only.'),
      why_no_answer: z.string().nullable().describe('Why it cannot be answered through us now; null: it can.'),
    })
    .meta({ id: 'DisputeWithAnswers' }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const dispute = await visibleDispute(house.db, actor, input.sid);
    if (isRefusal(dispute)) return dispute;
    const shown = toDispute(dispute);
    if (actor.kind !== 'operator') return { ...shown, answers: [], why_no_answer: 'Operators answer disputes.' };
    const answers = await listAnswersOf(house.db, dispute.sid);
    return { ...shown, answers: answers.map(toAnswer), why_no_answer: whyNoAnswer(house, dispute, answers) };
  },
});

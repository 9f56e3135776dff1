import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { decideCapture } from '../../domain/hold/decide.ts';
import { parseDecimal } from '../../domain/money.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { closeHold } from '../../store/hold.ts';
import { applyPostings, ensureSystemAccount } from '../../store/ledger.ts';
import { operation } from '../operation.ts';
import { budgetIn, markOfHold } from '../organisation/spender.ts';
import { amountField, sidField } from '../schema.ts';
import { givenBack } from './give-back.ts';
import { holdSchema, holdToEnd, toHold } from './hold.ts';
import { countMoved } from '../operator/daily-limit.ts';

export const holdCapture = operation({
  name: 'hold.capture',
  summary: 'Take the real cost out of a hold and return the rest',
  description:
    'Once. After the expiry it still counts: the amount is taken from the wallet, below its floor if need be, and the hold says captured_late. Users ' +
    'capture what users have set aside, and only while it is.',
  http: { method: 'post', path: '/v1/holds/{sid}/capture', status: 200 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField, amount: amountField }),
  output: holdSchema,
  refusals: ['not_found', 'forbidden', 'state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { ports } = call.house;
    const amount = parseDecimal(input.amount);
    if (amount === null || amount === 0n) {
      return refuse('amount_out_of_range', 'A capture takes something. To return the whole hold, release it.');
    }
    return call.commit(async (tx) => {
      const hold = await holdToEnd(tx, call.actor, input.sid);
      if (isRefusal(hold)) return hold;
      const now = ports.clock.now();
      const revenue = await ensureSystemAccount(tx, 'revenue:usage', 'USD');
      const plan = decideCapture(hold, { amount, now, revenue });
      if (isRefusal(plan)) return plan;
      const mark = await markOfHold(tx, hold);
      const record = {
        idem: call.idem,
        fingerprint: call.fingerprint,
        kind: 'hold_capture',
        legs: plan.legs,
        mayOverdraw: plan.mayOverdraw,
        ...(plan.fromGiven && { fromGiven: plan.fromGiven }),
        passesFreeze: true,
        occurredAt: now,
        about: JSON.stringify({
          description: hold.description,
          hold_sid: hold.sid,
          is_late: plan.state === 'captured_late',
          ...mark?.about,
        }),
        ...budgetIn(mark),
      } as const;
      const [outcome] = await applyPostings(tx, [record, ...givenBack(hold, plan.returned, now)], {
        batch: ports.ids.batchId(),
        recordedAt: now,
      });
      assert(outcome?.kind === 'applied', 'a capture takes what is reserved or may overdraw');
      const closed = { ...hold, state: plan.state, captured: amount, closedAt: now };
      await closeHold(tx, closed);
      await countMoved(tx, call, amount);
      return toHold(closed);
    });
  },
});

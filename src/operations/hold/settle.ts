import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { decideCapture } from '../../domain/hold/decide.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import {
  FRACTIONS_PER_MICRO,
  liveAccount,
  type AccountId,
  type Outcome,
  type PostingRecord,
} from '../../domain/ledger/posting.ts';
import { formatDecimal, micros, parseDecimal, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { closeHold, type HoldRow } from '../../store/hold.ts';
import { applyPostings, ensureSystemAccount } from '../../store/ledger.ts';
import type { Call } from '../operation.ts';
import { operation } from '../operation.ts';
import { budgetIn, markOfHold } from '../organisation/spender.ts';
import { amountField, sidField, signedAmount } from '../schema.ts';
import { givenBack } from './give-back.ts';
import { holdSchema, toHold, visibleHold } from './hold.ts';
import { countMoved } from '../operator/daily-limit.ts';

export const holdSettle = operation({
  name: 'hold.settle',
  summary: 'End a hold with what the work really cost, which may be more than it held',
  description:
    'Up to the hold it is a capture. What is above it was delivered as well and is owed: it is taken from the wallet, below zero down to ' +
    'the limit for usage, and past that it is kept as unbilled.',
  http: { method: 'post', path: '/v1/holds/{sid}/settle', status: 200 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField, amount: amountField }),
  output: z.object({
    ...holdSchema.shape,
    overage: signedAmount.describe('What the work cost above the hold.'),
    overage_outcome: z.enum(['none', 'charged', 'unbilled']),
  }),
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { ports, settings } = call.house;
    const amount = parseDecimal(input.amount);
    if (amount === null || amount === 0n) {
      return refuse('amount_out_of_range', 'Work that cost nothing settles nothing: release the hold.');
    }
    return call.commit(async (tx) => {
      const hold = await visibleHold(tx, call.actor, input.sid, 'lock');
      if (isRefusal(hold)) return hold;
      const now = ports.clock.now();
      const captured = micros(amount > hold.amount ? hold.amount : amount);
      const overage = micros(amount - captured);
      if (overage > settings.holdMax) {
        return refuse('amount_out_of_range', 'The cost is further above the hold than a hold may be large.', {
          details: { amount_max: formatDecimal(hold.amount + settings.holdMax) },
        });
      }
      const revenue = await ensureSystemAccount(tx, 'revenue:usage', 'USD');
      const plan = decideCapture(hold, { amount: captured, now, revenue });
      if (isRefusal(plan)) return plan;
      const mark = await markOfHold(tx, hold);
      const capture: PostingRecord = {
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
      };
      const owed = overage === 0n ? [] : [overageOf(call, hold, { overage, revenue, now })];
      const [first, second] = await applyPostings(tx, [capture, ...owed, ...givenBack(hold, plan.returned, now)], {
        batch: ports.ids.batchId(),
        recordedAt: now,
      });
      assert(first?.kind === 'applied', 'a capture takes what is reserved or may overdraw');
      const closed = { ...hold, state: plan.state, captured, closedAt: now };
      await closeHold(tx, closed);
      await countMoved(tx, call, amount);
      const outcome: 'none' | 'charged' | 'unbilled' =
        second === undefined || owed.length === 0 ? 'none' : overageOutcomeOf(second);
      if (outcome !== 'none') warn(call, hold, overage, outcome);
      return { ...toHold(closed), overage: formatDecimal(overage), overage_outcome: outcome };
    });
  },
});

function overageOutcomeOf(outcome: Outcome): 'charged' | 'unbilled' {
  assert(outcome.kind === 'applied' || outcome.kind === 'declined', 'a hold is settled once');
  return outcome.kind === 'applied' ? 'charged' : 'unbilled';
}

interface Overage {
  readonly overage: Micros;
  readonly revenue: AccountId;
  readonly now: Date;
}

/** Usage without a price: the caller knows what it cost. Its identity is the hold's, so it can be owed once. */
function overageOf(call: Call, hold: HoldRow, { overage, revenue, now }: Overage): PostingRecord {
  const wallet = liveAccount(hold.wallet, 'wallet');
  return {
    idem: deriveIdem('hold.overage', hold.sid),
    fingerprint: fingerprintOf([hold.sid, overage.toString()]),
    kind: 'usage',
    legs: [
      { account: wallet, amount: micros(-overage) },
      { account: revenue, amount: overage },
    ],
    fraction: { parts: 0n, payer: wallet, payee: revenue },
    mayOverdraw: false,
    owedMax: micros(call.house.settings.usageOwedMax),
    fromGiven: true,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({
      node: call.actor.id,
      key: hold.sid,
      category: 'usage',
      resource: 'overage',
      quantity: '1',
      unit: 'hold',
      parts: (overage * FRACTIONS_PER_MICRO).toString(),
      hold_sid: hold.sid,
      description: `${hold.description} (above what was held)`,
    }),
  };
}

/** Whoever reserves too little again and again lends money: an operator should hear of it. */
function warn(call: Call, hold: HoldRow, overage: Micros, outcome: 'charged' | 'unbilled'): void {
  const facts = { request_id: call.requestId, hold_sid: hold.sid, wallet_sid: hold.walletSid, outcome };
  call.house.ports.log.warn({ ...facts, overage: formatDecimal(overage) }, 'a call cost more than its hold');
}

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { reserveLegs } from '../../domain/hold/decide.ts';
import { sourcesOf } from '../../domain/hold/given.ts';
import { formatDecimal, micros, parseDecimal } from '../../domain/money.ts';
import { capOf } from '../../domain/organisation/cap.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { countHoldsOfUsers, insertHold } from '../../store/hold.ts';
import { applyPostings } from '../../store/ledger.ts';
import { declined } from '../billing/debit.ts';
import { operation } from '../operation.ts';
import { budgetIn, capReached, spenderOf } from '../organisation/spender.ts';
import { amountField, sidField, textField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { holdSchema, toHold } from './hold.ts';

/** An hour covers a long call; a day is the longest that money may lie without being earned. */
const EXPIRES_IN_SECONDS_DEFAULT = 3_600;
const EXPIRES_IN_SECONDS_MAX = 86_400;

/** Of a wallet, by its users: more is a script that never ends them. Two at once may go past it by one. */
const OPEN_HOLDS_OF_USERS_MAX = 100n;

export const holdReserve = operation({
  name: 'hold.reserve',
  summary: 'Set money of a wallet aside',
  description:
    'Moves the amount from the wallet to its reserved account until it is captured, released, or its time is over.',
  http: { method: 'post', path: '/v1/holds', status: 201 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({
    wallet_sid: sidField,
    amount: amountField,
    description: textField(255),
    expires_in_seconds: z.int().min(1).max(EXPIRES_IN_SECONDS_MAX).default(EXPIRES_IN_SECONDS_DEFAULT),
  }),
  output: holdSchema,
  refusals: [
    'not_found',
    'cap_reached',
    'state_conflict',
    'insufficient_balance',
    'wallet_frozen',
    'amount_out_of_range',
  ],
  async run(call, input) {
    const { ports, settings } = call.house;
    const amount = parseDecimal(input.amount);
    if (amount === null || amount === 0n || amount > settings.holdMax) {
      return refuse('amount_out_of_range', 'The amount of a hold is out of range.', {
        details: { amount_min: '0.000001', amount_max: formatDecimal(settings.holdMax) },
      });
    }
    return call.commit(async (tx) => {
      const wallet = await visibleWallet(tx, call.actor, input.wallet_sid);
      if (isRefusal(wallet)) return wallet;
      if (call.actor.kind === 'user' && (await countHoldsOfUsers(tx, wallet.id)) >= OPEN_HOLDS_OF_USERS_MAX)
        return tooMany();
      const spender = await spenderOf(tx, call.actor, wallet.userSid);
      if (isRefusal(spender)) return spender;
      const now = ports.clock.now();
      const mark = spender && capOf(spender, wallet.id, now);
      const sid = ports.ids.sid();
      const record = {
        idem: call.idem,
        fingerprint: call.fingerprint,
        kind: 'hold_reserve',
        legs: reserveLegs(wallet.id, amount),
        mayOverdraw: false,
        fromGiven: true,
        passesFreeze: false,
        occurredAt: now,
        about: JSON.stringify({ description: input.description, hold_sid: sid, ...mark?.about }),
        ...budgetIn(mark),
      } as const;
      const [outcome] = await applyPostings(tx, [record], { batch: ports.ids.batchId(), recordedAt: now });
      if (outcome?.kind === 'declined') return declined(outcome.code, amount);
      if (outcome?.kind === 'over_budget') return capReached(outcome.budget);
      assert(outcome?.kind === 'applied', 'the key is new in this transaction and the wallet is open');
      const hold = {
        sid,
        wallet: wallet.id,
        walletSid: wallet.sid,
        userSid: wallet.userSid,
        kind: 'hold',
        node: null,
        nodeSid: null,
        drawn: micros(0n),
        draws: 0n,
        amount,
        captured: micros(0n),
        state: 'open',
        description: input.description,
        byUserSid: call.actor.kind === 'user' ? call.actor.userSid : null,
        given: sourcesOf(outcome.draws),
        createdAt: now,
        expiresAt: new Date(now.getTime() + input.expires_in_seconds * 1000),
        closedAt: null,
      } as const;
      await insertHold(tx, hold);
      return toHold(hold);
    });
  },
});

const tooMany = (): Refusal =>
  refuse('state_conflict', 'As much is set aside as may be at a time. Capture or release a hold first.', {
    details: { holds_max: Number(OPEN_HOLDS_OF_USERS_MAX) },
  });

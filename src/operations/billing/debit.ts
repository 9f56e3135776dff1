import { z } from 'zod';
import { assert, assertNever } from '../../domain/assert.ts';
import {
  POSTING_KINDS,
  liveAccount,
  type AppliedOutcome,
  type DeclinedOutcome,
  type Outcome,
  type PostingRecord,
} from '../../domain/ledger/posting.ts';
import { formatDecimal, micros, parseDecimal, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { capOf } from '../../domain/organisation/cap.ts';
import { applyPostings, ensureSystemAccount } from '../../store/ledger.ts';
import { findPostingParties } from '../../store/wallet.ts';
import { operation, type Actor, type Call } from '../operation.ts';
import { budgetIn, capReached, spenderOf } from '../organisation/spender.ts';
import { amountField, instant, sidField, signedAmount, textField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { statementLineSchema, toStatementLine } from './billing.ts';
import { countMoved, hasDailyLimit } from '../operator/daily-limit.ts';

/** A million dollars at once is a slip of a program, not a price. */
export const DEBIT_MAX = micros(1_000_000_000_000n);
const REVENUE = 'revenue:usage';
/** How far ahead of our clock a caller's may be. */
const FUTURE_MAX_MS = 5 * 60 * 1000;

export const billingDebit = operation({
  name: 'billing.debit',
  summary: 'Take an amount out of a wallet',
  description:
    'Posts to revenue:usage, in one commit with whatever else arrives at that moment. A key that was refused stays refused: after a ' +
    'top-up send the debit with a new key. Users take out of what is theirs, down to nothing and no further; of an ' +
    "organisation's wallet up to their monthly cap.",
  http: { method: 'post', path: '/v1/billings/{sid}/debits', status: 200 },
  rpcMethod: 'BillingService.debit',
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  firstAnswerIn: 'ledger',
  input: z.strictObject({
    sid: sidField,
    amount: amountField,
    description: textField(255),
    occurred_at: instant.optional().describe('When it happened; the present if left out. At most 5 minutes ahead.'),
  }),
  output: z.object({ sid: sidField, entry: statementLineSchema, credit_balance: signedAmount }),
  refusals: [
    'not_found',
    'cap_reached',
    'insufficient_balance',
    'wallet_frozen',
    'amount_out_of_range',
    'rate_limited',
    'unavailable',
  ],
  async run(call, input) {
    const { house } = call;
    const amount = parseDecimal(input.amount);
    if (amount === null || amount === 0n || amount > DEBIT_MAX) return amountOutOfRange();
    const now = house.ports.clock.now();
    const occurredAt = input.occurred_at === undefined ? now : new Date(input.occurred_at);
    if (occurredAt.getTime() > now.getTime() + FUTURE_MAX_MS) return inTheFuture();
    const parties = await findPostingParties(house.db, input.sid, REVENUE);
    if (!parties || !maySee(call.actor, parties.userSid)) return noWallet();
    const spender = await spenderOf(house.db, call.actor, parties.userSid);
    if (isRefusal(spender)) return spender;
    const mark = spender && capOf(spender, parties.wallet, now);
    const revenue = parties.contra ?? (await ensureSystemAccount(house.db, REVENUE, parties.currency));
    const record: PostingRecord = {
      idem: call.idem,
      fingerprint: call.fingerprint,
      kind: 'debit',
      legs: [
        { account: liveAccount(parties.wallet, 'wallet'), amount: micros(-amount) },
        { account: revenue, amount },
      ],
      mayOverdraw: false,
      fromGiven: true,
      passesFreeze: false,
      occurredAt,
      about: JSON.stringify({
        description: input.description,
        actor: call.actor.id,
        request_id: call.requestId,
        ...mark?.about,
      }),
      ...budgetIn(mark),
    };
    const outcome = hasDailyLimit(call) ? await postCounted(call, record, amount) : await house.lanes.post(record);
    return isRefusal(outcome) ? outcome : toAnswer(call, { sid: input.sid, amount }, outcome);
  },
});

/** In a transaction of its own, with the count of what the caller has moved today. A repetition moves nothing. */
function postCounted(call: Call, record: PostingRecord, amount: Micros): Promise<Outcome> {
  const { db, ports } = call.house;
  return db.transaction('billing.debit', async (tx) => {
    const stamp = { batch: ports.ids.batchId(), recordedAt: ports.clock.now() };
    const [outcome] = await applyPostings(tx, [record], stamp);
    assert(outcome !== undefined, 'each record has an outcome');
    if (outcome.kind === 'applied') await countMoved(tx, call, amount);
    return outcome;
  });
}

interface Asked {
  readonly sid: string;
  readonly amount: Micros;
}

function toAnswer(call: Call, asked: Asked, outcome: Outcome) {
  switch (outcome.kind) {
    case 'duplicate':
      call.markReplayed(requestIdOf(outcome.first));
      return toFirstAnswer(call.actor, asked, outcome.first);
    case 'applied':
    case 'declined':
      return toFirstAnswer(call.actor, asked, outcome);
    case 'key_reused':
      return refuse('idempotency_key_reused', 'This Idempotency-Key was used for another debit.');
    case 'unknown_account':
      return noWallet();
    case 'out_of_range':
    case 'over_charge_max':
      return amountOutOfRange();
    case 'over_budget':
      return capReached(outcome.budget);
    default:
      return assertNever(outcome);
  }
}

/** Made from what is stored, so that the tenth repetition reads like the first. */
function toFirstAnswer(actor: Actor, { sid, amount }: Asked, first: AppliedOutcome | DeclinedOutcome) {
  if (first.kind === 'declined') return declined(first.code, amount);
  const [entry] = first.entries;
  assert(entry !== undefined, 'an applied debit has an entry');
  return {
    sid,
    entry: toStatementLine({ ...entry, kind: POSTING_KINDS.debit }, actor.kind === 'user' ? 'owner' : 'operator'),
    credit_balance: formatDecimal(entry.balanceAfter),
  };
}

function requestIdOf(first: AppliedOutcome | DeclinedOutcome): string | null {
  const about = first.kind === 'declined' ? first.about : (first.entries[0]?.about ?? null);
  const facts: unknown = about === null ? null : JSON.parse(about);
  return typeof facts === 'object' && facts !== null && 'request_id' in facts && typeof facts.request_id === 'string'
    ? facts.request_id
    : null;
}

/** What a declined posting is told; the stored code decides, so that a repetition is told the same. */
export function declined(code: DeclinedOutcome['code'], amount: Micros): Refusal {
  return code === 'wallet_frozen'
    ? refuse('wallet_frozen', 'The wallet is frozen: it takes credits, but no debits and no holds.')
    : refuse('insufficient_balance', 'The wallet does not hold enough for this.', {
        details: { amount: formatDecimal(amount) },
      });
}

const noWallet = (): Refusal => refuse('not_found', 'There is no wallet with this sid.');

const amountOutOfRange = (): Refusal =>
  refuse('amount_out_of_range', 'The amount is out of range.', {
    details: { amount_min: '0.000001', amount_max: formatDecimal(DEBIT_MAX) },
  });

const inTheFuture = (): Refusal =>
  refuse('invalid_request', 'The debit lies in the future.', {
    errors: [{ pointer: '#/occurred_at', detail: 'must be at most 5 minutes ahead of now' }],
  });

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { parseDecimal, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { PaymentProvider, ProviderOrder } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { lockAhead } from '../../store/ledger.ts';
import { lockPayment, type PaymentRow } from '../../store/payment.ts';
import { readCreditedAmounts } from '../../store/payment-event.ts';
import { readRefundsOfPayment } from '../../store/refund.ts';
import { readWalletBySid, type WalletRow } from '../../store/wallet.ts';
import type { Call } from '../operation.ts';
import { causeOf } from '../payment/cause.ts';
import { readOrderOf } from '../payment/assigned-part.ts';
import { visiblePayment } from '../payment/get.ts';
import { convergeWhatWentBack } from '../payment/what-went-back.ts';
import { amountField, sidField } from '../schema.ts';
import { amountRefusal, decideNew, type NewRefundPlan } from './decide-new.ts';

/** What is asked for, by `refund.quote` and `refund.create` alike. */
export const newRefundInput = {
  payment_sid: sidField,
  amount: amountField.describe('US dollars as decimal text, whole cents.'),
  destination: z
    .string()
    .regex(/^[0-9]{8,15}$/, 'must be a phone number in international digits, for example 255712345678')
    .optional()
    .describe('Where to, for payments whose money goes back by a payout; see `rail` of the plan.'),
};

export interface NewRefundAsk {
  readonly payment: PaymentRow;
  readonly provider: PaymentProvider;
  readonly amount: Micros;
  readonly destination: string | null;
  readonly truth: ProviderOrder;
}

/**
 * What is asked, and what the provider says of the payment now: refunds and disputes that we have not heard of count.
 *
 * In order: who may, payment, provider, amount, destination, what the provider knows.
 * Throws `ProviderFailure`: without the provider nobody can say what may go back.
 */
export async function askNewRefund(
  call: Call,
  input: { readonly payment_sid: string; readonly amount: string; readonly destination?: string | undefined },
): Promise<NewRefundAsk | Refusal> {
  const { house, actor } = call;
  const payment = await visiblePayment(call, input.payment_sid);
  if ('kind' in payment) return payment;
  if (actor.kind === 'user' && !house.settings.isRefundSelfService)
    return refuse('forbidden', 'Refunds are made by the operator here. Write to them.');
  const provider = house.providers.get(payment.provider);
  if (!provider)
    return refuse('unavailable', 'The provider of this payment is not configured here.', {
      details: { provider: payment.provider },
    });
  const amount = parseDecimal(input.amount);
  const wrong = amountRefusal(amount);
  if (wrong) return wrong;
  assert(amount !== null, 'an amount that is none was refused');
  const isPayout = provider.description.can.refund === 'payout';
  if (isPayout && input.destination === undefined)
    return refuse('invalid_request', 'This money goes back by a payout: say where to.', {
      errors: [{ pointer: '#/destination', detail: 'is required for this provider' }],
    });
  const account = await provider.account();
  if (account.id !== payment.providerAccount || account.isLive !== payment.isLive)
    return refuse('state_conflict', 'This payment was made in another account of the provider than the present one.');
  const truth = payment.orderRef === null ? null : await readOrderOf(provider, payment, payment.orderRef);
  if (truth === null)
    return refuse('state_conflict', 'The provider does not know this payment, so it gives nothing back.');
  return { payment, provider, amount, truth, destination: isPayout ? (input.destination ?? null) : null };
}

/** A refund that may be made, decided under the locks of its payment and its wallet's accounts. */
export interface DecidedRefund {
  readonly payment: PaymentRow;
  readonly wallet: WalletRow;
  readonly plan: NewRefundPlan;
}

/** Takes the locks, brings in what the provider has told, and decides. The caller commits, or rolls back what it only wanted to know. */
export async function decideUnderLocks(tx: Tx, call: Call, ask: NewRefundAsk): Promise<DecidedRefund | Refusal> {
  const { house, actor } = call;
  const payment = await lockPayment(tx, ask.payment.sid);
  assert(payment !== null, 'a payment is never deleted');
  // What was read before somebody else's change says nothing any more.
  if (payment.moves !== ask.payment.moves)
    return refuse('state_conflict', 'The payment has just changed. Look at it again, and then decide.');
  await convergeWhatWentBack(tx, house, { payment, truth: ask.truth, cause: causeOf(call, 'refund') });
  const roles = ['wallet', 'reserved', 'frozen'] as const;
  await lockAhead(
    tx,
    roles.map((role) => liveAccount(payment.wallet, role)),
  );
  const wallet = await readWalletBySid(tx, payment.walletSid);
  assert(wallet !== null, 'a wallet is never deleted');
  const plan = decideNew({
    house,
    actor,
    amount: ask.amount,
    payment,
    wallet,
    refunds: await readRefundsOfPayment(tx, payment.sid),
    truth: ask.truth,
    credited: await readCreditedAmounts(tx, payment.sid),
  });
  return isRefusal(plan) ? plan : { payment, wallet, plan };
}

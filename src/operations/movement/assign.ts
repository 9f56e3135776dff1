import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { MICROS_MAX } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { ProviderOrder } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { bookedFor, readMovement, type MovementRow } from '../../store/movement.ts';
import { insertPayment, lockPayment, type PaymentRow } from '../../store/payment.ts';
import { readWalletBySid, type WalletRow } from '../../store/wallet.ts';
import { operation, type Call } from '../operation.ts';
import { applyTruth } from '../payment/apply-truth.ts';
import { assignedPart } from '../payment/assigned-part.ts';
import { causeOf } from '../payment/cause.ts';
import { sidField, textField } from '../schema.ts';
import { lockUndecided, writeDecision } from './decide.ts';
import { movementSchema, toMovement } from './movement.ts';

export const movementAssign = operation({
  name: 'movement.assign',
  summary: 'Credit unmatched money to the wallet of the user who paid it',
  description:
    'The line becomes a top-up of the wallet, under the key of the payment itself: should the payment turn up in another way, it is not ' +
    'credited twice. What the provider says has gone back of it, or is disputed, is taken back with it, then and later. Only for payments that ' +
    'our books have nothing of.',
  http: { method: 'post', path: '/v1/movements/{sid}/assign', status: 200 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField, wallet_sid: sidField, reason: textField(255) }),
  output: movementSchema,
  refusals: [
    'not_found',
    'state_conflict',
    'currency_not_supported',
    'amount_out_of_range',
    'provider_error',
    'provider_timeout',
  ],
  async run(call, input) {
    const { house } = call;
    const wallet = await readWalletBySid(house.db, input.wallet_sid);
    if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
    const told = await askAbout(call, input.sid);
    return await call.commit(async (tx) => {
      const before = await lockUndecided(tx, input.sid);
      if (isRefusal(before)) return before;
      const refused = await whyNot(tx, before, wallet);
      if (refused) return refused;
      const payment = await creditAs(tx, call, before, { wallet, told });
      if (isRefusal(payment)) return payment;
      const { reason } = input;
      const updatedAt = house.ports.clock.now();
      const decided = { state: 'assigned', booked: before.amount, paymentSid: payment.sid, reason, updatedAt } as const;
      const after: MovementRow = { ...before, ...decided };
      await writeDecision(tx, call, { before, after, action: 'movement.assign' });
      return toMovement(after);
    });
  },
});

interface Told {
  readonly isLive: boolean;
  /** What the provider says of the line's order; null: nothing, or it is none that can be asked about. */
  readonly order: ProviderOrder | null;
}

/**
 * Asked before the transaction: what went back before the line was assigned goes back with it. A provider that was taken out of the
 * configuration cannot be asked: the mode of the house stands in.
 */
async function askAbout(call: Call, sid: string): Promise<Told> {
  const { house } = call;
  const row = await readMovement(house.db, sid);
  const provider = row === null ? undefined : house.providers.get(row.provider);
  if (row === null || provider === undefined) return { isLive: house.settings.mode === 'production', order: null };
  const { isLive } = await provider.account();
  const isAskable = row.kind === 'payment' && row.orderRef !== null;
  return { isLive, order: isAskable ? await provider.readOrder(row.orderRef) : null };
}

async function whyNot(tx: Tx, row: MovementRow, wallet: WalletRow): Promise<Refusal | null> {
  const isNew = row.booked === 0n && (await bookedFor(tx, row)) === null;
  if (row.kind !== 'payment' || row.paymentRef === null || row.amount <= 0n || !isNew)
    return refuse(
      'state_conflict',
      'Only a payment that our books have nothing of can be a top-up; set the rest aside.',
    );
  if (wallet.balance + row.amount > MICROS_MAX)
    return refuse('amount_out_of_range', 'The wallet cannot hold that much.');
  return null;
}

/** A payment whose order is the line itself, credited as any other. Refuses before anything is written. */
async function creditAs(
  tx: Tx,
  call: Call,
  row: MovementRow,
  { wallet, told }: { readonly wallet: WalletRow; readonly told: Told },
): Promise<PaymentRow | Refusal> {
  const { house } = call;
  const now = house.ports.clock.now();
  const sid = house.ports.ids.sid();
  const isInserted = await insertPayment(tx, {
    sid,
    wallet: wallet.id,
    userSid: wallet.userSid,
    provider: row.provider,
    providerAccount: row.providerAccount,
    isLive: told.isLive,
    amount: row.amount,
    currency: row.currency,
    idem: call.idem,
    fingerprint: call.fingerprint,
    createdAt: now,
    expiresAt: now,
    nextCheckAt: null,
    assignedOrderRef: row.orderRef,
  });
  if (!isInserted) return refuse('state_conflict', 'The account of this wallet was deleted: send the money back.');
  const payment = await lockPayment(tx, sid);
  assert(payment !== null && row.paymentRef !== null, 'the payment was just inserted, and its line names one');
  const { paymentRef, movementRef, amount: credited } = row;
  const part = told.order && assignedPart(told.order, { ...payment, orderRef: movementRef, paymentRef, credited });
  const { refunds, disputes } = part?.payments[0] ?? { refunds: [], disputes: [] };
  const truth: ProviderOrder = {
    orderRef: row.movementRef,
    paymentSid: sid,
    userSid: wallet.userSid,
    accountId: row.providerAccount,
    isLive: told.isLive,
    currency: row.currency,
    state: 'paid',
    progress: null,
    payments: [{ paymentRef: row.paymentRef, amount: row.amount, refunds, disputes }],
    checkoutUrl: null,
    expiresAt: null,
  };
  const settled = await applyTruth(tx, house, payment, truth, causeOf(call, 'assign'));
  assert(settled.payment.state === 'credited', 'what could refuse the credit was looked at before');
  return settled.payment;
}

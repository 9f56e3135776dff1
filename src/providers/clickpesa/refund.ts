import { assert } from '../../domain/assert.ts';
import { formatDecimal, isWholeCents } from '../../domain/money.ts';
import { ProviderFailure, type NewRefund, type ProviderRefund } from '../provider.ts';
import { unknownIfFails } from '../unknown-outcome.ts';
import type { ClickPesaApi, WithClickPesa } from './client.ts';
import { paymentReferences, readReference, referenceOf } from './reference.ts';
import type { PayoutRecord } from './shapes.ts';
import { toUsd } from './usd.ts';

/**
 * ClickPesa has no refunds: money goes back as a payout to the number that paid, with a fee of its own.
 *
 * The refund's sid gives the payout its one reference for ever. So a payout is looked for before it is made, and a reference that turns
 * out to be used is looked up: however often an answer is lost, one payout leaves.
 */
export async function refund(using: WithClickPesa, asked: NewRefund): Promise<ProviderRefund> {
  assert(asked.amount > 0n && isWholeCents(asked.amount), 'ClickPesa pays out whole cents');
  const reference = referenceOfRefund(asked);
  return await using('refund', true, async (api) => {
    const earlier = await unknownIfFails(() => api.readPayout(reference));
    if (earlier !== null) return toProviderRefund(earlier, asked);
    const phoneNumber = asked.destination ?? (await payingNumber(api, asked));
    const payout = {
      amount: Number(formatDecimal(asked.amount)),
      phoneNumber,
      currency: 'USD',
      orderReference: reference,
    };
    const made = await api.createPayout(payout);
    if (made !== null) return toProviderRefund(made, asked);
    const found = await unknownIfFails(() => api.readPayout(reference));
    if (found !== null) return toProviderRefund(found, asked);
    throw new ProviderFailure(
      'broken',
      'unknown',
      'ClickPesa used the reference before, and does not show the payout.',
    );
  });
}

export async function readRefund(using: WithClickPesa, asked: NewRefund): Promise<ProviderRefund | null> {
  const record = await using('read-refund', false, (api) => api.readPayout(referenceOfRefund(asked)));
  return record === null ? null : toProviderRefund(record, asked);
}

const referenceOfRefund = ({ refundSid }: NewRefund): string =>
  referenceOf({ names: 'refund', sid: refundSid, attempt: 0 });

/** The number that paid, as ClickPesa holds it. Money goes to no other unless somebody who may says so. */
async function payingNumber(api: ClickPesaApi, { orderRef, paymentRef }: NewRefund): Promise<string> {
  for (const reference of paymentReferences(orderRef)) {
    const payment = (await api.readPayments(reference)).find(({ id }) => id === paymentRef);
    const number = payment?.paymentPhoneNumber ?? payment?.customer?.customerPhoneNumber ?? '';
    if (/^[0-9]{9,15}$/.test(number)) return number;
  }
  throw new ProviderFailure('refused', 'none', 'ClickPesa does not say which number paid; name one to pay out to.');
}

const STATE_OF = {
  AUTHORIZED: 'pending',
  PENDING: 'pending',
  PROCESSING: 'pending',
  SUCCESS: 'succeeded',
  FAILED: 'failed',
  REFUNDED: 'failed',
  REVERSED: 'failed',
} as const;

export function toProviderRefund(record: PayoutRecord, asked: NewRefund | null): ProviderRefund {
  const ours = readReference(record.orderReference);
  const amount = usdOfPayout(record);
  if (amount === null || (asked !== null && amount !== asked.amount)) {
    throw new ProviderFailure('broken', 'unknown', 'ClickPesa pays out another amount than the one asked for.');
  }
  return {
    refundRef: record.id,
    refundSid: ours?.names === 'refund' ? ours.sid : null,
    amount,
    state: STATE_OF[record.status],
    fee: record.currency === 'USD' ? record.fee : null,
    claimUrl: null,
    detail: record.refund?.message ?? record.reverse?.message ?? null,
  };
}

export const stateOfPayout = ({ status }: PayoutRecord): ProviderRefund['state'] => STATE_OF[status];
export const usdOfPayout = ({ amount, currency, exchange }: PayoutRecord) => toUsd(amount, currency, exchange);

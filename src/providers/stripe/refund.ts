import { z } from 'zod';
import { fromCents, micros, MICROS_PER_CENT, type Micros } from '../../domain/money.ts';
import { ProviderFailure, type NewRefund, type ProviderPayment, type ProviderRefund } from '../provider.ts';
import { unknownIfFails } from '../unknown-outcome.ts';
import type { StripeClient } from './client.ts';
import { toStripeCents } from './map.ts';
import { metadataText } from './own-payment.ts';

/** What we read of a refund. Strict where money depends on it: an unknown status is a failure, not a guess. */
export const refundShape = z.object({
  id: z.string().regex(/^(re|pyr)_[A-Za-z0-9_]+$/),
  object: z.literal('refund'),
  amount: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  status: z.enum(['pending', 'requires_action', 'succeeded', 'failed', 'canceled']),
  pending_reason: z.string().max(100).nullish(),
  failure_reason: z.string().max(100).nullish(),
  payment_intent: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  created: z.number().int(),
});
export type StripeRefund = z.infer<typeof refundShape>;

export interface RefundParams {
  readonly payment_intent: string;
  readonly amount: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Both references are on the refund, so that it can be found again when its key has been forgotten: Stripe keeps keys for a day. */
export const toRefundParams = (refund: NewRefund): RefundParams => ({
  payment_intent: refund.paymentRef,
  amount: toStripeCents(refund.amount),
  metadata: { refund_sid: refund.refundSid, payment_sid: refund.paymentSid },
});

/** What a customer was charged for an order, tax included. */
export interface Charged {
  readonly cents: bigint;
  readonly currency: string;
}

/** A payment with everything that went back of it. Neither a session nor an intent tells. */
export async function withRefunds(
  client: Pick<StripeClient, 'listRefunds'>,
  payment: ProviderPayment,
  charged: Charged,
): Promise<ProviderPayment> {
  const refunds = await client.listRefunds(payment.paymentRef);
  return { ...payment, refunds: refunds.map((refund) => toProviderRefund(refund, shareOf(payment, charged))) };
}

/** What of a charge is the customer's credit; the rest of it is tax. Both in cents. */
export interface Share {
  readonly credited: bigint;
  readonly charged: bigint;
  /** Of the order. */
  readonly currency: string;
}

export function shareOf({ amount }: ProviderPayment, { cents: charged, currency }: Charged): Share {
  return { credited: amount === null ? charged : amount / MICROS_PER_CENT, charged, currency };
}

/**
 * Of a refund that somebody made in the dashboard only the part before tax is counted, as only that was credited: all of it for all, a
 * part rounded down to the cent. One of ours says exactly what it gives back.
 */
function toProviderRefund(refund: StripeRefund, share: Share): ProviderRefund {
  if (refund.currency.toLowerCase() !== share.currency.toLowerCase())
    throw new ProviderFailure('broken', 'none', 'Stripe tells of a refund in another currency than the order.');
  const refundSid = metadataText(refund.metadata, 'refund_sid');
  return {
    refundRef: refund.id,
    refundSid,
    amount: refundSid === null ? beforeTax(refund.amount, share) : fromCents(refund.amount),
    state: STATES[refund.status],
    fee: null,
    claimUrl: null,
    detail: detailOf(refund),
  };
}

export function beforeTax(cents: number, { credited, charged }: Share): Micros {
  if (charged <= credited) return fromCents(cents);
  return micros(((BigInt(cents) * credited) / charged) * MICROS_PER_CENT);
}

const STATES = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
} as const;

/** Stripe's own words are short codes; as sentences they are for people. */
function detailOf({ status, pending_reason, failure_reason }: StripeRefund): string | null {
  if (status === 'requires_action') return 'Stripe waits for the customer to say where the money shall go.';
  if (status === 'canceled') return 'The refund was cancelled at Stripe.';
  const reason = status === 'pending' ? pending_reason : status === 'failed' ? failure_reason : null;
  if (reason === 'insufficient_funds' && status === 'pending')
    return 'Stripe waits until our balance there is large enough.';
  return reason === null || reason === undefined ? null : `Stripe says: ${reason.replaceAll('_', ' ')}.`;
}

const NO_TAX: Share = { credited: 1n, charged: 1n, currency: 'usd' };

/**
 * Makes a refund, or finds the one that was made with the same sid: first in the list, for ever; then by the key, for a day, which is what
 * two attempts at the same moment are told apart by.
 */
export async function makeRefund(client: StripeClient, refund: NewRefund): Promise<ProviderRefund> {
  const found = await unknownIfFails(() => findOwn(client, refund));
  return ownRefund(found ?? (await client.createRefund(toRefundParams(refund), refund.refundSid)), refund);
}

/** Stripe's truth about a refund of ours; null: it has none. */
export async function readOwnRefund(
  client: StripeClient,
  refund: NewRefund & { readonly refundRef: string | null },
): Promise<ProviderRefund | null> {
  const byRef = refund.refundRef === null ? null : await client.readRefund(refund.refundRef);
  const found = byRef ?? (await findOwn(client, refund));
  return found === null ? null : ownRefund(found, refund);
}

async function findOwn(client: StripeClient, { paymentRef, refundSid }: NewRefund): Promise<StripeRefund | null> {
  const all = await client.listRefunds(paymentRef);
  return all.find(({ metadata }) => metadataText(metadata, 'refund_sid') === refundSid) ?? null;
}

/** It must be the one we asked for, of the payment we asked about: money must not follow another one. */
function ownRefund(made: StripeRefund, { refundSid, paymentRef }: NewRefund): ProviderRefund {
  const isOurs = metadataText(made.metadata, 'refund_sid') === refundSid && made.payment_intent === paymentRef;
  if (!isOurs)
    throw new ProviderFailure('broken', 'unknown', 'Stripe answered with another refund than the one asked for.');
  return toProviderRefund(made, NO_TAX);
}

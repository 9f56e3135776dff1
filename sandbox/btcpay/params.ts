import { z } from 'zod';
import { invalid } from './api-error.ts';
import type { Books, Invoice, PayoutState, PullPayment } from './books.ts';
import { centsFor, parseCents, parseSats } from './coin.ts';
import type { NewInvoice } from './invoices.ts';
import { CONFIRMATIONS_BY_SPEED } from './objects.ts';
import type { Claim, NewPullPayment } from './refunds.ts';

/** Amounts may be written as text or as a number, as BTCPay Server reads both. */
const amount = z.union([z.string(), z.number()]);
const seconds = z.number().int().nullish();
const method = z.enum(['BTC-CHAIN', 'BTC-LN']);

const invoiceSchema = z.object({
  amount,
  currency: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  checkout: z
    .object({
      speedPolicy: z.enum(['HighSpeed', 'MediumSpeed', 'LowMediumSpeed', 'LowSpeed']).nullish(),
      expirationMinutes: z.number().min(0.5, 'Expiration time must be at least 30 seconds').nullish(),
      monitoringMinutes: z.number().min(0).nullish(),
      paymentTolerance: z.number().min(0).max(100).nullish(),
      redirectURL: z.string().nullish(),
      redirectAutomatically: z.boolean().nullish(),
    })
    .nullish(),
});

export function readInvoice(body: unknown): NewInvoice {
  const asked = invoiceSchema.parse(body);
  const amountCents = parseCents(asked.amount);
  if (amountCents === null || amountCents === 0) throw invalid('amount', 'The amount should be more than 0.');
  const { checkout } = asked;
  return {
    amountCents,
    currency: asked.currency ?? 'USD',
    metadata: asked.metadata ?? {},
    confirmations: CONFIRMATIONS_BY_SPEED[checkout?.speedPolicy ?? 'MediumSpeed'] ?? 1,
    expirationMinutes: checkout?.expirationMinutes ?? 15,
    monitoringMinutes: checkout?.monitoringMinutes ?? 1440,
    redirectUrl: checkout?.redirectURL ?? null,
    redirectsByItself: checkout?.redirectAutomatically ?? false,
  };
}

const pullPaymentSchema = z.object({
  name: z.string().max(50, 'The name should be maximum 50 characters.').nullish(),
  description: z.string().nullish(),
  amount,
  currency: z.enum(['USD', 'BTC'], 'Invalid currency'),
  autoApproveClaims: z.boolean().nullish(),
  startsAt: seconds,
  expiresAt: seconds,
});

export function readPullPayment(body: unknown): Omit<NewPullPayment, 'invoiceId'> {
  const asked = pullPaymentSchema.parse(body);
  return {
    name: asked.name ?? '',
    description: asked.description ?? '',
    currency: asked.currency,
    amount: readAmount(asked.amount, asked.currency),
    approvesClaims: asked.autoApproveClaims ?? false,
    startsAt: asked.startsAt ?? null,
    expiresAt: asked.expiresAt ?? null,
  };
}

const refundSchema = z.object({
  name: z.string().nullish(),
  description: z.string().nullish(),
  refundVariant: z.enum(['RateThen', 'CurrentRate', 'Fiat', 'Custom'], '`refundVariant` is mandatory'),
  customAmount: amount.nullish(),
  customCurrency: z.enum(['USD', 'BTC'], 'Invalid currency').nullish(),
});

/** A refund as the merchant's own page makes it: what was paid, in coins or in dollars, or another amount. */
export function readRefund(body: unknown, invoice: Invoice, books: Books): Omit<NewPullPayment, 'invoiceId'> {
  const asked = refundSchema.parse(body);
  const counted = books.paymentsOf(invoice).filter((payment) => payment.status !== 'Invalid');
  const paid = counted.reduce((sum, payment) => sum + payment.sats - payment.feeSats, 0);
  const custom = asked.customCurrency ?? 'USD';
  const inCoin = asked.refundVariant === 'RateThen' || asked.refundVariant === 'CurrentRate';
  const isCustom = asked.refundVariant === 'Custom';
  return {
    name: asked.name ?? `Refund ${invoice.id}`,
    description: asked.description ?? '',
    currency: isCustom ? custom : inCoin ? 'BTC' : 'USD',
    amount: isCustom ? readAmount(asked.customAmount, custom) : inCoin ? paid : centsFor(paid, invoice.rateCents),
    approvesClaims: inCoin,
    startsAt: null,
    expiresAt: null,
  };
}

const claimSchema = z.object({
  destination: z.string().min(1),
  amount: amount.nullish(),
  payoutMethodId: method.default('BTC-CHAIN'),
});

export function readClaim(body: unknown, { currency }: PullPayment): Claim {
  const asked = claimSchema.parse(body);
  return {
    destination: asked.destination,
    method: asked.payoutMethodId,
    amount: asked.amount === null || asked.amount === undefined ? null : readAmount(asked.amount, currency),
  };
}

export const readPayoutState = (body: unknown): PayoutState =>
  z.object({ state: z.enum(['AwaitingPayment', 'InProgress', 'Completed', 'Cancelled']) }).parse(body).state;

function readAmount(text: unknown, currency: 'USD' | 'BTC'): number {
  const read = currency === 'USD' ? parseCents(text) : parseSats(text);
  if (read === null || read === 0) throw invalid('amount', 'The amount should more than 0.');
  return read;
}

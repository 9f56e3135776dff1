import { z } from 'zod';
import { parseExact, type Exact } from './amount.ts';

/**
 * What we read of BTCPay Server's answers. Strict where money depends on it: an unknown status, or an amount that is not plain decimal
 * text, is a failure and not a guess.
 */
const exact = z.string().transform((text, context): Exact => {
  const read = parseExact(text);
  if (read !== null) return read;
  context.addIssue({ code: 'custom', message: 'is not a decimal number' });
  return z.NEVER;
});
const seconds = z
  .number()
  .int()
  .nonnegative()
  .transform((value) => new Date(value * 1000));
/** Browsers are sent there. */
const webUrl = z.url({ protocol: /^https?$/ });
const id = z.string().regex(/^[A-Za-z0-9]{8,64}$/);

export const storeShape = z.object({ id });

export const invoiceShape = z.object({
  id,
  storeId: z.string(),
  amount: exact,
  currency: z.string().regex(/^[A-Za-z0-9]{2,10}$/),
  checkoutLink: webUrl,
  createdTime: seconds,
  expirationTime: seconds,
  status: z.enum(['New', 'Processing', 'Expired', 'Invalid', 'Settled']),
  additionalStatus: z.enum(['None', 'PaidLate', 'PaidPartial', 'Marked', 'Invalid', 'PaidOver']),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});
export type Invoice = z.infer<typeof invoiceShape>;

const paymentShape = z.object({
  /** `<transaction>-<output>` on a chain, the payment hash on Lightning. */
  id: z.string().regex(/^[A-Za-z0-9._:-]{8,128}$/),
  receivedDate: seconds,
  value: exact,
  fee: exact,
  status: z.enum(['Invalid', 'Processing', 'Settled']),
});
export type CoinPayment = z.infer<typeof paymentShape>;

export const methodShape = z.object({
  paymentMethodId: z.string().regex(/^[A-Za-z0-9-]{2,40}$/),
  currency: z
    .string()
    .regex(/^[A-Za-z0-9]{2,10}$/)
    .nullish(),
  destination: z.string().nullish(),
  /** Null: what it says is no rate ("NaN", "-1"). Nothing is converted by it. */
  rate: z.string().transform(parseExact),
  activated: z.boolean().nullish(),
  payments: z.array(paymentShape),
});
export type Method = z.infer<typeof methodShape>;

export const pullPaymentShape = z.object({
  id,
  name: z.string().nullish(),
  description: z.string().nullish(),
  currency: z.string(),
  amount: exact,
  archived: z.boolean(),
  expiresAt: seconds.nullish(),
  viewLink: webUrl,
});
export type PullPayment = z.infer<typeof pullPaymentShape>;

export const payoutShape = z.object({
  id,
  pullPaymentId: z.string().nullish(),
  date: seconds,
  originalCurrency: z.string(),
  originalAmount: exact,
  state: z.enum(['AwaitingApproval', 'AwaitingPayment', 'InProgress', 'Completed', 'Cancelled']),
});
export type Payout = z.infer<typeof payoutShape>;

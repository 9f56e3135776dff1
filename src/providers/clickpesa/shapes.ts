import { z } from 'zod';
import { parseDecimal, type Micros } from '../../domain/money.ts';
import { ProviderFailure } from '../provider.ts';

/** Money as ClickPesa writes it: text, or the digits of a number (`exact-json.ts`). More than six decimals is not money. */
const decimal = z.string().transform((text, context): Micros => {
  // Old answers pad with zeros; a float may carry a tail of them.
  const amount = parseDecimal(text.replace(/(\.[0-9]{6})0+$/, '$1'));
  if (amount !== null) return amount;
  context.addIssue('is not a decimal amount');
  return z.NEVER;
});
const absent = <T extends z.ZodType>(shape: T) => shape.nullish().transform((value) => value ?? null);
const text = z.string().max(1_000);
const reference = z.string().min(1).max(100);
const instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value));
const currency = z.string().regex(/^[A-Z]{3}$/);

/** Two official pages list different ones; these are all of both. */
export const PAYMENT_STATUSES = [
  'PENDING',
  'PROCESSING',
  'ON-HOLD',
  'SUCCESS',
  'SETTLED',
  'FAILED',
  'REFUNDED',
  'REVERSED',
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** `sourceAmount` of the source currency was changed into the target currency at `rate`. */
const exchange = z.object({
  sourceCurrency: currency,
  targetCurrency: currency,
  sourceAmount: decimal,
  rate: z.string(),
});
export type Exchange = z.infer<typeof exchange>;

const customer = z.object({ customerPhoneNumber: absent(text) });

/** One try to pay a link. Strict where money depends on it: an unknown status is a failure, not a guess. */
export const paymentShape = z.object({
  id: reference,
  status: z.enum(PAYMENT_STATUSES),
  orderReference: reference,
  collectedAmount: absent(decimal),
  collectedCurrency: absent(currency),
  paymentPhoneNumber: absent(text),
  customer: absent(customer),
  // A hint for conversion: without a whole one nothing is converted.
  exchange: absent(exchange).catch(null),
  createdAt: instant,
  updatedAt: instant,
});
export type PaymentRecord = z.infer<typeof paymentShape>;

export const payoutShape = z.object({
  id: reference,
  status: z.enum(['AUTHORIZED', 'PENDING', 'PROCESSING', 'SUCCESS', 'FAILED', 'REFUNDED', 'REVERSED']),
  orderReference: reference,
  amount: decimal,
  currency,
  fee: absent(decimal),
  // A hint for conversion: without a whole one nothing is converted.
  exchange: absent(exchange).catch(null),
  notes: absent(text),
  refund: absent(z.object({ message: absent(text) })),
  reverse: absent(z.object({ message: absent(text) })),
  createdAt: instant,
  updatedAt: instant,
});
export type PayoutRecord = z.infer<typeof payoutShape>;

export const linkShape = z.object({ checkoutLink: z.url({ protocol: /^https?$/ }) });

/** A list's rows are checked one by one by whoever knows which are ours. */
export const listShape = z.object({
  data: z.array(z.looseObject({ orderReference: reference })),
  totalCount: z.coerce.number().int().nonnegative(),
});

/** Refuses an answer that is not what we asked for: money must not depend on a guess. */
export function checked<S extends z.ZodType>(
  shape: S,
  answer: unknown,
  outcome: ProviderFailure['outcome'],
): z.output<S> {
  const read = shape.safeParse(answer);
  if (read.success) return read.data;
  const fields = read.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ');
  throw new ProviderFailure('broken', outcome, `ClickPesa's answer has the wrong shape (${fields}).`);
}

/** A decimal of any precision as a fraction of two integers; null when it is none, or zero. */
export function fractionOf(decimalText: string): { readonly above: bigint; readonly below: bigint } | null {
  const [, whole, fraction = ''] = /^([0-9]{1,15})(?:\.([0-9]{1,15}))?$/.exec(decimalText) ?? [];
  if (whole === undefined) return null;
  const above = BigInt(whole + fraction);
  return above === 0n ? null : { above, below: 10n ** BigInt(fraction.length) };
}

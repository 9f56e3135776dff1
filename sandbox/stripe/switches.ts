import { z } from 'zod';

export const FAULT_KINDS = [
  /** 500, nothing was done. */
  'error-before-effect',
  /** 500 on the way back: it was done, and the idempotency key remembers the true answer. */
  'error-after-effect',
  /** 500 that the idempotency key remembers and repeats, although it was done. */
  'error-stored',
  /** No answer at all; nothing was done, or it was. */
  'timeout-before-effect',
  'timeout-after-effect',
  /** The connection is cut: before the answer, or in the middle of its body. */
  'reset-after-effect',
  'reset-in-body',
  /** A few bytes of the answer, and then silence. */
  'hang-in-body',
  /** 429, with `retryAfterSeconds` if given. */
  'rate-limit',
  /** 409 as while the first request with the same key still runs. */
  'conflict',
  /** It was done, but the answer is: */
  'html',
  'empty-object',
  'truncated',
  'huge',
  'wrong-content-type',
  'redirect',
  'other-object',
] as const;

export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many requests it hits; absent: all until the switches are reset. */
  times: z.number().int().positive().optional(),
  method: z.enum(['GET', 'POST']).optional(),
  /** Only requests whose path begins so. */
  path: z.string().startsWith('/v1/').optional(),
  retryAfterSeconds: z.number().nonnegative().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

export const switchesSchema = z.strictObject({
  /** Where events go; null: nowhere. */
  webhookUrl: z.url().nullable(),
  webhookSecret: z.string(),
  /** Further copies of each event. */
  duplicates: z.number().int().min(0).max(100),
  /** Before the first attempt of each delivery. */
  delayMs: z.number().nonnegative(),
  /** The share of deliveries that never leave: 1 loses all. The events still exist, as undelivered. */
  lossRate: z.number().min(0).max(1),
  /** Above 1: events wait until so many have come together, and leave in reverse. `flush` sends what still waits. */
  reorderWindow: z.number().int().min(1).max(1000),
  /** Time from a delayed payment's completion to its money, or failure. */
  settleAfterMs: z.number().nonnegative(),
  /** What becomes of refunds: gone at once · under way for ever, or until `settleAfterMs` · gone, and back after it. */
  refundsAs: z.enum(['succeeded', 'pending', 'later-succeeds', 'later-fails', 'fails-later']),
  /** What is kept of each charge: 2.9 % and 30 cents, or nothing. */
  takesFees: z.boolean(),
  /** What there is to refund from; a larger refund waits as pending. Null: always enough. */
  balanceCents: z.number().int().nonnegative().nullable(),
  /** Every API request takes at least so long; a second one with the same key gets 409 meanwhile. */
  apiDelayMs: z.number().nonnegative(),
  /** On top of, or off, every new session's amount. */
  taxCents: z.number().int().nonnegative(),
  discountCents: z.number().int().nonnegative(),
  /** What payments and events say instead of the truth, from the moment a customer pays. */
  wrong: z.strictObject({
    amountCents: z.number().int().nonnegative().optional(),
    currency: z
      .string()
      .regex(/^[a-z]{3}$/)
      .optional(),
    livemode: z.boolean().optional(),
    /** Put into events as `account`. */
    account: z.string().startsWith('acct_').optional(),
    /** Answered by GET /v1/account. */
    apiAccount: z.string().startsWith('acct_').optional(),
  }),
  faults: z.array(faultSchema),
});
export type Switches = z.infer<typeof switchesSchema>;
export type SwitchChanges = { readonly [Name in keyof Switches]?: Switches[Name] | undefined };

export const CALM: Omit<Switches, 'webhookUrl' | 'webhookSecret'> = {
  duplicates: 0,
  delayMs: 0,
  lossRate: 0,
  reorderWindow: 1,
  settleAfterMs: 5_000,
  refundsAs: 'succeeded',
  takesFees: true,
  balanceCents: null,
  apiDelayMs: 0,
  taxCents: 0,
  discountCents: 0,
  wrong: {},
  faults: [],
};

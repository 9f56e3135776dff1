import { z } from 'zod';

export const FAULT_KINDS = [
  /** 500, nothing was done. */
  'error-before-effect',
  /** 500 on the way back: it was done. */
  'error-after-effect',
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
  /** 503 of a proxy, as while the server is restarted. */
  'down',
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
  method: z.enum(['GET', 'POST', 'DELETE']).optional(),
  /** Only requests whose path begins so. */
  path: z.string().startsWith('/api/v1/').optional(),
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
  /** The share of deliveries that never leave: 1 loses all. */
  lossRate: z.number().min(0).max(1),
  /** Above 1: events wait until so many have come together, and leave in reverse. `flush` sends what still waits. */
  reorderWindow: z.number().int().min(1).max(1000),
  /** Every API request takes at least so long. */
  apiDelayMs: z.number().nonnegative(),
  /** From a payment made on the page to its last confirmation; null: only when told. */
  confirmAfterMs: z.number().nonnegative().nullable(),
  /** From a claim made on the page to its payout; null: only when told. */
  payOutAfterMs: z.number().nonnegative().nullable(),
  /** Of new invoices and new claims: cents for one coin. */
  rateCents: z.number().int().positive(),
  /** The rate source answers nothing: no payment method can be offered. */
  isRateMissing: z.boolean(),
  /** What payments cost the customer on top, per payment and in sats: the merchant passes network fees on. */
  networkFeeSats: z.number().int().nonnegative(),
  /** What answers say instead of the truth. */
  wrong: z.strictObject({
    /** Of new invoices. */
    amountCents: z.number().int().nonnegative().optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3,5}$/)
      .optional(),
    /** Of every payment method. */
    rate: z.string().optional(),
    /** Of the store and every invoice and event. */
    storeId: z.string().optional(),
  }),
  /** Which chain the addresses of new invoices are for. */
  chain: z.enum(['regtest', 'testnet', 'mainnet']),
  faults: z.array(faultSchema),
});
export type Switches = z.infer<typeof switchesSchema>;
export type SwitchChanges = { readonly [Name in keyof Switches]?: Switches[Name] | undefined };

export const CALM: Omit<Switches, 'webhookUrl' | 'webhookSecret'> = {
  duplicates: 0,
  delayMs: 0,
  lossRate: 0,
  reorderWindow: 1,
  apiDelayMs: 0,
  confirmAfterMs: 5_000,
  payOutAfterMs: 5_000,
  rateCents: 6_439_223,
  isRateMissing: false,
  networkFeeSats: 0,
  wrong: {},
  chain: 'regtest',
  faults: [],
};

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
  'hang-in-body',
  /** 429, with `retryAfterSeconds` if given. */
  'rate-limit',
  /** 401 as if the token had ended. */
  'unauthorized',
  /** It was done, but the answer is: */
  'html',
  'empty-object',
  'truncated',
  'huge',
  'redirect',
  'other-object',
] as const;

export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many requests it hits; absent: all until the switches are reset. */
  times: z.number().int().positive().optional(),
  method: z.enum(['GET', 'POST']).optional(),
  /** Only requests whose path below `/third-parties` begins so. */
  path: z.string().startsWith('/').optional(),
  retryAfterSeconds: z.number().int().nonnegative().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

export const switchesSchema = z.strictObject({
  /** Where events go; null: nowhere. */
  webhookUrl: z.url().nullable(),
  /** Further copies of each event. */
  duplicates: z.number().int().min(0).max(100),
  /** Before the first attempt of each delivery. */
  delayMs: z.number().nonnegative(),
  /** The share of deliveries that never leave: 1 loses all. */
  lossRate: z.number().min(0).max(1),
  /** Above 1: events wait until so many have come together, and leave in reverse. */
  reorderWindow: z.number().int().min(1).max(1000),
  /** From the approval on the phone to the money, and from a payout's order to its end. */
  settleAfterMs: z.number().nonnegative(),
  /** Every API request takes at least so long. */
  apiDelayMs: z.number().nonnegative(),
  /** Nobody answers: every connection is cut. */
  isDown: z.boolean(),
  /** Requests must carry a checksum; and whether the method of before 2026 is good enough. */
  enforcesChecksum: z.boolean(),
  allowsLegacy: z.boolean(),
  /** How webhooks are written, and whether they carry a checksum. */
  webhookShape: z.enum(['current', 'old']),
  webhookChecksum: z.enum(['canonical', 'legacy', 'none']),
  /** How amounts and messages are written in answers. */
  amounts: z.enum(['number', 'text']),
  messages: z.enum(['text', 'list']),
  /** What mobile money of a USD link is collected in: dollars, or shillings with or without the exchange being told. */
  collects: z.enum(['USD', 'TZS', 'TZS-untold']),
  /** Shillings for a dollar, as decimal text. */
  rate: z.string().regex(/^[0-9]+(\.[0-9]+)?$/),
  /** What the next payments collect instead of what was asked, in hundredths of the collected currency. */
  collectsHundredths: z.number().int().nonnegative().nullable(),
  /** What a payout costs, in cents. */
  payoutFeeCents: z.number().int().nonnegative(),
  /** A second payout of the same amount to the same number is refused for so long. */
  cooldownMs: z.number().nonnegative(),
  faults: z.array(faultSchema),
});
export type Switches = z.infer<typeof switchesSchema>;
export type SwitchChanges = { readonly [Name in keyof Switches]?: Switches[Name] | undefined };

export const CALM: Omit<Switches, 'webhookUrl'> = {
  duplicates: 0,
  delayMs: 0,
  lossRate: 0,
  reorderWindow: 1,
  settleAfterMs: 3_000,
  apiDelayMs: 0,
  isDown: false,
  enforcesChecksum: true,
  allowsLegacy: false,
  webhookShape: 'current',
  webhookChecksum: 'canonical',
  amounts: 'number',
  messages: 'text',
  collects: 'USD',
  rate: '2500',
  collectsHundredths: null,
  payoutFeeCents: 50,
  cooldownMs: 60_000,
  faults: [],
};

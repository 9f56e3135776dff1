import { z } from 'zod';

export const FAULT_KINDS = [
  /** 500, and nothing was done, or it was. */
  'error-before-effect',
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
  /** It was done, but the answer is: */
  'html',
  'empty-object',
  'truncated',
  'huge',
  'redirect',
  'other-vm',
] as const;

export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many requests it hits; absent: all until the switches are reset. */
  times: z.number().int().positive().optional(),
  method: z.enum(['GET', 'PUT', 'POST', 'DELETE']).optional(),
  /** Only requests whose path begins so. */
  path: z.string().startsWith('/v1/').optional(),
  retryAfterSeconds: z.number().nonnegative().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

export const switchesSchema = z.strictObject({
  /** Every API request takes at least so long, before anything is done. */
  apiDelayMs: z.number().nonnegative(),
  /** From a VM's making until it runs. */
  bootMs: z.number().nonnegative(),
  /** Null: it boots. Else new VMs fail with this sentence once their time is over. */
  bootProblem: z.string().nullable(),
  /** From the order to take a VM back until its place is clean; null: never. */
  cleanMs: z.number().nonnegative().nullable(),
  /** VMs that there may be at once. */
  places: z.number().int().nonnegative(),
  /** Each making makes a second VM under the same sid, which no answer but the list speaks of. */
  createsTwice: z.boolean(),
  /** What is made from now on is forgotten as soon as it is answered. */
  forgets: z.boolean(),
  /** 404 for the list: a back end may have none. */
  hasList: z.boolean(),
  /** Nobody answers: every connection is cut. */
  isDown: z.boolean(),
  faults: z.array(faultSchema),
});
export type Switches = z.infer<typeof switchesSchema>;

export const calm = (): Switches => ({
  apiDelayMs: 0,
  bootMs: 0,
  bootProblem: null,
  cleanMs: 0,
  places: 1_000,
  createsTwice: false,
  forgets: false,
  hasList: true,
  isDown: false,
  faults: [],
});

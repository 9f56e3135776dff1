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
  'hang-in-body',
  /** It was done, but the answer is: */
  'html',
  'empty-object',
  'truncated',
  'huge',
  'redirect',
] as const;

export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many requests it hits; absent: all until the switches are reset. */
  times: z.number().int().positive().optional(),
  method: z.enum(['GET', 'POST']).optional(),
  /** Only requests whose path below `/api/v1` begins so. */
  path: z.string().startsWith('/').optional(),
});
export type Fault = z.infer<typeof faultSchema>;

export const switchesSchema = z.strictObject({
  /** From one node to another. */
  delayMs: z.number().nonnegative(),
  /** The share of messages that never arrive: 1 loses all. */
  lossRate: z.number().min(0).max(1),
  /** Further copies of each message. */
  duplicates: z.number().int().min(0).max(100),
  /** Whether a node's key is known at once, only after something was sent to it, or never (404). */
  knowsKeys: z.enum(['always', 'once-sent-to', 'never']),
  /** Messages arrive with the key and the address of a node that has not sent them. */
  sourceKey: z.enum(['true', 'of-another']),
  /** The field of the key's look-up: as the daemon writes it, or as its specification has it. */
  keyField: z.enum(['publicKey', 'NodePubKey']),
  /** Nobody answers: every connection is cut. */
  isDown: z.boolean(),
  faults: z.array(faultSchema),
});
export type Switches = z.infer<typeof switchesSchema>;

export const calm = (): Switches => ({
  delayMs: 0,
  lossRate: 0,
  duplicates: 0,
  knowsKeys: 'always',
  sourceKey: 'true',
  keyField: 'publicKey',
  isDown: false,
  faults: [],
});

import { z } from 'zod';
import { idTokenSchema } from './login/id-token.ts';

/**
 * forgejo: a stale `sha` is 409. forgejo_old: 422. gitea: 422. odd: 400, as some answer for a deleted file.
 * The sentences differ too; a client must not look at them.
 */
export const DIALECTS = ['forgejo', 'forgejo_old', 'gitea', 'odd'] as const;
export type Dialect = (typeof DIALECTS)[number];

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
  /** 429, with `retryAfterSeconds` if given. */
  'rate-limit',
  /** Before it is done, somebody else writes the same files: their content with one more record. */
  'rival',
  /** It was done, but the answer is: */
  'html',
  'empty-object',
  'truncated',
  'truncated-content',
  'huge',
  'redirect',
] as const;

export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many requests it hits; absent: all until the switches are reset. */
  times: z.number().int().positive().optional(),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).optional(),
  /** Only requests whose path holds this. */
  path: z.string().optional(),
  retryAfterSeconds: z.number().nonnegative().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

export const switchesSchema = z.strictObject({
  dialect: z.enum(DIALECTS),
  /** Whether several files can be written in one commit; an old release answers 404. */
  hasManyFiles: z.boolean(),
  /** Whether the issuer's address ends with a slash: Gitea keeps that of its root address, Forgejo trims it. */
  hasIssuerSlash: z.boolean(),
  /** What sign-ins get. */
  idToken: idTokenSchema,
  faults: z.array(faultSchema),
});
export type Switches = z.infer<typeof switchesSchema>;

export const calm = (): Switches => ({
  dialect: 'forgejo',
  hasManyFiles: true,
  hasIssuerSlash: false,
  idToken: 'right',
  faults: [],
});

import { z } from 'zod';
import { DECIMAL_PATTERN } from '../domain/money.ts';

/** The fields that many operations share, described once. Money is never a JSON number with a fraction. */

/** 26 characters of Crockford base 32, as our ids are written. */
export const SID_FORM = /^[0-9A-HJKMNP-TV-Z]{26}$/;

export const sidField = z
  .string()
  .regex(SID_FORM, 'must be a sid: 26 characters, for example 01JD9ZQ4T2V6M0F8K3A5B7C9D1')
  .describe('A ULID.');

/** Parse with `parseDecimal`, which accepts exactly this grammar. */
export const amountField = z
  .string()
  .regex(DECIMAL_PATTERN, 'must be a decimal number of dollars as text, for example "25.00"')
  .describe('US dollars as decimal text, at most six decimals.');

/** An amount in an answer: may be negative. */
export const signedAmount = z
  .string()
  .regex(/^-?(0|[1-9][0-9]*)\.[0-9]{2,6}$/)
  .describe('US dollars as decimal text.');

export const centsField = z.int().describe('Whole US cents; may be negative.');

export const instant = z.iso.datetime().describe('ISO 8601, UTC.');

// oxlint-disable-next-line no-control-regex -- refusing control characters is what this is for
export const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** Text that people read: 1 to `max` code points, no control characters. PostgreSQL cannot store NUL. */
export const textField = (max: number) =>
  z
    .string()
    .refine((text) => text.trim().length > 0, 'must not be empty')
    .refine((text) => [...text].length <= max, `must be at most ${max} characters`)
    .refine((text) => !CONTROL_CHARACTERS.test(text), 'must not contain control characters')
    .meta({ minLength: 1, maxLength: max });

export const searchField = textField(100).optional().describe('Finds the text anywhere in a name or sid.');

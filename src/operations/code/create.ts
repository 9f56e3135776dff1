import { z } from 'zod';
import {
  newCodeWord,
  NEW_CODE_BYTES,
  readCode,
  CODE_LETTERS_MIN,
  CODE_LETTERS_MAX,
  CODE_TYPED_MAX,
} from '../../domain/code/form.ts';
import { formatDecimal, isWholeCents, micros, parseDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { insertCode, type CodeRow } from '../../store/code.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { amountField, instant, textField } from '../schema.ts';
import { codeSchema, toCode } from './code.ts';

/** More for one use is a slip of the keyboard, or a matter for grant.give, which asks for a reason. */
const AMOUNT_MAX = micros(1_000_000_000n);
const USES_MAX = 1_000_000;
const DAYS_MAX = 3_650;

const input = z.strictObject({
  code: z
    .string()
    .max(CODE_TYPED_MAX)
    .optional()
    .describe(
      `${CODE_LETTERS_MIN} to ${CODE_LETTERS_MAX} letters and digits of ASCII, with hyphens between if you like: WELCOME-2026. Made up if left out.`,
    ),
  description: textField(100).describe('What its user reads on the statement: Welcome to the fair.'),
  amount: amountField.describe('The credit of one use: US dollars as decimal text, whole cents.'),
  credit_days: z
    .int()
    .min(1)
    .max(DAYS_MAX)
    .optional()
    .describe('How long that credit lasts. Left out: it does not end.'),
  valid_from: instant.optional().describe('Now if left out.'),
  valid_until: instant.optional().describe('From then on nobody redeems it. Left out: until it is closed or used up.'),
  uses_max: z.int().min(1).max(USES_MAX).describe('How often in all.'),
  uses_per_user_max: z.int().min(1).max(100).default(1).describe('How often by one person, and for one wallet.'),
  is_for_new_customers: z.boolean().default(false).describe('Only for who has never paid.'),
  lifetime_paid_min: amountField.default('0').describe('What must have been paid into the wallet before.'),
});

export const codeCreate = operation({
  name: 'code.create',
  summary: 'Make a promo code that gives credit to whoever redeems it',
  description:
    'The credit is given, not paid: it is spent before paid money, is never refunded, and counts in no lifetime_paid. Without `code` one is made ' +
    'up that nobody guesses; one of your own can be guessed as far as its words can. What it can give in all is in `given_max`: it is an ' +
    'obligation from now on. A code is never edited: close it and make another.',
  http: { method: 'post', path: '/v1/codes', status: 201 },
  access: 'operator',
  right: 'configure',
  idempotency: 'optional',
  input,
  output: codeSchema,
  refusals: ['amount_out_of_range', 'state_conflict'],
  async run(call, wish) {
    const { house } = call;
    const now = house.ports.clock.now();
    const terms = readTerms(wish, now);
    if (isRefusal(terms)) return terms;
    const typed = wish.code ?? newCodeWord(house.ports.random.bytes(NEW_CODE_BYTES));
    const form = readCode(typed);
    if (form === null)
      return invalid('code', `must have ${CODE_LETTERS_MIN} to ${CODE_LETTERS_MAX} letters and digits`);
    const sid = house.ports.ids.sid();
    const code = { sid, ...form, ...terms, createdAt: now, createdBy: call.actor.id };
    return await call.commit(async (tx) => {
      if (!(await insertCode(tx, code))) return isTaken();
      const made = toCode({ ...code, uses: 0, closedAt: null }, now);
      const { created_by: _by, created_at: _at, closed_at: _closed, state: _state, ...after } = made;
      await recordAudit(tx, call, { action: 'code.create', subject: sid, after });
      return made;
    });
  },
});

type Terms = Omit<CodeRow, 'sid' | 'word' | 'letters' | 'uses' | 'closedAt' | 'createdAt' | 'createdBy'>;

function readTerms(wish: z.output<typeof input>, now: Date): Terms | Refusal {
  const amount = parseDecimal(wish.amount);
  if (amount === null || amount === 0n || amount > AMOUNT_MAX || !isWholeCents(amount)) return amountOutOfRange();
  const lifetimePaidMin = parseDecimal(wish.lifetime_paid_min);
  if (lifetimePaidMin === null) return invalid('lifetime_paid_min', 'must be an amount');
  if (wish.is_for_new_customers && lifetimePaidMin > 0n)
    return invalid('lifetime_paid_min', 'must be left out where only those may who have never paid');
  if (wish.uses_per_user_max > wish.uses_max) return invalid('uses_per_user_max', 'must not be above uses_max');
  const validFrom = wish.valid_from === undefined ? now : new Date(wish.valid_from);
  const validUntil = wish.valid_until === undefined ? null : new Date(wish.valid_until);
  if (validUntil !== null && validUntil <= now) return invalid('valid_until', 'must lie in the future');
  if (validUntil !== null && validUntil <= validFrom) return invalid('valid_until', 'must lie after valid_from');
  return {
    description: wish.description,
    amount,
    creditDays: wish.credit_days ?? null,
    validFrom,
    validUntil,
    usesMax: wish.uses_max,
    usesPerUserMax: wish.uses_per_user_max,
    isForNewCustomers: wish.is_for_new_customers,
    lifetimePaidMin,
  };
}

const invalid = (field: string, detail: string): Refusal =>
  refuse('invalid_request', `The code is not valid: ${field} ${detail}.`, {
    errors: [{ pointer: `#/${field}`, detail }],
  });

const amountOutOfRange = (): Refusal =>
  refuse('amount_out_of_range', 'The credit of a code is whole cents, and has a limit.', {
    details: { amount_min: '0.01', amount_max: formatDecimal(AMOUNT_MAX) },
  });

/** Who makes codes sees them all anyway. */
const isTaken = (): Refusal =>
  refuse(
    'state_conflict',
    'There is a code already that is read as this one. Codes are never used again: choose another.',
  );

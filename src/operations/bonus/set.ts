import { z } from 'zod';
import { givesAnything } from '../../domain/bonus/rule.ts';
import { isWholeCents, micros, parseDecimal, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { parseScaled } from '../../domain/usage/decimal.ts';
import { insertBonusRule, type BonusRuleRow } from '../../store/bonus.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { amountField, instant } from '../schema.ts';
import { bonusRuleSchema, PERCENT_DECIMALS, toBonusRule } from './bonus.ts';

/** Ten times what was paid: more is a slip of the keyboard. */
const PERCENT_MAX = 100_000n;
const AMOUNT_MAX = micros(1_000_000_000n);
const DAYS_MAX = 3_650;

const input = z.strictObject({
  percent: z.string().default('0').describe('Per cent of what was paid, with two decimals at most: "10".'),
  fixed: amountField.default('0').describe('US dollars besides, whatever was paid; whole cents.'),
  top_up_min: amountField.default('0').describe('A first top-up below it is given nothing.'),
  bonus_max: amountField.optional().describe('The most that is given. Left out only where `percent` is 0.'),
  credit_days: z
    .int()
    .min(1)
    .max(DAYS_MAX)
    .optional()
    .describe('How long the credit lasts. Left out: it does not end.'),
  active_from: instant.optional().describe('Now if left out; never in the past.'),
});

export const bonusSet = operation({
  name: 'bonus.set',
  summary: 'Set what a first top-up is given from an instant on',
  description:
    'A rule is never edited: this one counts for payments that are begun from `active_from` on. With `percent` and `fixed` at 0 nothing is given ' +
    'any more. A person has the bonus once, for the first top-up of their own wallet; what is left of it is taken back while money of that ' +
    'payment goes back or is disputed.',
  http: { method: 'post', path: '/v1/bonus-rules', status: 201 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input,
  output: bonusRuleSchema,
  refusals: ['state_conflict'],
  async run(call, wish) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    const terms = readTerms(wish);
    if (isRefusal(terms)) return terms;
    const activeFrom = wish.active_from === undefined ? now : new Date(wish.active_from);
    if (activeFrom < now) return invalid('active_from', 'must not be in the past');
    const rule: BonusRuleRow = { sid: ports.ids.sid(), ...terms, activeFrom, createdAt: now };
    return await db.transaction('bonus.set', async (tx) => {
      if (!(await insertBonusRule(tx, rule, call.actor.id)))
        return refuse('state_conflict', 'There is a rule from this very instant on already.');
      await recordAudit(tx, call, { action: 'bonus.set', subject: rule.sid, after: toBonusRule(rule) });
      return toBonusRule(rule);
    });
  },
});

function readTerms(wish: z.output<typeof input>): Omit<BonusRuleRow, 'sid' | 'activeFrom' | 'createdAt'> | Refusal {
  const percent = parseScaled(wish.percent, PERCENT_DECIMALS);
  if (percent === null || percent > PERCENT_MAX)
    return invalid('percent', 'must be 0 to 1000 with at most two decimals');
  const fixed = readCents(wish.fixed);
  if (fixed === null) return invalid('fixed', AMOUNT);
  const topUpMin = readCents(wish.top_up_min);
  if (topUpMin === null) return invalid('top_up_min', AMOUNT);
  const bonusMax = wish.bonus_max === undefined ? null : readCents(wish.bonus_max);
  if (wish.bonus_max !== undefined && (bonusMax === null || bonusMax === 0n)) return invalid('bonus_max', AMOUNT);
  if (percent > 0n && bonusMax === null) return invalid('bonus_max', 'is required where a share is given');
  const terms = { percent: Number(percent), fixed, topUpMin, bonusMax, creditDays: wish.credit_days ?? null };
  if (givesAnything(terms)) return terms;
  return { ...terms, topUpMin: micros(0n), bonusMax: null, creditDays: null };
}

const AMOUNT = 'must be US dollars in whole cents, 1000.00 at most';

function readCents(text: string): Micros | null {
  const amount = parseDecimal(text);
  return amount !== null && amount <= AMOUNT_MAX && isWholeCents(amount) ? amount : null;
}

const invalid = (field: string, detail: string): Refusal =>
  refuse('invalid_request', `The rule is not valid: ${field} ${detail}.`, {
    errors: [{ pointer: `#/${field}`, detail }],
  });

import { z } from 'zod';
import { isScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import { providerField } from '../model-price/model-price.ts';
import { categoryField, resourceKindField } from '../price/price.ts';
import { instant, sidField, signedAmount, textField } from '../schema.ts';

const decimalText = (decimals: number, detail: string) => z.string().refine((text) => isScaled(text, decimals), detail);

/** A node's own name for a record. */
export const KEY_FORM = /^[\x21-\x7e]{1,255}$/;
export const UNIT_FORM = /^[a-z][a-z0-9_]{0,31}$/;
export const DESCRIPTION_MAX = 255;

/** A billion of them cost more than one call does; a number above is a slip. */
export const TOKENS_MAX = 1_000_000_000;
const tokenCount = z.int().min(0).max(TOKENS_MAX);

const tokensSchema = z
  .strictObject({
    input: tokenCount.describe('All that went in, cached ones included.'),
    output: tokenCount,
    cached_input: tokenCount.optional().describe('Of the input, what the provider had cached.'),
  })
  .refine(({ input, cached_input: cached = 0 }) => cached <= input, {
    path: ['cached_input'],
    message: 'must not be more than input: cached tokens are some of them',
  });

/** What a node sends of one thing that was used. */
export const usageRecordSchema = z.strictObject({
  idempotency_key: z
    .string()
    .regex(KEY_FORM, 'must be 1 to 255 visible ASCII characters')
    .describe('Names the record among those of this node, for ever: sent again, it is answered as the first time.'),
  corrects: z
    .string()
    .regex(KEY_FORM, 'must be the idempotency_key of an earlier record of this node')
    .optional()
    .describe(
      'The idempotency_key of an earlier record of this node, an estimate, that this one puts right. The difference is posted, at the ' +
        'price, on the rung and for the day of the first; user, category, resource, unit and provider must be the same.',
    ),
  user_sid: sidField.describe('Who used it.'),
  applies_to: categoryField.describe('The category whose price it has: hero_os_hourly, llm, vm, …'),
  resource_kind: resourceKindField,
  quantity: decimalText(QUANTITY_DECIMALS, 'must be a decimal number as text with at most 6 decimals')
    .default('1')
    .describe('As decimal text, at most 6 decimals.'),
  unit: z
    .string()
    .regex(UNIT_FORM, 'must be 1 to 32 of a-z, 0-9 and _')
    .optional()
    .describe("The price's own unit if left out; `second` fits a price per hour too."),
  cost: decimalText(PRICE_DECIMALS, 'must be US dollars as decimal text with at most 12 decimals')
    .optional()
    .describe('What the provider charged us, in US dollars, at most 12 decimals: for prices of kind cost_plus.'),
  provider: providerField
    .optional()
    .describe('Whom the cost is owed to; required with a cost, and with tokens that are to be priced.'),
  tokens: tokensSchema
    .optional()
    .describe(
      'What a call of a model used. Without a cost, the model’s price makes the cost of it; with one, it is kept to be read.',
    ),
  occurred_at: instant.describe('When it was used. May be long ago; at most 5 minutes ahead of our clock.'),
  description: textField(DESCRIPTION_MAX).optional().describe('What the customer reads.'),
  lease: sidField
    .optional()
    .describe(
      'The lease of this node under which it was used, open or over: as much as it costs is taken out of what is left of it.',
    ),
  seq: z
    .int()
    .min(1)
    .optional()
    .describe(
      'The number of the record among those of this node and category: 1, 2, 3 … Then it is known which have not come.',
    ),
});

export type UsageInput = z.output<typeof usageRecordSchema>;

/** What became of one record. */
export const usageAnswerSchema = z
  .object({
    idempotency_key: z.string().nullable().describe('Null where the record had none that can be read.'),
    outcome: z
      .enum(['applied', 'unbilled', 'refused'])
      .describe(
        'applied: charged. unbilled: kept, but the wallet is at its limit. refused: nothing was kept; see code.',
      ),
    charge: signedAmount
      .nullable()
      .describe('What the wallet paid now. Fractions of a micro-dollar are carried to its next record.'),
    balance: signedAmount.nullable().describe('What the wallet held after it.'),
    entry: z.int().nullable().describe('The number of the line in the wallet’s statement.'),
    wallet_state: z
      .enum(['ok', 'low', 'empty', 'suspended'])
      .nullable()
      .describe('low: warn the customer. empty, suspended: start nothing new for this user.'),
    code: z.string().nullable().describe('Why it was refused or not billed; one of the codes of errors.'),
    message: z.string().nullable(),
  })
  .meta({ id: 'UsageAnswer' });

export type UsageAnswer = z.input<typeof usageAnswerSchema>;

import { z } from 'zod';
import { formatScaled } from '../../domain/usage/decimal.ts';
import { PER_MILLION_DECIMALS } from '../../domain/usage/model-price.ts';
import type { ModelPriceRow } from '../../store/model-price.ts';
import { instant, sidField } from '../schema.ts';

/** As a usage record names it: also the word after `payable:llm:`. */
export const PROVIDER_FORM = /^[a-z0-9][a-z0-9_.-]{0,31}$/;

export const providerField = z
  .string()
  .regex(PROVIDER_FORM, 'must be 1 to 32 of a-z, 0-9, _, . and -')
  .describe('As usage records name it: groq, …');

const perMillion = z.string().describe('US dollars a million tokens, as decimal text.');

export const modelPriceSchema = z
  .object({
    sid: sidField,
    provider: z.string(),
    model: z.string(),
    input: perMillion,
    cached_input: perMillion,
    output: perMillion,
    active_from: instant,
    created_at: instant,
  })
  .meta({ id: 'ModelPrice' });

export function toModelPrice(price: ModelPriceRow): z.input<typeof modelPriceSchema> {
  return {
    sid: price.sid,
    provider: price.provider,
    model: price.model,
    input: formatScaled(price.input, PER_MILLION_DECIMALS),
    cached_input: formatScaled(price.cachedInput, PER_MILLION_DECIMALS),
    output: formatScaled(price.output, PER_MILLION_DECIMALS),
    active_from: price.activeFrom.toISOString(),
    created_at: price.createdAt.toISOString(),
  };
}

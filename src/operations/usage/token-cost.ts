import { refuse, type Refusal } from '../../domain/refusal.ts';
import { costOfTokens, modelPriceFor, type ModelPrice, type Tokens } from '../../domain/usage/model-price.ts';
import type { Price } from '../../domain/usage/price.ts';
import { invalidRecord } from './invalid-record.ts';
import type { UsageInput } from './usage-record.ts';

/** What tokens cost, and by which row of the table. */
export interface TokenCost {
  /** Pico-dollars. */
  readonly cost: bigint;
  readonly price: ModelPrice;
}

/** Whether the model table says what a record cost: it has tokens and brings no cost. */
export const isPricedByTokens = ({ cost, tokens }: UsageInput): boolean => cost === undefined && tokens !== undefined;

export const tokensOf = ({ input, output, cached_input = 0 }: NonNullable<UsageInput['tokens']>): Tokens => ({
  input,
  output,
  cachedInput: cached_input,
});

/** What the provider charges for a record's tokens; null where the record brings its cost, or its price asks for none. */
export function tokenCostOf(
  record: UsageInput,
  price: Price,
  modelPrices: readonly ModelPrice[],
): TokenCost | Refusal | null {
  const { tokens, provider, resource_kind: model } = record;
  if (price.kind !== 'cost_plus' || tokens === undefined || !isPricedByTokens(record)) return null;
  if (provider === undefined)
    return invalidRecord('provider', 'is required with tokens and no cost: whose model it was');
  const found = modelPriceFor(modelPrices, { provider, model, occurredAt: new Date(record.occurred_at) });
  if (!found)
    return refuse(
      'state_conflict',
      `The model ${model} of ${provider} had no price at the time. Send the cost, or have an operator set its price (model-price.create).`,
    );
  return { cost: costOfTokens(tokensOf(tokens), found), price: found };
}

import { assert } from '../assert.ts';

/**
 * What a provider charges for the tokens of a model. Never edited: a new price is a new row from a later instant.
 *
 * Units: pico-dollars a token, which is the same number as micro-dollars a million tokens.
 */
export interface ModelPrice {
  readonly sid: string;
  readonly provider: string;
  readonly model: string;
  readonly input: bigint;
  /** Of those input tokens that the provider had read before. */
  readonly cachedInput: bigint;
  readonly output: bigint;
  readonly activeFrom: Date;
}

/** What a call used. */
export interface Tokens {
  /** All that went in, the cached ones among them. */
  readonly input: number;
  readonly output: number;
  readonly cachedInput: number;
}

/** Decimals of dollars a million tokens: a token then costs whole pico-dollars, and every charge made of them is exact. */
export const PER_MILLION_DECIMALS = 6;

/** What the tokens cost, exactly, in pico-dollars. */
export function costOfTokens({ input, output, cachedInput }: Tokens, price: ModelPrice): bigint {
  assert(cachedInput <= input, 'cached tokens are some of the input');
  return (
    BigInt(input - cachedInput) * price.input + BigInt(cachedInput) * price.cachedInput + BigInt(output) * price.output
  );
}

/** The price that counts for what a model did at an instant: the latest that was active. */
export function modelPriceFor(
  prices: readonly ModelPrice[],
  about: { readonly provider: string; readonly model: string; readonly occurredAt: Date },
): ModelPrice | null {
  let best: ModelPrice | null = null;
  for (const price of prices) {
    if (price.provider !== about.provider || price.model !== about.model) continue;
    if (price.activeFrom > about.occurredAt) continue;
    if (best === null || price.activeFrom > best.activeFrom) best = price;
  }
  return best;
}

import { assert } from '../../domain/assert.ts';
import { formatScaled, PRICE_DECIMALS } from '../../domain/usage/decimal.ts';
import { costOfTokens, PER_MILLION_DECIMALS } from '../../domain/usage/model-price.ts';
import type { Tx } from '../../store/db.ts';
import { readModelPrice } from '../../store/model-price.ts';
import type { UsageAbout } from './usage-about.ts';
import type { Step } from './explain-steps.ts';
import { tokensOf } from './token-cost.ts';

/**
 * How tokens made the cost of a record, and whether they still do.
 *
 * Shape: no steps where the cost came with the record.
 */
export async function explainTokens(
  tx: Tx,
  { tokens: sent, model_price: sid, cost: kept }: UsageAbout,
): Promise<{ readonly steps: readonly Step[]; readonly isProved: boolean }> {
  if (sid === undefined || sent === undefined) return { steps: [], isProved: true };
  const price = await readModelPrice(tx, sid);
  assert(price !== null, 'prices of models are never removed');
  const tokens = tokensOf(sent);
  const cost = formatScaled(costOfTokens(tokens, price), PRICE_DECIMALS);
  const counts = [
    [tokens.input - tokens.cachedInput, 'input', price.input],
    [tokens.cachedInput, 'cached input', price.cachedInput],
    [tokens.output, 'output', price.output],
  ] as const;
  const sums = counts
    .filter(([count]) => count > 0)
    .map(([count, name, amount]) => `${count} ${name} tokens at $${formatScaled(amount, PER_MILLION_DECIMALS)}`);
  const what = `${sums.join(', ') || 'No tokens'} a million, by ${price.provider} for ${price.model}`;
  return { steps: [{ what, amount: cost }], isProved: cost === kept };
}

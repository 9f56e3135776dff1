import { MICROS_PER_CENT, MICROS_PER_USD, micros, type Micros } from '../../domain/money.ts';
import { fractionOf, type Exchange } from './shapes.ts';

/**
 * What money collected in another currency came to in US dollars, by the exchange that ClickPesa states: so many dollars were changed
 * into the collected currency, at a rate. Null: it does not say so, and we do not convert by any other rate.
 *
 * Where less was collected than the dollars come to, the share that was collected counts, rounded down to whole cents. A difference of
 * up to one unit of the collected currency is the rounding of a currency without cents.
 */
export function toUsd(collected: Micros, currency: string, exchange: Exchange | null): Micros | null {
  if (currency === 'USD') return collected;
  if (exchange === null || exchange.sourceCurrency !== 'USD' || exchange.targetCurrency !== currency) return null;
  const rate = fractionOf(exchange.rate);
  if (rate === null || exchange.sourceAmount <= 0n) return null;
  const expected = (exchange.sourceAmount * rate.above) / rate.below;
  if (expected <= 0n) return null;
  if (collected + MICROS_PER_USD >= expected) return exchange.sourceAmount;
  const share = (exchange.sourceAmount * collected) / expected;
  return micros(share - (share % MICROS_PER_CENT));
}

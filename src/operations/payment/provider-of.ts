import { ProviderFailure, type PaymentProvider } from '../../providers/provider.ts';
import type { House } from '../house.ts';

/** The provider of a payment. Throws {@link ProviderFailure} when it is not configured (any more). */
export function providerOf(house: House, name: string): PaymentProvider {
  const provider = house.providers.get(name);
  if (!provider) throw new ProviderFailure('broken', 'none', `The payment provider ${name} is not configured.`);
  return provider;
}

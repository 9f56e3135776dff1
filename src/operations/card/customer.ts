import { assert } from '../../domain/assert.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { ProviderCards } from '../../providers/provider-cards.ts';
import type { PaymentProvider, ProviderAccount } from '../../providers/provider.ts';
import { insertCustomer, readCustomer, type CustomerKey, type CustomerRow } from '../../store/card.ts';
import type { House } from '../house.ts';

/** A provider that saves cards, and which of its accounts our key belongs to. */
export interface CardProvider {
  readonly provider: PaymentProvider;
  readonly cards: ProviderCards;
  readonly account: ProviderAccount;
}

/** Every configured provider that saves cards. Throws `ProviderFailure`. */
export async function cardProviders(house: House): Promise<CardProvider[]> {
  const found: CardProvider[] = [];
  for (const provider of house.providers.values()) {
    if (provider.cards) found.push({ provider, cards: provider.cards, account: await provider.account() });
  }
  return found;
}

/** The one that is named, or the only one there is. */
export async function cardProvider(house: House, name: string | undefined): Promise<CardProvider | Refusal> {
  const all = await cardProviders(house);
  const found = name === undefined ? all[0] : all.find(({ provider }) => provider.name === name);
  return found ?? refuse('unavailable', 'No payment provider that saves cards is configured here.');
}

export const customerKey = (userSid: string, { provider, account }: CardProvider): CustomerKey => ({
  userSid,
  provider: provider.name,
  providerAccount: account.id,
});

/**
 * The provider's record of a user, made if there is none. Never call it inside a transaction.
 *
 * Safe to: run twice, at once, after a crash: the provider finds the record by the user's sid, and the first row stays. Should the provider
 * have forgotten the key, an empty record without cards is left over there.
 */
export async function ensureCustomer(
  house: House,
  provider: PaymentProvider,
  account: ProviderAccount,
  userSid: string,
): Promise<CustomerRow> {
  const key = { userSid, provider: provider.name, providerAccount: account.id };
  const known = await readCustomer(house.db, key);
  if (known) return known;
  assert(provider.cards !== undefined, 'only a provider that saves cards is asked to');
  const customerRef = await provider.cards.createCustomer(userSid);
  return await house.db.transaction('card.insert_customer', async (tx) => {
    await insertCustomer(tx, { ...key, customerRef, createdAt: house.ports.clock.now() });
    const customer = await readCustomer(tx, key);
    assert(customer !== null, 'the record was just stored');
    return customer;
  });
}

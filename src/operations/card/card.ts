import { z } from 'zod';
import { CARD_CONSENT } from '../../domain/card/consent.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { ProviderCard } from '../../providers/provider-cards.ts';
import { readCustomer, type CustomerRow } from '../../store/card.ts';
import type { WalletRow } from '../../store/wallet.ts';
import type { Call } from '../operation.ts';
import { readTarget } from '../payment/create.ts';
import { sidField } from '../schema.ts';
import { cardProvider, cardProviders, customerKey, type CardProvider } from './customer.ts';

export const cardSchema = z
  .object({
    card_ref: z.string().describe("The provider's reference of the card; we keep nothing else of it."),
    provider: z.string(),
    brand: z.string().describe('As the provider spells it: "visa".'),
    last4: z.string().describe('The last four digits.'),
    expires_month: z.int(),
    expires_year: z.int(),
    is_default: z.boolean().describe('Whether auto-recharge charges this one.'),
  })
  .meta({ id: 'Card' });

export const cardListSchema = z
  .object({
    items: z.array(cardSchema),
    next_cursor: z.null().describe('All cards are on one page.'),
    consent: z.string().describe('What a person is told who saves a card.'),
  })
  .meta({ id: 'CardList' });
export type CardList = z.input<typeof cardListSchema>;

export const cardRefField = z
  .string()
  .regex(/^[A-Za-z0-9_]{1,200}$/, 'must be a card_ref as card.list answers it')
  .describe('A card of card.list.');
export const walletField = sidField.optional().describe("Whose cards; the caller's own wallet when left out.");

/** The saved cards of a user, at every provider that has some. Asks the providers. */
export async function readCards(call: Call, walletSid: string | undefined): Promise<CardList | Refusal> {
  const wallet = await readTarget(call, walletSid);
  if (isRefusal(wallet)) return wallet;
  const items: z.input<typeof cardSchema>[] = [];
  for (const at of await cardProviders(call.house)) {
    const customer = await readCustomer(call.house.db, customerKey(wallet.userSid, at));
    if (!customer) continue;
    const cards = await at.cards.list(customer.customerRef);
    items.push(...cards.map((card) => toCard(card, customer)));
  }
  return { items, next_cursor: null, consent: CARD_CONSENT };
}

const toCard = (card: ProviderCard, customer: CustomerRow): z.input<typeof cardSchema> => ({
  card_ref: card.cardRef,
  provider: customer.provider,
  brand: card.brand,
  last4: card.last4,
  expires_month: card.expiresMonth,
  expires_year: card.expiresYear,
  is_default: card.cardRef === customer.defaultCardRef,
});

export interface OwnCard extends CardProvider {
  readonly wallet: WalletRow;
  readonly customer: CustomerRow;
  readonly card: ProviderCard;
}

/** A card that is the wallet owner's, asked of the provider; the newest one where none is named. Another's answers as one that is not there. */
export async function findCard(
  call: Call,
  asked: {
    readonly wallet_sid?: string | undefined;
    readonly provider?: string | undefined;
    readonly card_ref?: string | undefined;
  },
): Promise<OwnCard | Refusal> {
  const wallet = await readTarget(call, asked.wallet_sid);
  if (isRefusal(wallet)) return wallet;
  const at = await cardProvider(call.house, asked.provider);
  if (isRefusal(at)) return at;
  const customer = await readCustomer(call.house.db, customerKey(wallet.userSid, at));
  const cards = customer ? await at.cards.list(customer.customerRef) : [];
  const wanted = asked.card_ref ?? customer?.defaultCardRef ?? null;
  const card = cards.find(({ cardRef }) => cardRef === wanted) ?? (asked.card_ref === undefined ? cards[0] : undefined);
  if (!customer || !card) return refuse('not_found', 'There is no such saved card.');
  return { ...at, wallet, customer, card };
}

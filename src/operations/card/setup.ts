import { z } from 'zod';
import { CARD_CONSENT } from '../../domain/card/consent.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { readTarget } from '../payment/create.ts';
import { walletField } from './card.ts';
import { cardProvider, ensureCustomer } from './customer.ts';

export const cardSetup = operation({
  name: 'card.setup',
  summary: 'Get the page on which a card is saved without paying',
  description: `${CARD_CONSENT} Nothing is charged. A card is saved by a top-up as well: payment.create with save_card.`,
  http: { method: 'post', path: '/v1/cards/setup', status: 200 },
  access: 'user',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: walletField, provider: z.string().min(1).max(40).optional() }),
  output: z.object({ setup_url: z.url().describe("The provider's page.") }).meta({ id: 'CardSetup' }),
  refusals: ['not_found', 'unavailable', 'provider_error', 'provider_timeout'],
  async run(call, input) {
    const { house } = call;
    const wallet = await readTarget(call, input.wallet_sid);
    if (isRefusal(wallet)) return wallet;
    const at = await cardProvider(house, input.provider);
    if (isRefusal(at)) return at;
    const customer = await ensureCustomer(house, at.provider, at.account, wallet.userSid);
    const page = `${house.settings.publicUrl}/wallet`;
    const { url } = await at.cards.startSaving({
      key: house.ports.ids.sid(),
      customerRef: customer.customerRef,
      userSid: wallet.userSid,
      successUrl: page,
      cancelUrl: page,
    });
    await house.db.transaction('card.setup', (tx) =>
      recordAudit(tx, call, { action: 'card.setup', subject: wallet.sid, after: { provider: at.provider.name } }),
    );
    return { setup_url: url };
  },
});

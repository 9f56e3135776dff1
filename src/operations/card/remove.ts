import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { lockCustomer, setDefaultCard } from '../../store/card.ts';
import { recordAudit } from '../audit/record.ts';
import { switchOff } from '../auto-recharge/switch-off.ts';
import { operation, type Call } from '../operation.ts';
import { cardListSchema, cardRefField, findCard, readCards, walletField, type OwnCard } from './card.ts';

export const cardRemove = operation({
  name: 'card.remove',
  summary: 'Have the provider forget a saved card',
  description:
    'If auto-recharge charges this card, it is switched off first. What was paid with the card stays as it is.',
  http: { method: 'post', path: '/v1/cards/remove', status: 200 },
  access: 'user',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: walletField, card_ref: cardRefField }),
  output: cardListSchema,
  refusals: ['not_found', 'unavailable', 'provider_error', 'provider_timeout'],
  async run(call, input) {
    const own = await findCard(call, input);
    if (isRefusal(own)) return own;
    // Ours first: if the provider then fails, nothing charges the card any more, and it can be removed again.
    await call.house.db.transaction('card.remove', (tx) => letGo(tx, call, own));
    await own.cards.remove(own.customer.customerRef, own.card.cardRef);
    return await readCards(call, input.wallet_sid);
  },
});

async function letGo(tx: Tx, call: Call, { customer, card, wallet }: OwnCard): Promise<void> {
  const now = await lockCustomer(tx, customer);
  if (now?.defaultCardRef === card.cardRef) {
    await setDefaultCard(tx, customer, null);
    await switchOff(tx, call, wallet.id, 'card_removed');
  }
  await recordAudit(tx, call, {
    action: 'card.remove',
    subject: wallet.sid,
    before: { card_ref: card.cardRef },
    after: null,
  });
}

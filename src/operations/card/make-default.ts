import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { lockCustomer, setDefaultCard } from '../../store/card.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { cardListSchema, cardRefField, findCard, readCards, walletField } from './card.ts';

export const cardMakeDefault = operation({
  name: 'card.make-default',
  summary: 'Say which saved card auto-recharge charges',
  http: { method: 'post', path: '/v1/cards/make-default', status: 200 },
  access: 'user',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: walletField, card_ref: cardRefField }),
  output: cardListSchema,
  refusals: ['not_found', 'unavailable', 'provider_error', 'provider_timeout'],
  async run(call, input) {
    const own = await findCard(call, input);
    if (isRefusal(own)) return own;
    const { customer, card, wallet } = own;
    await call.house.db.transaction('card.make_default', async (tx) => {
      const before = await lockCustomer(tx, customer);
      await setDefaultCard(tx, customer, card.cardRef);
      await recordAudit(tx, call, {
        action: 'card.make-default',
        subject: wallet.sid,
        before: { card_ref: before?.defaultCardRef ?? null },
        after: { card_ref: card.cardRef },
      });
    });
    return await readCards(call, input.wallet_sid);
  },
});

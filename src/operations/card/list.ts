import { z } from 'zod';
import { operation } from '../operation.ts';
import { cardListSchema, readCards, walletField } from './card.ts';

export const cardList = operation({
  name: 'card.list',
  summary: 'List the saved cards, newest first',
  description:
    'The provider is asked: what was removed there is not listed here. We keep its references and no data of a card.',
  http: { method: 'get', path: '/v1/cards', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: walletField }),
  output: cardListSchema,
  refusals: ['not_found', 'provider_error', 'provider_timeout'],
  run: (call, input) => readCards(call, input.wallet_sid),
});

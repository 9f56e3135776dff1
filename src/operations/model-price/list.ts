import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listModelPrices } from '../../store/model-price.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { resourceKindField } from '../price/price.ts';
import { modelPriceSchema, providerField, toModelPrice } from './model-price.ts';

export const modelPriceList = operation({
  name: 'model-price.list',
  summary: 'List what models cost by the token, newest first',
  description:
    'Those of the past and of the future too. A call is priced by the latest that was active when it happened.',
  http: { method: 'get', path: '/v1/model-prices', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ provider: providerField.optional(), model: resourceKindField.optional(), ...pageInput }),
  output: pageOutput(modelPriceSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'model-price.list', input.cursor);
    if (isRefusal(before)) return before;
    const { provider = null, model = null, limit } = input;
    const rows = await listModelPrices(house.db, { before, provider, model, limit: limit + 1 });
    return pageOf(house, 'model-price.list', rows, limit, (price) => price.sid, toModelPrice);
  },
});

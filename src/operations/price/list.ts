import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listPrices } from '../../store/price.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { categoryField, priceSchema, toPrice } from './price.ts';

export const priceList = operation({
  name: 'price.list',
  summary: 'List prices, newest first: those of the past and of the future too',
  http: { method: 'get', path: '/v1/prices', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ category: categoryField.optional(), ...pageInput }),
  output: pageOutput(priceSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'price.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listPrices(house.db, { before, category: input.category ?? null, limit: input.limit + 1 });
    return pageOf(house, 'price.list', rows, input.limit, (price) => price.sid, toPrice);
  },
});

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readWalletFacts } from '../../store/standing-facts.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { standingSchema, toStanding } from './standing.ts';

export const standingGet = operation({
  name: 'standing.get',
  summary: 'Say how a wallet stands, what comes next, and what to pay',
  http: { method: 'get', path: '/v1/billings/{sid}/standing', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: standingSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const wallet = await visibleWallet(house.db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const [facts] = await readWalletFacts(house.db, [wallet.id]);
    assert(facts !== undefined, 'a wallet that was read is there');
    return toStanding(facts);
  },
});

import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import { readDeliveryOf } from '../../store/delivery.ts';
import type { Tx } from '../../store/db.ts';
import { deliverySchema, toDelivery } from '../delivery/delivery.ts';
import { emitTo } from '../event/emit.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { ownEndpoint } from './endpoint.ts';

export const endpointTest = operation({
  name: 'endpoint.test',
  summary: 'Send a test event to an endpoint',
  description: 'It is signed and tried again like any other. What came of it is in the log of the endpoint.',
  http: { method: 'post', path: '/v1/endpoints/{sid}/test', status: 202 },
  access: 'user',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: deliverySchema,
  refusals: ['not_found', 'state_conflict'],
  async run({ house, actor }, input) {
    return house.db.transaction('endpoint.test', async (tx) => {
      const endpoint = await ownEndpoint(tx, actor, input.sid, 'look');
      if (isRefusal(endpoint)) return endpoint;
      if (endpoint.state !== 'active') {
        return refuse('state_conflict', 'The endpoint is switched off. Switch it on first.');
      }
      const of = endpoint.userSid === null ? null : await ownerOf(tx, endpoint.userSid);
      const facts = { endpoint_sid: endpoint.sid, message: 'It works.' };
      const event = await emitTo(tx, house, { type: 'endpoint.test', of, facts }, [endpoint.sid]);
      const delivery = await readDeliveryOf(tx, { endpoint: endpoint.sid, event });
      assert(delivery !== null, 'the delivery was just made');
      return toDelivery(delivery);
    });
  },
});

async function ownerOf(tx: Tx, userSid: string) {
  const wallet = await readWalletByUser(tx, userSid);
  return wallet === null ? null : { wallet: wallet.id, walletSid: wallet.sid, userSid };
}

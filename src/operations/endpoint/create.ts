import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { countEndpoints, insertEndpoint, readEndpoint } from '../../store/endpoint.ts';
import { assert } from '../../domain/assert.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { ownRowsOf } from '../visible.ts';
import { checkUrl, descriptionField, endpointWithSecretSchema, toEndpoint, typesField, urlField } from './endpoint.ts';
import { newSecret } from './secret.ts';

/** Each is told of each event: more is a slip, or an attempt to have us send for others. */
const ENDPOINTS_OF_USER_MAX = 5n;
const ENDPOINTS_OF_OPERATORS_MAX = 50n;

export const endpointCreate = operation({
  name: 'endpoint.create',
  summary: 'Have events sent to an address',
  description:
    'A user is told of what happens to the own wallet, an operator of everything. Answers the secret that verifies deliveries, this once. ' +
    'Only what happens from now on is sent.',
  http: { method: 'post', path: '/v1/endpoints', status: 201 },
  access: 'user',
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({ url: urlField, description: descriptionField, types: typesField.default([]) }),
  output: endpointWithSecretSchema,
  refusals: ['state_conflict', 'unavailable'],
  async run(call, input) {
    const { house, actor } = call;
    const url = checkUrl(house, input.url);
    if (isRefusal(url)) return url;
    const sid = house.ports.ids.sid();
    const secret = newSecret(house, sid);
    if (isRefusal(secret)) return secret;
    const userSid = ownRowsOf(actor);
    return house.db.transaction('endpoint.create', async (tx) => {
      const max = userSid === null ? ENDPOINTS_OF_OPERATORS_MAX : ENDPOINTS_OF_USER_MAX;
      if ((await countEndpoints(tx, userSid)) >= max) {
        return refuse('state_conflict', 'There are as many endpoints as there may be. Remove one first.', {
          details: { endpoints_max: Number(max) },
        });
      }
      const { description, types } = input;
      const createdAt = house.ports.clock.now();
      await insertEndpoint(tx, { sid, userSid, url, description, types, secret: secret.sealed, createdAt });
      await recordAudit(tx, call, {
        action: 'endpoint.create',
        subject: sid,
        after: { url, types: types.join(' ') },
      });
      const made = await readEndpoint(tx, sid);
      assert(made !== null, 'the endpoint was just stored');
      return { ...toEndpoint(made), secret: secret.text };
    });
  },
});

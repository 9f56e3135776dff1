import { z } from 'zod';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { countEndpoints, insertEndpoint, readEndpoint } from '../../store/endpoint.ts';
import { assert } from '../../domain/assert.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Call } from '../operation.ts';
import { sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
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
  input: z.strictObject({
    url: urlField,
    description: descriptionField,
    types: typesField.default([]),
    wallet_sid: sidField
      .optional()
      .describe(
        "Whose events: those of this wallet's owner; when left out the caller's own, or for an operator everybody's.",
      ),
  }),
  output: endpointWithSecretSchema,
  refusals: ['not_found', 'state_conflict', 'unavailable'],
  async run(call, input) {
    const { house } = call;
    const url = checkUrl(house, input.url);
    if (isRefusal(url)) return url;
    const sid = house.ports.ids.sid();
    const secret = newSecret(house, sid);
    if (isRefusal(secret)) return secret;
    const userSid = await listenerOf(call, input.wallet_sid);
    if (isRefusal(userSid)) return userSid;
    return house.db.transaction('endpoint.create', async (tx) => {
      // An attempt whose commit came through and whose answer was lost: this is its answer.
      const before = await readEndpoint(tx, sid);
      if (before) return { ...toEndpoint(before), secret: secret.text };
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

/** Who is told: the owner of a wallet; null for operators, who are told of everything. */
async function listenerOf({ house, actor }: Call, walletSid: string | undefined): Promise<string | null | Refusal> {
  if (walletSid === undefined) return actor.kind === 'user' ? actor.userSid : null;
  const wallet = await visibleWallet(house.db, actor, walletSid);
  return isRefusal(wallet) ? wallet : wallet.userSid;
}

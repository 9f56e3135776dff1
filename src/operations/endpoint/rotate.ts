import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { updateEndpoint, type EndpointRow } from '../../store/endpoint.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { endpointWithSecretSchema, ownEndpoint, toEndpoint } from './endpoint.ts';
import { newSecret } from './secret.ts';

const OVERLAP_SECONDS_MAX = 7 * 86_400;

export const endpointRotate = operation({
  name: 'endpoint.rotate',
  summary: 'Give an endpoint a new secret, and sign with both for a while',
  description:
    'Until the overlap ends each delivery carries two signatures, so that a receiver may change over at any moment of it.',
  http: { method: 'post', path: '/v1/endpoints/{sid}/rotate', status: 200 },
  access: 'user',
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    overlap_seconds: z
      .int()
      .min(0)
      .max(OVERLAP_SECONDS_MAX)
      .default(86_400)
      .describe('How long the old secret signs beside the new one. 0 after a theft.'),
  }),
  output: endpointWithSecretSchema,
  refusals: ['not_found', 'unavailable'],
  async run(call, input) {
    const { house, actor } = call;
    const secret = newSecret(house, input.sid);
    if (isRefusal(secret)) return secret;
    return house.db.transaction('endpoint.rotate', async (tx) => {
      const before = await ownEndpoint(tx, actor, input.sid, 'lock');
      if (isRefusal(before)) return before;
      // An attempt whose commit came through and whose answer was lost: once more would end the old secret now.
      if (before.secret === secret.sealed) return { ...toEndpoint(before), secret: secret.text };
      const now = house.ports.clock.now();
      const hasOverlap = input.overlap_seconds > 0;
      const after: EndpointRow = {
        ...before,
        secret: secret.sealed,
        previousSecret: hasOverlap ? before.secret : null,
        previousUntil: hasOverlap ? new Date(now.getTime() + input.overlap_seconds * 1_000) : null,
        updatedAt: now,
      };
      await updateEndpoint(tx, after);
      await recordAudit(tx, call, {
        action: 'endpoint.rotate',
        subject: before.sid,
        after: { overlap_seconds: input.overlap_seconds },
      });
      return { ...toEndpoint(after), secret: secret.text };
    });
  },
});

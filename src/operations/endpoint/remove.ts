import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { updateEndpoint } from '../../store/endpoint.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { endpointSchema, ownEndpoint, toEndpoint } from './endpoint.ts';

export const endpointRemove = operation({
  name: 'endpoint.remove',
  summary: 'Send events to an address no more, for good',
  description:
    'Its secret is forgotten; what was still due is not sent. To stop for a while, switch it off by endpoint.update.',
  http: { method: 'delete', path: '/v1/endpoints/{sid}', status: 200 },
  access: 'user',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: endpointSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('endpoint.remove', async (tx) => {
      const before = await ownEndpoint(tx, actor, input.sid, 'lock');
      if (isRefusal(before)) return before;
      const after = {
        ...before,
        state: 'removed',
        reason: 'removed',
        secret: '',
        previousSecret: null,
        previousUntil: null,
        updatedAt: house.ports.clock.now(),
      } as const;
      await updateEndpoint(tx, after);
      await recordAudit(tx, call, {
        action: 'endpoint.remove',
        subject: before.sid,
        before: { url: before.url, state: before.state },
      });
      return toEndpoint(after);
    });
  },
});

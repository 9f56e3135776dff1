import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { updateEndpoint, type EndpointRow } from '../../store/endpoint.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import {
  checkUrl,
  descriptionField,
  endpointSchema,
  ownEndpoint,
  toEndpoint,
  typesField,
  urlField,
} from './endpoint.ts';

export const endpointUpdate = operation({
  name: 'endpoint.update',
  summary: 'Change an endpoint, or switch it off and on',
  description: 'Fields that are left out stay. What was due while it was off is sent when it is on again.',
  http: { method: 'patch', path: '/v1/endpoints/{sid}', status: 200 },
  access: 'user',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    url: urlField.optional(),
    description: descriptionField.optional(),
    types: typesField.optional(),
    is_active: z.boolean().optional().describe('Whether events are sent to it.'),
  }),
  output: endpointSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    const url = input.url === undefined ? undefined : checkUrl(house, input.url);
    if (isRefusal(url)) return url;
    return house.db.transaction('endpoint.update', async (tx) => {
      const before = await ownEndpoint(tx, actor, input.sid, 'lock');
      if (isRefusal(before)) return before;
      const after: EndpointRow = {
        ...before,
        url: url ?? before.url,
        description: input.description ?? before.description,
        types: input.types ?? before.types,
        ...switched(before, input.is_active),
        updatedAt: house.ports.clock.now(),
      };
      await updateEndpoint(tx, after);
      await recordAudit(tx, call, {
        action: 'endpoint.update',
        subject: before.sid,
        before: factsOf(before),
        after: factsOf(after),
      });
      return toEndpoint(after);
    });
  },
});

/** Switched on, it begins anew: what failed before does not count any more. */
function switched(row: EndpointRow, isActive: boolean | undefined): Partial<EndpointRow> {
  if (isActive === undefined || isActive === (row.state === 'active')) return {};
  return isActive
    ? { state: 'active', reason: null, failingSince: null, notBefore: null }
    : { state: 'disabled', reason: 'asked' };
}

const factsOf = ({ url, types, state }: EndpointRow) => ({ url, types: types.join(' '), state });

import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { organisationSchema, roleIn, toOrganisation, visibleOrganisation } from './organisation.ts';

export const organisationGet = operation({
  name: 'organisation.get',
  summary: 'Read an organisation',
  http: { method: 'get', path: '/v1/organisations/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: organisationSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const organisation = await visibleOrganisation(house.db, actor, input.sid);
    return isRefusal(organisation) ? organisation : toOrganisation(organisation, roleIn(actor, input.sid));
  },
});

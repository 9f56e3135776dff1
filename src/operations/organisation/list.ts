import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listOrganisations } from '../../store/organisation.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { searchField } from '../schema.ts';
import { organisationSchema, roleIn, toOrganisation } from './organisation.ts';

const NAME = 'organisation.list';

export const organisationList = operation({
  name: NAME,
  summary: 'List and search organisations, newest first',
  description: 'A user sees those they are in, an operator all.',
  http: { method: 'get', path: '/v1/organisations', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ search: searchField, ...pageInput }),
  output: pageOutput(organisationSchema),
  refusals: [],
  async run({ house, actor }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listOrganisations(house.db, {
      before,
      sids: actor.kind === 'user' ? [...(actor.memberships?.keys() ?? [])] : null,
      search: input.search ?? null,
      limit: input.limit + 1,
    });
    return pageOf(
      house,
      NAME,
      rows,
      input.limit,
      (row) => row.sid,
      (row) => toOrganisation(row, roleIn(actor, row.sid)),
    );
  },
});

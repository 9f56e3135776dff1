import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listUsers } from '../../store/user.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { searchField } from '../schema.ts';
import { toUser, userSchema } from './user.ts';

export const userList = operation({
  name: 'user.list',
  summary: 'List and search users, newest first',
  http: { method: 'get', path: '/v1/users', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ search: searchField, ...pageInput }),
  output: pageOutput(userSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'user.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listUsers(house.db, { before, search: input.search ?? null, limit: input.limit + 1 });
    return pageOf(house, 'user.list', rows, input.limit, (user) => user.sid, toUser);
  },
});

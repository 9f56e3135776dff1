import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listNodes } from '../../store/node.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { nodeSchema, toNode } from './node.ts';

export const nodeList = operation({
  name: 'node.list',
  summary: 'List the machines that report usage, newest first, revoked ones included',
  http: { method: 'get', path: '/v1/nodes', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ ...pageInput }),
  output: pageOutput(nodeSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'node.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listNodes(house.db, { before, limit: input.limit + 1 });
    return pageOf(house, 'node.list', rows, input.limit, (node) => node.sid, toNode);
  },
});

import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readNode } from '../../store/node.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { nodeSchema, toNode } from './node.ts';

export const nodeGet = operation({
  name: 'node.get',
  summary: 'Show one machine that reports usage',
  http: { method: 'get', path: '/v1/nodes/{sid}', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: nodeSchema,
  refusals: ['not_found'],
  async run({ house }, input) {
    const node = await readNode(house.db, input.sid);
    return node ? toNode(node) : refuse('not_found', 'There is no node with this sid.');
  },
});

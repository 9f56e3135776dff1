import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readNode } from '../../store/node.ts';
import { listStreams } from '../../store/sequence.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { streamSchema, toStream } from './stream.ts';

const GAPS_SHOWN_MAX = 100;

export const nodeGaps = operation({
  name: 'node.gaps',
  summary: 'Show which numbers of a node’s records have not come, by category',
  description:
    'For records that carry `seq`. A node may ask for itself. At most the 100 lowest gaps of each category are listed; `missing` ' +
    'counts them all.',
  http: { method: 'get', path: '/v1/nodes/{sid}/gaps', status: 200 },
  access: 'node_or_operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ items: z.array(streamSchema), next_cursor: z.null() }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const node = actor.kind === 'node' ? actor.node : await readNode(house.db, input.sid);
    if (node?.sid !== input.sid) return refuse('not_found', 'There is no node with this sid.');
    const streams = await listStreams(house.db, node.id);
    return { items: streams.map((stream) => toStream(stream, GAPS_SHOWN_MAX)), next_cursor: null };
  },
});

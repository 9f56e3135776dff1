import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readNode, rotateNodeKey } from '../../store/node.ts';
import { recordAudit } from '../audit/record.ts';
import { overlapField } from '../key/key.ts';
import { makeKey } from '../key/new-key.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { nodeWithKeySchema, toNode } from './node.ts';

export const nodeRotate = operation({
  name: 'node.rotate',
  summary: 'Give a node a new key, with a while in which the old one is good too',
  http: { method: 'post', path: '/v1/nodes/{sid}/rotate', status: 200 },
  access: 'operator',
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    overlap_seconds: overlapField,
  }),
  output: nodeWithKeySchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { db, ports } = call.house;
    const { text, ...key } = makeKey(call.house, 'node');
    const now = ports.clock.now();
    return db.transaction('node.rotate', async (tx) => {
      // An attempt whose commit came through and whose answer was lost: once more would end the old key now.
      const before = await readNode(tx, input.sid);
      if (before?.keyId === key.keyId) return { ...toNode(before), key: text };
      const node = await rotateNodeKey(tx, input.sid, key, new Date(now.getTime() + input.overlap_seconds * 1_000));
      if (!node) return refuse('not_found', 'There is no node with this sid that is not revoked.');
      await recordAudit(tx, call, {
        action: 'node.rotate',
        subject: node.sid,
        after: { key_id: node.keyId, overlap_seconds: input.overlap_seconds },
      });
      return { ...toNode(node), key: text };
    });
  },
});

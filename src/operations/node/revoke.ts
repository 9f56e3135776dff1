import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { revokeNode } from '../../store/node.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { nodeSchema, toNode } from './node.ts';

export const nodeRevoke = operation({
  name: 'node.revoke',
  summary: "End a node's keys at once and for good, in every process",
  http: { method: 'post', path: '/v1/nodes/{sid}/revoke', status: 200 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(255).optional() }),
  output: nodeSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    return db.transaction('node.revoke', async (tx) => {
      const node = await revokeNode(tx, input.sid, now);
      if (!node) return refuse('not_found', 'There is no node with this sid.');
      await recordAudit(tx, call, {
        action: 'node.revoke',
        subject: node.sid,
        reason: input.reason ?? null,
        after: { key_id: node.keyId },
      });
      return toNode(node);
    });
  },
});

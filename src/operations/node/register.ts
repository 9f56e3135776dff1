import { z } from 'zod';
import { parseDecimal } from '../../domain/money.ts';
import { refuse } from '../../domain/refusal.ts';
import { findNodesByName, insertNode } from '../../store/node.ts';
import { recordAudit } from '../audit/record.ts';
import { makeKey } from '../key/new-key.ts';
import { operation } from '../operation.ts';
import { amountField, sidField } from '../schema.ts';
import { nodeWithKeySchema, toNode } from './node.ts';

export const nodeRegister = operation({
  name: 'node.register',
  summary: 'Add a machine that reports usage',
  description: 'Answers its key, which is told this once. A key that is lost is rotated.',
  http: { method: 'post', path: '/v1/nodes', status: 201 },
  access: 'operator',
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9, dot and hyphen')
      .describe('As the machine is known, for example node-fra-3. Free again once the node is revoked.'),
    user_sids: z.array(sidField).min(1).max(1_000).optional().describe('Users it may report for; left out: everybody.'),
    record_max: amountField.default('100').describe('The most that one record may cost.'),
    hour_max: amountField.default('1000').describe('The most that its records of one hour may cost together.'),
  }),
  output: nodeWithKeySchema,
  refusals: ['state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const recordMax = parseDecimal(input.record_max);
    const hourMax = parseDecimal(input.hour_max);
    if (!recordMax || !hourMax) {
      const pointer = recordMax ? '#/hour_max' : '#/record_max';
      return refuse('invalid_request', 'A limit is more than nothing.', {
        errors: [{ pointer, detail: 'must be more than 0' }],
      });
    }
    const { text, ...key } = makeKey(call.house, 'node');
    const now = ports.clock.now();
    return db.transaction('node.register', async (tx) => {
      const userSids = input.user_sids ?? null;
      const made = { sid: ports.ids.sid(), name: input.name, userSids, recordMax, hourMax, createdAt: now };
      const [before] = await findNodesByName(tx, [input.name]);
      // An attempt whose commit came through and whose answer was lost: this is its answer.
      if (before?.keyId === key.keyId) return { ...toNode(before), key: text };
      const node = await insertNode(tx, { ...made, ...key });
      if (!node)
        return refuse('state_conflict', 'A node of this name is there already. Rotate its key, or revoke it first.');
      await recordAudit(tx, call, {
        action: 'node.register',
        subject: node.sid,
        after: { name: node.name, key_id: node.keyId },
      });
      return { ...toNode(node), key: text };
    });
  },
});

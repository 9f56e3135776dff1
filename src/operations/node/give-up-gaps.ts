import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { writeAudit } from '../../store/audit.ts';
import { readNode } from '../../store/node.ts';
import { giveUpNumbers } from '../../store/sequence.ts';
import { operation } from '../operation.ts';
import { categoryField } from '../price/price.ts';
import { sidField, textField } from '../schema.ts';
import { streamSchema, toStream } from './stream.ts';

const GAPS_SHOWN_MAX = 100;

export const nodeGiveUpGaps = operation({
  name: 'node.give-up-gaps',
  summary: 'Wait no more for numbers that will not come',
  description:
    'For records that are lost for good, so that later gaps are not hidden among old ones. A record that comes after all is charged as ' +
    'always, and counted among `reused`.',
  http: { method: 'post', path: '/v1/nodes/{sid}/gaps/give-up', status: 200 },
  access: 'operator',
  right: 'work',
  // Once given up there is nothing left to give up.
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    category: categoryField,
    up_to: z.int().min(1).describe('The last number that is given up; higher gaps stay open.'),
    reason: textField(255),
  }),
  output: streamSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { db, ports } = call.house;
    const { category } = input;
    return db.transaction('node.give_up_gaps', async (tx) => {
      const node = await readNode(tx, input.sid);
      if (!node) return refuse('not_found', 'There is no node with this sid.');
      const stream = await giveUpNumbers(tx, { node: node.id, category }, input.up_to);
      if (!stream) return refuse('not_found', `This node has numbered no record of ${category}.`);
      await writeAudit(tx, {
        sid: ports.ids.sid(),
        at: ports.clock.now(),
        actor: call.actor.id,
        action: 'node.give-up-gaps',
        subject: node.sid,
        outcome: 'done',
        reason: input.reason,
        before: null,
        after: { category, up_to: input.up_to, given_up: Number(stream.givenUp) },
        requestId: call.requestId,
      });
      return toStream(stream, GAPS_SHOWN_MAX);
    });
  },
});

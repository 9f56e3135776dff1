import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { operation } from '../operation.ts';
import { recordUsage } from './record-usage.ts';
import { usageAnswerSchema, usageRecordSchema } from './usage-record.ts';

const RECORDS_MAX = 1_000;

/** As the documents show a record; the schema itself judges each record apart. */
const { $schema: _dialect, ...recordInDocuments } = z.toJSONSchema(usageRecordSchema, {
  io: 'input',
  unrepresentable: 'any',
});

export const usageRecord = operation({
  name: 'usage.record',
  summary: 'Report what was used; each record is charged in the commit that answers it',
  description:
    'Each record is judged on its own, and its answer stands at its place. A record that was sent before is answered as the first ' +
    'time. Usage is owed once it was delivered: it may take a wallet below zero, down to a limit; past it the record is kept as unbilled. ' +
    'A CloudEvents 1.0 batch is taken as well: source and id name the record, time is when it was used, data has the other fields.',
  http: { method: 'post', path: '/v1/usage', status: 200, cloudEvents: 'records' },
  rpcMethod: 'UsageService.record',
  access: 'node',
  idempotency: 'none',
  input: z.strictObject({
    // Not of the record's schema: one bad record must not refuse the others.
    records: z.array(z.unknown()).min(1).max(RECORDS_MAX).meta({ items: recordInDocuments }),
  }),
  output: z.object({
    items: z.array(
      z.object({ ...usageAnswerSchema.shape, is_repeated: z.boolean().describe('Answered as an earlier time.') }),
    ),
  }),
  refusals: [],
  async run({ house, actor }, input) {
    assert(actor.kind === 'node', 'only nodes are let in');
    const recorded = await recordUsage(house, actor.node, input.records);
    return { items: recorded.map(({ answer, isRepeated }) => ({ ...answer, is_repeated: isRepeated })) };
  },
});

export const usageRecordOne = operation({
  name: 'usage.record-one',
  summary: 'Report one thing that was used',
  http: { method: 'post', path: '/record_usage', status: 200 },
  rpcMethod: 'UsageService.record_one',
  access: 'node',
  idempotency: 'none',
  input: usageRecordSchema,
  output: usageAnswerSchema,
  refusals: [
    'not_found',
    'forbidden',
    'state_conflict',
    'idempotency_key_reused',
    'amount_out_of_range',
    'rate_limited',
    'unavailable',
  ],
  async run(call, input) {
    assert(call.actor.kind === 'node', 'only nodes are let in');
    const [recorded] = await recordUsage(call.house, call.actor.node, [input]);
    assert(recorded !== undefined, 'a record has an answer');
    if (recorded.isRepeated) call.markReplayed(null);
    return recorded.refusal ?? recorded.answer;
  },
});

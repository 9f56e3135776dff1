import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { streamSchema, toStream } from '../node/stream.ts';
import { recordUsage, type Recorded, type Report } from './record-usage.ts';
import { usageAnswerSchema, usageRecordSchema } from './usage-record.ts';

export const RECORDS_MAX = 1_000;
/** As many gaps of each category as an answer may have; `node.gaps` has more. */
const GAPS_ANSWERED_MAX = 10;

/** As the documents show a record; the schema itself judges each record apart. */
const { $schema: _dialect, ...withoutDialect } = z.toJSONSchema(usageRecordSchema, {
  io: 'input',
  unrepresentable: 'any',
});

export const recordInDocuments = withoutDialect;

/** What a report is answered. */
export const reportSchema = z.object({
  items: z.array(
    z.object({ ...usageAnswerSchema.shape, is_repeated: z.boolean().describe('Answered as an earlier time.') }),
  ),
  retry_after_seconds: z
    .int()
    .nullable()
    .describe(
      'Set when records were refused for now only (rate_limited, unavailable): after so many seconds send those again, in their ' +
        'order and before any later ones.',
    ),
  streams: z
    .array(streamSchema)
    .describe('Of the categories in which records of this report carry `seq`: which numbers have not come.'),
});

export const toReport = ({ recorded, streams }: Report) => ({
  items: recorded.map(({ answer, isRepeated }) => ({ ...answer, is_repeated: isRepeated })),
  retry_after_seconds: retryAfterOf(recorded),
  streams: streams.map((stream) => toStream(stream, GAPS_ANSWERED_MAX)),
});

export const usageRecord = operation({
  name: 'usage.record',
  summary: 'Report what was used; each record is charged in the commit that answers it',
  description:
    'Each record is judged on its own, and its answer stands at its place. A record that was sent before is answered as the first ' +
    'time. Usage is owed once it was delivered: it may take a wallet below zero, down to a limit; past it the record is kept as unbilled. ' +
    'A CloudEvents 1.0 batch is taken as well: source and id name the record, time is when it was used, data has the other fields. ' +
    'Say what time you have in X-Hero-Onboarding-Sent-At, and X-Hero-Onboarding-Clock-Skew answers by how many seconds you are ahead of us.',
  http: { method: 'post', path: '/v1/usage', status: 200, cloudEvents: 'records' },
  rpcMethod: 'UsageService.record',
  access: 'node',
  idempotency: 'none',
  input: z.strictObject({
    // Not of the record's schema: one bad record must not refuse the others.
    records: z.array(z.unknown()).min(1).max(RECORDS_MAX).meta({ items: recordInDocuments }),
  }),
  output: reportSchema,
  refusals: ['rate_limited'],
  async run({ house, actor }, input) {
    assert(actor.kind === 'node', 'only nodes are let in');
    const report = await recordUsage(house, actor.node, input.records);
    return isRefusal(report) ? report : toReport(report);
  },
});

/** The longest that any of the records asks to wait. */
function retryAfterOf(recorded: readonly Recorded[]): number | null {
  const seconds = recorded.flatMap(({ refusal }) => refusal?.retryAfterSeconds ?? []);
  return seconds.length === 0 ? null : Math.max(...seconds);
}

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
    const report = await recordUsage(call.house, call.actor.node, [input]);
    if (isRefusal(report)) return report;
    const [one] = report.recorded;
    assert(one !== undefined, 'a record has an answer');
    if (one.isRepeated) call.markReplayed(null);
    return one.refusal ?? one.answer;
  },
});

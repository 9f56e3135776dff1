import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { fingerprintOf } from '../../domain/idem.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { hourOf } from '../../domain/usage/batch.ts';
import { FUTURE_MAX_MS } from '../../domain/usage/clock-skew.ts';
import type { NodeRow } from '../../store/node.ts';
import { insertQueued } from '../../store/usage-queue.ts';
import type { House } from '../house.ts';
import { operation } from '../operation.ts';
import { readRecord } from './price-report.ts';
import { usageRecord } from './record.ts';
import type { UsageInput } from './usage-record.ts';

const queuedSchema = z
  .object({
    idempotency_key: z.string().nullable().describe('Null where the record had none that can be read.'),
    outcome: z
      .enum(['queued', 'refused'])
      .describe('queued: kept until it is pushed. refused: nothing was kept; see code.'),
    is_repeated: z.boolean().describe('It was queued an earlier time.'),
    code: z.string().nullable(),
    message: z.string().nullable(),
  })
  .meta({ id: 'QueuedUsage' });

type Queued = z.input<typeof queuedSchema>;

export const usageQueue = operation({
  name: 'usage.queue',
  summary: 'Keep records to be pushed to the Forge: for a node that reaches nobody',
  description:
    'Takes what `POST /v1/usage` takes, on the machine itself. `usage push`, every hour by itself, writes what was queued to the folder of ' +
    'the calling node in the repository, where the service collects it. Nothing is charged here.',
  http: { method: 'post', path: '/v1/usage/queue', status: 200, cloudEvents: 'records' },
  access: 'node',
  // A record is its own key, as it is for the service.
  idempotency: 'none',
  input: usageRecord.input,
  output: z.object({ items: z.array(queuedSchema) }),
  refusals: [],
  async run({ house, actor }, input) {
    assert(actor.kind === 'node', 'only nodes are let in');
    return { items: await queueUsage(house, actor.node, input.records) };
  },
});

interface Read {
  readonly input: UsageInput;
  readonly fingerprint: string;
}

/** Each record by itself. The answer comes after the commit: what is told 'queued' survives a crash. */
async function queueUsage(house: House, node: NodeRow, sent: readonly unknown[]): Promise<Queued[]> {
  const { clock } = house.ports;
  const now = clock.now();
  const read = sent.map((record) => readOne(record, now));
  const firsts = new Map<string, Read>();
  for (const one of read) {
    if (!isRefusal(one) && !firsts.has(one.input.idempotency_key)) firsts.set(one.input.idempotency_key, one);
  }
  const { isNew, fingerprints } = await house.db.transaction('usage.queue', (tx) =>
    insertQueued(tx, node.id, [...firsts.values()].map(toRow), now),
  );
  return read.map((one, index) => {
    if (isRefusal(one)) return refused(keyOf(sent[index]), one);
    const key = one.input.idempotency_key;
    if (fingerprints.get(key) !== one.fingerprint) {
      return refused(key, refuse('idempotency_key_reused', 'This idempotency_key was used for another record.'));
    }
    const isRepeated = !isNew.has(key) || firsts.get(key) !== one;
    return { idempotency_key: key, outcome: 'queued', is_repeated: isRepeated, code: null, message: null };
  });
}

function readOne(sent: unknown, now: Date): Read | Refusal {
  const input = readRecord(sent);
  if (isRefusal(input)) return input;
  // By the clock of the machine that measures: one that is wrong is better noticed now than at the service, next week.
  if (new Date(input.occurred_at).getTime() > now.getTime() + FUTURE_MAX_MS)
    return refuse('invalid_request', '#/occurred_at: must be at most 5 minutes ahead of now');
  return { input, fingerprint: fingerprintOf(input) };
}

const toRow = ({ input, fingerprint }: Read) => ({
  idempotencyKey: input.idempotency_key,
  hour: hourOf(new Date(input.occurred_at)),
  fingerprint,
  record: JSON.stringify(input),
});

const refused = (key: string | null, { code, message }: Refusal): Queued => ({
  idempotency_key: key,
  outcome: 'refused',
  is_repeated: false,
  code,
  message,
});

function keyOf(sent: unknown): string | null {
  const key = typeof sent === 'object' && sent !== null && 'idempotency_key' in sent ? sent.idempotency_key : null;
  return typeof key === 'string' ? key.slice(0, 255) : null;
}

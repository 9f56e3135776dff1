import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { readNode } from '../../store/node.ts';
import { listChargesOfNode, type NodeChargeRow } from '../../store/usage.ts';
import type { LineFilter } from '../../store/usage-line.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { foldAll } from '../usage/fold-all.ts';

const chargeSchema = z
  .object({
    wallet_sid: sidField,
    entry: z.int().describe('The number of the line in the wallet’s statement.'),
    charge: signedAmount,
    record: z.record(z.string(), z.unknown()).describe('What the node reported, with its price.'),
    occurred_at: instant,
    recorded_at: instant,
  })
  .meta({ id: 'NodeCharge' });

/** From the beginning of time to its end, as far as timestamps go. */
export const EVER = { since: new Date(0), until: new Date(Date.UTC(9999, 0, 1)) } as const;

/** Every line there is; narrow it. */
export const ANY_LINE: LineFilter = {
  walletSid: null,
  nodeSid: null,
  category: null,
  resourceKind: null,
  priceSid: null,
  occurredFrom: EVER.since,
  occurredUntil: EVER.until,
  recordedFrom: EVER.since,
  recordedUntil: EVER.until,
};

export const nodeUsage = operation({
  name: 'node.usage',
  summary: 'List everything that a node has charged, by wallet and line',
  http: { method: 'get', path: '/v1/nodes/{sid}/usage', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    since: instant.optional().describe('Recorded from then on.'),
    until: instant.optional().describe('Recorded before then.'),
    is_open: z.boolean().default(false).describe('Only what was not taken back.'),
    ...pageInput,
  }),
  output: pageOutput(chargeSchema),
  refusals: ['not_found'],
  async run({ house }, input) {
    const key = readCursor(house, 'node.usage', input.cursor);
    if (isRefusal(key)) return key;
    if (!(await readNode(house.db, input.sid))) return refuse('not_found', 'There is no node with this sid.');
    if (key === null) await foldAll(house);
    const [account = '0', seq = '0'] = key?.split(' ') ?? [];
    const rows = await listChargesOfNode(house.db, {
      nodeSid: input.sid,
      after: key === null ? null : { account: BigInt(account), seq: BigInt(seq) },
      since: input.since === undefined ? EVER.since : new Date(input.since),
      until: input.until === undefined ? EVER.until : new Date(input.until),
      isOpen: input.is_open,
      limit: input.limit + 1,
    });
    return pageOf(house, 'node.usage', rows, input.limit, (row) => `${row.account} ${row.seq}`, toCharge);
  },
});

const toCharge = (row: NodeChargeRow): z.input<typeof chargeSchema> => ({
  wallet_sid: row.walletSid,
  entry: Number(row.seq),
  charge: formatDecimal(-row.amount),
  record: JSON.parse(row.about) as Record<string, unknown>,
  occurred_at: row.occurredAt.toISOString(),
  recorded_at: row.recordedAt.toISOString(),
});

import { z } from 'zod';
import { FRACTIONS_PER_MICRO } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listUnbilled, type UnbilledRow } from '../../store/usage.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import type { UsageAbout } from './charge-records.ts';

const unbilledSchema = z
  .object({
    id: z.string(),
    wallet_sid: sidField,
    user_sid: sidField,
    amount: signedAmount.describe('What it would have cost, rounded down.'),
    code: z.string().describe('Why it was not charged.'),
    record: z.record(z.string(), z.unknown()).describe('What the node reported, with its price.'),
    recorded_at: instant,
  })
  .meta({ id: 'UnbilledUsage' });

export const usageListUnbilled = operation({
  name: 'usage.list-unbilled',
  summary: 'List usage that was delivered and not charged, newest first',
  description: 'The wallet was at the limit of what it may owe.',
  http: { method: 'get', path: '/v1/usage/unbilled', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: sidField.optional(), ...pageInput }),
  output: pageOutput(unbilledSchema),
  refusals: [],
  async run({ house }, input) {
    const key = readCursor(house, 'usage.list-unbilled', input.cursor);
    if (isRefusal(key)) return key;
    const [at = '', idem = ''] = key?.split(' ') ?? [];
    const before = key === null ? null : { recordedAt: new Date(at), idem };
    const rows = await listUnbilled(house.db, { before, walletSid: input.wallet_sid ?? null, limit: input.limit + 1 });
    return pageOf(house, 'usage.list-unbilled', rows, input.limit, cursorOf, toUnbilled);
  },
});

const cursorOf = ({ recordedAt, idem }: UnbilledRow): string => `${recordedAt.toISOString()} ${idem}`;

function toUnbilled(row: UnbilledRow): z.input<typeof unbilledSchema> {
  const about = JSON.parse(row.about ?? '{}') as UsageAbout;
  return {
    id: row.idem,
    wallet_sid: row.walletSid,
    user_sid: row.userSid,
    amount: formatDecimal(BigInt(about.parts) / FRACTIONS_PER_MICRO),
    code: row.code,
    record: { ...about },
    recorded_at: row.recordedAt.toISOString(),
  };
}

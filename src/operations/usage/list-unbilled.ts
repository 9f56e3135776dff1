import { z } from 'zod';
import { FRACTIONS_PER_MICRO } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listUnbilled, UNBILLED_STATES, type UnbilledRow } from '../../store/unbilled.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import type { UsageAbout } from './usage-about.ts';

export const unbilledIdField = z.guid().describe('The `id` of an item of the list of unbilled usage.');

export const unbilledSchema = z
  .object({
    id: unbilledIdField,
    wallet_sid: sidField,
    user_sid: sidField,
    amount: signedAmount.describe('What it would have cost, rounded down.'),
    code: z.string().describe('Why it was not charged.'),
    record: z.record(z.string(), z.unknown()).describe('What the node reported, with its price.'),
    state: z
      .enum(UNBILLED_STATES)
      .describe('open; billed later; written off; superseded by a record that corrects it, or by a void.'),
    reason: z.string().nullable().describe('Why it was written off.'),
    occurred_at: instant,
    recorded_at: instant,
  })
  .meta({ id: 'UnbilledUsage' });

export const usageListUnbilled = operation({
  name: 'usage.list-unbilled',
  summary: 'List usage that was delivered and not charged, newest first',
  description:
    'The wallet was at the limit of what it may owe. What is open is billed by itself when the wallet has funds, oldest first.',
  http: { method: 'get', path: '/v1/usage/unbilled', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: sidField.optional(), state: z.enum(UNBILLED_STATES).optional(), ...pageInput }),
  output: pageOutput(unbilledSchema),
  refusals: [],
  async run({ house }, input) {
    const key = readCursor(house, 'usage.list-unbilled', input.cursor);
    if (isRefusal(key)) return key;
    const [at = '', idem = ''] = key?.split(' ') ?? [];
    const before = key === null ? null : { recordedAt: new Date(at), idem };
    const { wallet_sid: walletSid = null, state = null } = input;
    const rows = await listUnbilled(house.db, { before, walletSid, state, limit: input.limit + 1 });
    return pageOf(house, 'usage.list-unbilled', rows, input.limit, cursorOf, toUnbilled);
  },
});

const cursorOf = ({ recordedAt, idem }: UnbilledRow): string => `${recordedAt.toISOString()} ${idem}`;

/** As operators read it. */
export function toUnbilled(row: UnbilledRow): z.input<typeof unbilledSchema> {
  const about = JSON.parse(row.about) as UsageAbout;
  return {
    id: row.idem,
    wallet_sid: row.walletSid,
    user_sid: row.userSid,
    amount: formatDecimal(BigInt(about.parts) / FRACTIONS_PER_MICRO),
    code: row.code,
    record: { ...about },
    state: row.state,
    reason: row.reason,
    occurred_at: row.occurredAt.toISOString(),
    recorded_at: row.recordedAt.toISOString(),
  };
}

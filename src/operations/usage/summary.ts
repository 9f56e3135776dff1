import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { readNodeNames } from '../../store/node.ts';
import { foldUsage, sumUsage, USAGE_GROUPS, type UsageSum } from '../../store/usage-day.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField, signedAmount } from '../schema.ts';
import { visibleWallet } from '../visible.ts';

const DAY_MS = 86_400_000;
const DAYS_DEFAULT = 30;

const dayField = z.iso.date().describe('YYYY-MM-DD, in UTC.');

const sumSchema = z
  .object({
    key: z.string().describe('The day, category, node or resource.'),
    name: z.string().nullable().describe('What a node is called; null for everything else.'),
    unit: z.string(),
    records: z.int(),
    quantity: z.string(),
    charge: signedAmount,
  })
  .meta({ id: 'UsageSum' });

export const usageSummary = operation({
  name: 'usage.summary',
  summary: 'Add up what a wallet was charged for usage, by day, category, node or resource',
  http: { method: 'get', path: '/v1/billings/{sid}/usage', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    by: z.enum(USAGE_GROUPS).default('day'),
    from: dayField.optional().describe('The first day; 30 days ago if left out.'),
    until: dayField.optional().describe('The last day, included; today if left out.'),
    ...pageInput,
  }),
  output: pageOutput(sumSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const { db, ports } = house;
    const wallet = await visibleWallet(db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const now = ports.clock.now();
    const from = input.from ?? dayOf(new Date(now.getTime() - DAYS_DEFAULT * DAY_MS));
    const until = input.until ?? dayOf(now);
    if (from > until) {
      const errors = [{ pointer: '#/until', detail: 'must not be before `from`' }];
      return refuse('invalid_request', 'The time ends before it begins.', { errors });
    }
    const key = readCursor(house, 'usage.summary', input.cursor);
    if (isRefusal(key)) return key;
    while (await db.transaction('usage.fold', (tx) => foldUsage(tx, wallet.id)));
    const [unit = '', ...rest] = key?.split(' ') ?? [];
    const after = key === null ? null : { key: rest.join(' '), unit };
    const { by, limit } = input;
    const rows = await sumUsage(db, { wallet: wallet.id, from, until, by, after, limit: limit + 1 });
    const names = by === 'node' ? await readNodeNames(db, [...new Set(rows.map((row) => row.key))]) : NO_NAMES;
    return pageOf(
      house,
      'usage.summary',
      rows,
      limit,
      (row) => `${row.unit} ${row.key}`,
      (row) => toSum(row, names),
    );
  },
});

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

const NO_NAMES: ReadonlyMap<string, string> = new Map();

const toSum = (
  { key, unit, records, quantity, charge }: UsageSum,
  names: ReadonlyMap<string, string>,
): z.input<typeof sumSchema> => ({
  key,
  name: names.get(key) ?? null,
  unit,
  records: Number(records),
  quantity,
  charge: formatDecimal(charge),
});

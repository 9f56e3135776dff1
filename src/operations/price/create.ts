import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { parseScaled, PRICE_DECIMALS } from '../../domain/usage/decimal.ts';
import { PRICE_KINDS, unitPriceOf } from '../../domain/usage/price.ts';
import { writeAudit } from '../../store/audit.ts';
import { insertPrice } from '../../store/price.ts';
import { operation } from '../operation.ts';
import { instant } from '../schema.ts';
import { categoryField, priceSchema, resourceKindField, toPrice } from './price.ts';

/** A million dollars a unit is a slip. */
const AMOUNT_MAX = 10n ** 18n;
const MARGIN_MAX = 10_000n;

export const priceCreate = operation({
  name: 'price.create',
  summary: 'Set what something costs from an instant on',
  description:
    'A price is never edited: this one counts for what happens from `active_from` on, until there is a later one. Usage that ' +
    'happened before keeps the price of its time.',
  http: { method: 'post', path: '/v1/prices', status: 201 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    category: categoryField,
    resource_kind: resourceKindField.optional(),
    kind: z
      .enum(PRICE_KINDS)
      .describe(
        'per_unit; per_hour, for durations in hours or seconds; cost_plus, what the provider charged and the margin.',
      ),
    unit: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and _')
      .describe('What a quantity of 1 is: token, call, gib_month. Always `hour` for per_hour.'),
    amount: z
      .string()
      .optional()
      .describe('US dollars a unit before the margin, at most 12 decimals; none for cost_plus.'),
    margin_percent: z.string().default('0').describe('On top, in per cent with at most two decimals: "10".'),
    active_from: instant.optional().describe('Now if left out. Not in the past: what was charged stays charged.'),
  }),
  output: priceSchema,
  refusals: ['state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    const priced = readPrice(input);
    if ('refusal' in priced) return priced.refusal;
    const activeFrom = input.active_from === undefined ? now : new Date(input.active_from);
    if (activeFrom < now) return invalid('active_from', 'must not be in the past');
    const price = {
      sid: ports.ids.sid(),
      category: input.category,
      resourceKind: input.resource_kind ?? null,
      kind: input.kind,
      unit: input.unit,
      ...priced,
      activeFrom,
      createdAt: now,
    };
    return db.transaction('price.create', async (tx) => {
      if (!(await insertPrice(tx, price, call.actor.id)))
        return refuse('state_conflict', 'There is a price from this very instant on already.');
      await writeAudit(tx, {
        sid: ports.ids.sid(),
        at: now,
        actor: call.actor.id,
        action: 'price.create',
        subject: price.sid,
        outcome: 'done',
        reason: null,
        before: null,
        after: { ...toPrice(price) },
        requestId: call.requestId,
      });
      return toPrice(price);
    });
  },
});

interface Asked {
  readonly kind: (typeof PRICE_KINDS)[number];
  readonly unit: string;
  readonly amount?: string | undefined;
  readonly margin_percent: string;
}

function readPrice(asked: Asked): { readonly amount: bigint; readonly margin: bigint } | { readonly refusal: Refusal } {
  const no = (field: string, detail: string) => ({ refusal: invalid(field, detail) });
  const margin = parseScaled(asked.margin_percent, 2);
  if (margin === null || margin > MARGIN_MAX) return no('margin_percent', 'must be 0 to 100 with at most two decimals');
  if (asked.kind === 'cost_plus') {
    return asked.amount === undefined
      ? { amount: 0n, margin }
      : no('amount', 'has no place in cost_plus: the cost comes with the record');
  }
  if (asked.kind === 'per_hour' && asked.unit !== 'hour') return no('unit', 'must be "hour" for a price per hour');
  const amount = asked.amount === undefined ? null : parseScaled(asked.amount, PRICE_DECIMALS);
  if (amount === null || amount === 0n || amount > AMOUNT_MAX)
    return no('amount', 'must be US dollars as decimal text, more than 0, with at most 12 decimals');
  if (unitPriceOf({ amount, margin }) === null)
    return no('margin_percent', 'with this amount comes to more than 12 decimals of a dollar; round one of them');
  return { amount, margin };
}

const invalid = (field: string, detail: string): Refusal =>
  refuse('invalid_request', 'The price is not valid.', { errors: [{ pointer: `#/${field}`, detail }] });

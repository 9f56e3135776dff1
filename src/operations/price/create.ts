import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { countsVolume, PRICE_KINDS } from '../../domain/usage/price.ts';
import { hasRungsFrom } from '../../domain/discount/ladder.ts';
import { listLadders } from '../../store/ladder.ts';
import { insertPrice, lockCategory } from '../../store/price.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { instant } from '../schema.ts';
import { categoryField, priceSchema, resourceKindField, toPrice } from './price.ts';
import { invalidPrice, readTerms } from './terms.ts';

const TIERS_MAX = 20;

export const priceCreate = operation({
  name: 'price.create',
  summary: 'Set what something costs from an instant on',
  description:
    'A price is never edited: this one counts for what happens from `active_from` on, until there is a later one. Usage that ' +
    'happened before keeps the price of its time. A tiered price and a package count what a wallet used of it in a month (UTC); a new one ' +
    'counts from zero. They do not go together with a discount ladder, whose rungs would make the order of the records matter.',
  http: { method: 'post', path: '/v1/prices', status: 201 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({
    category: categoryField,
    resource_kind: resourceKindField.optional(),
    kind: z
      .enum(PRICE_KINDS)
      .describe(
        'per_unit; per_hour, for durations in hours or seconds; cost_plus, what the provider charged and the margin; tiered, each part of a ' +
          'month’s volume at its own price; package, by the package that was begun.',
      ),
    unit: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and _')
      .describe('What a quantity of 1 is: token, call, gib_month. Always `hour` for per_hour.'),
    amount: z
      .string()
      .optional()
      .describe(
        'US dollars a unit, or a package, before the margin, at most 12 decimals; none for cost_plus and tiered.',
      ),
    tiers: z
      .array(z.strictObject({ up_to: z.string().optional(), amount: z.string() }))
      .max(TIERS_MAX)
      .optional()
      .describe(
        'For tiered: [{"up_to":"100","amount":"0"},{"amount":"0.02"}], by rising up_to, units of a month; the last without it.',
      ),
    package_size: z.string().optional().describe('For package: how many units it has.'),
    margin_percent: z.string().default('0').describe('On top, in per cent with at most two decimals: "10".'),
    active_from: instant.optional().describe('Now if left out. In the past only with is_backdated.'),
    is_backdated: z
      .boolean()
      .default(false)
      .describe(
        'Lets active_from lie in the past, to put a wrong price right. Lines that were charged are NOT changed by it: make a correction of ' +
          'kind reprice for them (correction.create). Records that come late have the new price at once.',
      ),
  }),
  output: priceSchema,
  refusals: ['state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    const terms = readTerms(input);
    if ('refusal' in terms) return terms.refusal;
    const activeFrom = input.active_from === undefined ? now : new Date(input.active_from);
    if (activeFrom < now && !input.is_backdated)
      return invalidPrice('active_from', 'must not be in the past, unless is_backdated is true');
    const price = {
      sid: ports.ids.sid(),
      category: input.category,
      resourceKind: input.resource_kind ?? null,
      kind: input.kind,
      unit: input.unit,
      ...terms,
      activeFrom,
      createdAt: now,
      isBackdated: activeFrom < now,
    };
    return db.transaction('price.create', async (tx) => {
      await lockCategory(tx, price.category);
      if (countsVolume(price) && hasRungsFrom(await listLadders(tx, [price.category]), price.category, activeFrom))
        return refuse('state_conflict', HAS_LADDER);
      if (!(await insertPrice(tx, price, call.actor.id)))
        return refuse('state_conflict', 'There is a price from this very instant on already.');
      await recordAudit(tx, call, {
        action: 'price.create',
        subject: price.sid,
        after: { ...toPrice(price), tiers: JSON.stringify(toPrice(price).tiers) },
      });
      return toPrice(price);
    });
  },
});

const HAS_LADDER =
  'The category has a discount ladder then, and a price that counts volume does not go together with one: ' +
  'the order of the records would decide what they cost. Give the category a ladder without rungs first (ladder.set).';

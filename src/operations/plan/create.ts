import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { formatDecimal, parseDecimal } from '../../domain/money.ts';
import { PERIOD_UNITS } from '../../domain/plan/period.ts';
import { refuse } from '../../domain/refusal.ts';
import { insertPlan, lockPlanCode, readPlans } from '../../store/plan.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { amountField, instant, textField } from '../schema.ts';
import { planCodeField, planSchema, toPlan } from './plan.ts';

/** A million dollars is a slip of a keyboard, not a price. */
const PRICE_MAX = 1_000_000_000_000n;
const VMS_MAX = 10_000;
const INCLUDES_MAX = 20;

export const planCreate = operation({
  name: 'plan.create',
  summary: 'Offer a plan, or a new version of one, from an instant on',
  description:
    'A version is never edited: this one counts for whoever buys or renews from `active_from` on, until there is a later one. Periods that ' +
    'are paid keep theirs.',
  http: { method: 'post', path: '/v1/plans', status: 201 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({
    code: planCodeField,
    name: textField(100).describe('What a buyer reads: "5 VMs".'),
    price: amountField.describe('US dollars for one period.'),
    period_unit: z.enum(PERIOD_UNITS).default('day'),
    period_count: z.int().min(1).max(366).default(30),
    vm_count: z.int().min(1).max(VMS_MAX),
    vm_size: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9, ".", "_" and "-"')
      .describe('Of which size its VMs are; machines of the pool have one as well.'),
    includes: z.array(textField(100)).max(INCLUDES_MAX).default([]),
    active_from: instant.optional().describe('Now if left out; not in the past.'),
  }),
  output: planSchema,
  refusals: ['state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { db, ports } = call.house;
    const price = parseDecimal(input.price);
    assert(price !== null, 'the schema has the grammar of parseDecimal');
    if (price > PRICE_MAX)
      return refuse('amount_out_of_range', 'The price is out of range.', {
        details: { amount_max: formatDecimal(PRICE_MAX) },
      });
    return db.transaction('plan.create', async (tx) => {
      await lockPlanCode(tx, input.code);
      const now = ports.clock.now();
      const activeFrom = input.active_from === undefined ? now : new Date(input.active_from);
      if (activeFrom < now)
        return refuse('invalid_request', 'A plan cannot begin in the past: who has bought or renewed since has paid.', {
          errors: [{ pointer: '#/active_from', detail: 'must not be in the past' }],
        });
      const versions = (await readPlans(tx)).filter(({ code }) => code === input.code);
      if (versions.some((version) => version.activeFrom.getTime() === activeFrom.getTime()))
        return refuse('state_conflict', 'There is a version from this very instant on already.');
      const plan = {
        sid: ports.ids.sid(),
        code: input.code,
        version: (versions.at(-1)?.version ?? 0) + 1,
        name: input.name,
        price,
        period: { unit: input.period_unit, count: input.period_count },
        vmCount: input.vm_count,
        vmSize: input.vm_size,
        includes: input.includes,
        isForSale: true,
        activeFrom,
        createdAt: now,
        createdBy: call.actor.id,
      };
      await insertPlan(tx, plan);
      const { includes, ...facts } = toPlan(plan);
      await recordAudit(tx, call, {
        action: 'plan.create',
        subject: plan.sid,
        after: { ...facts, includes: includes.join('; ') },
      });
      return toPlan(plan);
    });
  },
});

import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { PERIOD_UNITS } from '../../domain/plan/period.ts';
import type { PlanRow } from '../../store/plan.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const planCodeField = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and -, beginning with a letter')
  .describe('What is bought, whatever its version: vm-5.');

export const planSchema = z
  .object({
    sid: sidField.describe('Of this version.'),
    code: planCodeField,
    version: z.int(),
    name: z.string(),
    price: signedAmount.describe('For one period.'),
    period_unit: z.enum(PERIOD_UNITS).describe('day: 24 hours each; month: of the calendar, in UTC.'),
    period_count: z.int(),
    vm_count: z.int().describe('How many VMs may be allocated at a time.'),
    vm_size: z.string(),
    includes: z.array(z.string()).describe('What else it includes, a line each.'),
    is_for_sale: z.boolean().describe('False: this version ends the selling.'),
    active_from: instant,
    created_at: instant,
  })
  .meta({ id: 'Plan' });

export const toPlan = (plan: PlanRow): z.input<typeof planSchema> => ({
  sid: plan.sid,
  code: plan.code,
  version: plan.version,
  name: plan.name,
  price: formatDecimal(plan.price),
  period_unit: plan.period.unit,
  period_count: plan.period.count,
  vm_count: plan.vmCount,
  vm_size: plan.vmSize,
  includes: [...plan.includes],
  is_for_sale: plan.isForSale,
  active_from: plan.activeFrom.toISOString(),
  created_at: plan.createdAt.toISOString(),
});

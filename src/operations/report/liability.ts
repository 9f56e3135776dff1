import { z } from 'zod';
import { GRANT_KINDS } from '../../domain/grant/grant.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { readLiability, type Counted, type Liability } from '../../store/report.ts';
import type { House } from '../house.ts';
import { operation } from '../operation.ts';
import { instant, signedAmount } from '../schema.ts';

/** v1 opens wallets in this currency alone. */
const CURRENCY = 'USD';

/** By how many of the store's `AGE_DAYS` something is older than. */
const AGES = ['under_30_days', '30_to_90_days', '90_to_365_days', 'over_365_days'] as const;

const part = (of: string, what: string) =>
  z.object({ amount: signedAmount, count: z.int().describe(`How many ${of}.`) }).describe(what);

const liabilitySchema = z
  .object({
    at: instant.describe('What was recorded until then counts.'),
    currency: z.string(),
    paid: part('wallets', 'What lies in wallets and was paid.'),
    owing: part('wallets', 'Wallets below zero: minus.'),
    reserved: part('wallets', 'What holds, and refunds under way, have set aside: of paid and of given credit.'),
    frozen: part('wallets', 'What is disputed.'),
    given: part('grants', 'What is left of credit that was given.'),
    total: signedAmount.describe('The sum of these five: what the house owes its customers.'),
    difference: signedAmount.describe(
      'The total with the house’s own accounts. Anything but 0.00: run the ledger check.',
    ),
    ages: z.array(
      z.object({
        kind: z.enum(['paid', ...GRANT_KINDS]),
        age: z.enum(AGES).describe('Since it was paid or given. What was paid first counts as spent first.'),
        amount: signedAmount,
      }),
    ),
    given_by_kind: z.array(
      z.object({
        kind: z.enum(GRANT_KINDS),
        grants: z.int(),
        given: signedAmount.describe('All that was ever given: the sum of the next four.'),
        used: signedAmount,
        expired: signedAmount.describe('What was left when its time was over (breakage).'),
        revoked: signedAmount,
        outstanding: signedAmount,
      }),
    ),
  })
  .meta({ id: 'Liability' });

export type LiabilityReport = z.input<typeof liabilitySchema>;

export const liabilityInput = {
  at: instant.optional().describe('Now if left out. The past does not change once its last minute is over.'),
};

export const reportLiability = operation({
  name: 'report.liability',
  summary: 'Say what is owed to customers, now or at any instant before',
  description:
    'Made of the ledger’s entries alone: what was paid and what was given, by kind and age; what is set aside or disputed; wallets that owe; and ' +
    'what became of all that was given. Reads every entry: seconds for millions of them.',
  http: { method: 'get', path: '/v1/reports/liability', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject(liabilityInput),
  output: liabilitySchema,
  refusals: [],
  async run({ house }, input) {
    return await liabilityAt(house, input.at);
  },
});

/** Refuses invalid_request for an instant that has not come. */
export async function liabilityAt(house: House, asked: string | undefined): Promise<LiabilityReport | Refusal> {
  const now = house.ports.clock.now();
  const at = asked === undefined ? now : new Date(asked);
  if (at > now)
    return refuse('invalid_request', 'Nobody knows what will be owed then.', {
      errors: [{ pointer: '#/at', detail: 'must not lie in the future' }],
    });
  return toReport(at, await readLiability(house.db, { at, currency: CURRENCY }));
}

const partOf = ({ amount, count }: Counted) => ({ amount: formatDecimal(amount), count });

function toReport(at: Date, { held, ages, given }: Liability): LiabilityReport {
  const { paid, owing, reserved, frozen } = held;
  const total = [paid, owing, reserved, frozen, held.given].reduce((sum, { amount }) => sum + amount, 0n);
  return {
    at: at.toISOString(),
    currency: CURRENCY,
    paid: partOf(paid),
    owing: partOf(owing),
    reserved: partOf(reserved),
    frozen: partOf(frozen),
    given: partOf(held.given),
    total: formatDecimal(total),
    difference: formatDecimal(total + held.system),
    ages: ages.map(({ kind, age, amount }) => ({
      kind,
      age: AGES[age] ?? 'over_365_days',
      amount: formatDecimal(amount),
    })),
    given_by_kind: given.map((row) => ({
      kind: row.kind,
      grants: row.grants,
      given: formatDecimal(row.given),
      used: formatDecimal(row.used),
      expired: formatDecimal(row.expired),
      revoked: formatDecimal(row.revoked),
      outstanding: formatDecimal(row.outstanding),
    })),
  };
}

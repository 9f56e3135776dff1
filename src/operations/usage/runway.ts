import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { hourlyShare, runwayOf, runwayText, WINDOW_HOURS, type Runway } from '../../domain/standing/runway.ts';
import { HOUR_MS } from '../../domain/standing/state.ts';
import { readWalletFacts, type StandingPlan } from '../../store/standing-facts.ts';
import { listOpenVms } from '../../store/standing-vm.ts';
import { operation } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { readBurn } from '../standing/settle.ts';
import { visibleWallet } from '../visible.ts';

const vmSchema = z.object({
  allocation_sid: sidField,
  name: z.string(),
  stop_order: z.int().describe('The lowest is stopped first.'),
  per_hour: signedAmount.describe('Its share of what the plan costs, for an hour, rounded up.'),
  hours: z
    .int()
    .nullable()
    .describe('How long the wallet would last if it paid for nothing but this VM; null: for ever.'),
});

export const usageRunway = operation({
  name: 'usage.runway',
  summary: 'Say how long a wallet lasts at its present rate',
  description:
    'Usage goes on as in the last 24 hours, and each period of the plan is paid when it begins. It ends when nothing is left, or when a ' +
    'period cannot be paid.',
  http: { method: 'get', path: '/v1/billings/{sid}/runway', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({
    credit_balance: signedAmount,
    available: signedAmount.describe('What the wallet can spend, given credit included; the hours are of this.'),
    per_hour: signedAmount.describe('What usage has cost an hour, over the last 24 hours, rounded up.'),
    plan_per_hour: signedAmount.describe('What an hour of the next period of the plan costs, rounded up.'),
    hours: z
      .int()
      .nullable()
      .describe('Whole hours until the wallet is empty or cannot pay its plan; null: nothing uses it up.'),
    empty_at: instant.nullable(),
    ends_by: z
      .enum(['usage', 'plan'])
      .nullable()
      .describe('usage: it is used up · plan: a period cannot be paid; null: neither.'),
    text: z.string().describe('The same for people: "9 d 4 h at the present rate".'),
    vms: z.array(vmSchema).describe('Each VM that is not given back, in the order in which they would be stopped.'),
  }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const { db, ports } = house;
    const wallet = await visibleWallet(db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const now = ports.clock.now();
    const [facts] = await readWalletFacts(db, [wallet.id]);
    assert(facts !== undefined, 'a wallet that was read is there');
    const burn = await readBurn(db, facts, now);
    const runway = runwayOf(burn, now);
    const share = shareOf(facts.plan);
    const vms = await listOpenVms(db, wallet.id);
    return {
      credit_balance: formatDecimal(wallet.balance),
      available: formatDecimal(micros(wallet.balance + wallet.given)),
      per_hour: formatDecimal(micros((burn.dayCharge + WINDOW_HOURS - 1n) / WINDOW_HOURS)),
      plan_per_hour: formatDecimal(
        micros(burn.renewal === null ? 0n : hourlyShare(burn.renewal.price, burn.renewal.everyMs, 1)),
      ),
      hours: hoursOf(runway),
      empty_at: runway.msLeft === null ? null : new Date(now.getTime() + runway.msLeft).toISOString(),
      ends_by: runway.endsBy,
      text: runwayText(runway, burn.dayCharge > 0n || burn.renewal !== null),
      vms: vms.map(({ sid, name, stopOrder }) => ({
        allocation_sid: sid,
        name,
        stop_order: stopOrder,
        per_hour: formatDecimal(micros(share)),
        hours: share === 0n ? null : Number((facts.available > 0n ? facts.available : 0n) / share),
      })),
    };
  },
});

const hoursOf = ({ msLeft }: Runway): number | null => (msLeft === null ? null : Math.floor(msLeft / HOUR_MS));

/** What a plan costs for each of its VMs and hours; zero without one. */
const shareOf = (plan: StandingPlan | null): bigint =>
  plan === null || plan.price === 0n ? 0n : hourlyShare(plan.price, plan.periodMs, plan.vmTotal);

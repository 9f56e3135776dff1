import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { mayRescue, STANDING_REASONS, STANDING_STATES } from '../../domain/standing/state.ts';
import type { WalletFacts } from '../../store/standing-facts.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { amountDue } from './tell.ts';

/** How a wallet stands, as the outside knows it. */
export const standingSchema = z
  .object({
    wallet_sid: sidField,
    user_sid: sidField,
    display_name: z.string(),
    state: z
      .enum(STANDING_STATES)
      .describe(
        'active · low: less than the limit, or it does not last long · empty: nothing is left, or something is due · suspended: its VMs are stopped · released: they were given back, and nothing has been paid since',
      ),
    since: instant,
    reason: z
      .enum(STANDING_REASONS)
      .nullable()
      .describe(
        'What is the matter: balance: it owes · plan: a period could not be paid · dispute, operator: it is frozen; null: nothing is due.',
      ),
    available: signedAmount.describe('What can be spent now.'),
    due: signedAmount
      .nullable()
      .describe('What has to come in so that nothing is due; null: it is frozen, and money does not change that.'),
    next: z
      .object({ state: z.enum(['suspended', 'released']), at: instant })
      .nullable()
      .describe('What comes next if nothing is paid; null: nothing does by itself.'),
    renewal: z
      .object({ at: instant, price: signedAmount })
      .nullable()
      .describe('The next period of the plan; null: there is none to come.'),
    vms: z.int().describe('VMs that are not given back.'),
    stopped_vms: z.int(),
    rescue: z
      .object({
        is_available: z.boolean().describe('Whether the VMs may run once more now, to fetch what is on them.'),
        until: instant.nullable().describe('Until when they run so; null: it was not asked for in this suspension.'),
      })
      .describe('The rescue window of a suspension.'),
    restoring_since: instant.nullable().describe('Since when VMs are being started again; null: none is.'),
  })
  .meta({ id: 'Standing' });

export function toStanding(facts: WalletFacts): z.input<typeof standingSchema> {
  const { standing, plan } = facts;
  const due = amountDue(facts);
  const isToRenew = plan?.isRenewing === true && !plan.isPastDue;
  return {
    wallet_sid: facts.walletSid,
    user_sid: facts.userSid,
    display_name: facts.displayName,
    state: standing.state,
    since: standing.since.toISOString(),
    reason: standing.reason,
    available: formatDecimal(facts.available),
    due: due === null ? null : formatDecimal(due),
    next: standing.deadlineAt && {
      state: standing.state === 'suspended' ? 'released' : 'suspended',
      at: standing.deadlineAt.toISOString(),
    },
    renewal: isToRenew ? { at: plan.periodEndsAt.toISOString(), price: formatDecimal(plan.nextPrice) } : null,
    vms: facts.vms,
    stopped_vms: facts.stoppedVms,
    rescue: {
      is_available: mayRescue(standing) && facts.vms > 0,
      until: standing.rescueUntil?.toISOString() ?? null,
    },
    restoring_since: standing.restoringSince?.toISOString() ?? null,
  };
}

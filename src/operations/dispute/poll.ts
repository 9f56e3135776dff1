import { ProviderFailure } from '../../providers/provider.ts';
import { listPaymentsUnderDispute } from '../../store/dispute.ts';
import type { House } from '../house.ts';
import { ownCause } from '../payment/cause.ts';
import { settlePayment } from '../payment/settle.ts';

/** Disputes take weeks, and few are under way at a time. */
const PAGE_PAYMENTS = 100;

/**
 * Asks the provider about every payment with a dispute that is not over. A lost dispute is on no statement: without its webhook nothing
 * else would tell.
 *
 * Shape: how many payments were asked about. One that cannot be asked about is logged, and asked about again next time.
 * Safe to: run in several processes at once: asking twice changes nothing.
 */
export async function pollDisputes(house: House): Promise<number> {
  let asked = 0;
  let after: string | null = null;
  for (;;) {
    const sids: string[] = await listPaymentsUnderDispute(house.db, after, PAGE_PAYMENTS);
    for (const sid of sids) await ask(house, sid);
    asked += sids.length;
    const last = sids.at(-1);
    if (last === undefined || sids.length < PAGE_PAYMENTS) return asked;
    after = last;
  }
}

async function ask(house: House, sid: string): Promise<void> {
  try {
    await settlePayment(house, sid, ownCause(house, 'reconciler'));
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ payment_sid: sid, kind: error.kind, error }, 'a disputed payment could not be asked about');
  }
}

import { ProviderFailure } from '../../providers/provider.ts';
import {
  claimDueErasures,
  customersOf,
  dropPersonal,
  forgetCustomer,
  markSwept,
  readErasure,
  type KeptAt,
} from '../../store/erasure.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import { cardProviders, type CardProvider } from '../card/customer.ts';
import type { House } from '../house.ts';

const ERASURES_MAX = 20;
const LEASE_MS = 10 * 60_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A page on which a card is saved lives for a day at the longest; one that was open at the erasure may still save one. */
const LAST_LOOK_AFTER_MS = 25 * HOUR_MS;

/**
 * Goes on with erasures: what providers keep of saved cards, and whatever was being written while the account was deleted.
 *
 * Shape: how many were looked after. Safe to: run in several processes, and again after a crash.
 */
export async function sweepErasures(house: House): Promise<number> {
  const now = house.ports.clock.now();
  const claim = { now, leaseEndsAt: new Date(now.getTime() + LEASE_MS), limit: ERASURES_MAX };
  const sids = await house.db.transaction('erasure.claim_due', (tx) => claimDueErasures(tx, claim));
  for (const sid of sids) await sweepErasure(house, sid);
  return sids.length;
}

/** One of them. A provider that does not answer is no failure: it is asked again. */
export async function sweepErasure(house: House, userSid: string): Promise<void> {
  const row = await readErasure(house.db, userSid);
  if (row === null || row.erasedAt === null || row.nextSweepAt === null) return;
  const kept = await customersOf(house.db, userSid);
  const isEmptied = await removeCards(house, kept);
  const now = house.ports.clock.now();
  const lastLookAt = new Date(row.erasedAt.getTime() + LAST_LOOK_AFTER_MS);
  const isLast = isEmptied && now >= lastLookAt;
  await house.db.transaction('erasure.sweep', async (tx) => {
    await dropPersonal(tx, userSid, now);
    if (isLast) for (const record of kept) await forgetCustomer(tx, userSid, record);
    await markSwept(tx, userSid, isLast ? null : isEmptied ? lastLookAt : tryAgainAt(now, row.sweeps));
    if (isLast) await recordAudit(tx, ownAuthor(house, 'erasure'), { action: 'erasure.complete', subject: userSid });
  });
}

/** After one minute, two, four … an hour. */
const tryAgainAt = (now: Date, sweeps: number): Date =>
  new Date(now.getTime() + Math.min(HOUR_MS, MINUTE_MS * 2 ** Math.min(sweeps, 6)));

/** Whether no card is left anywhere. Asks the providers; a card that is gone already is no failure. */
async function removeCards(house: House, kept: readonly KeptAt[]): Promise<boolean> {
  if (kept.length === 0) return true;
  try {
    const providers = await cardProviders(house);
    let isEmptied = true;
    for (const record of kept) isEmptied = (await removeCardsAt(house, providers, record)) && isEmptied;
    return isEmptied;
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ kind: error.kind, error }, 'saved cards of a deleted account could not be removed yet');
    return false;
  }
}

async function removeCardsAt(house: House, providers: readonly CardProvider[], record: KeptAt): Promise<boolean> {
  const at = providers.find(
    ({ provider, account }) => provider.name === record.provider && account.id === record.providerAccount,
  );
  if (!at) {
    const facts = { provider: record.provider, provider_account: record.providerAccount };
    house.ports.log.warn(facts, 'saved cards of a deleted account are at a provider that is not configured any more');
    return false;
  }
  for (const { cardRef } of await at.cards.list(record.customerRef)) await at.cards.remove(record.customerRef, cardRef);
  return true;
}

import type { ListedEvent } from '../../providers/provider-cards.ts';
import { ProviderFailure, type PaymentProvider } from '../../providers/provider.ts';
import { readUndeliveredMark, saveUndeliveredMark } from '../../store/inbox.ts';
import {
  listPaymentsAssignedFrom,
  readPayment,
  readPaymentByOrder,
  readPaymentByPaymentRef,
} from '../../store/payment.ts';
import type { House } from '../house.ts';
import { storeEvent } from './receive.ts';

/** A delivery that is on its way gets this long before its event is looked up. */
const ON_ITS_WAY_MS = 60_000;
/** An event may enter the provider's list a moment after others that are younger. */
const OVERLAP_MS = 15 * 60_000;
/** The first time: as long as providers repeat a delivery. */
const FIRST_LOOK_BACK_MS = 3 * 86_400_000;
/** As long as the provider keeps events; what is older is found by the reconciler. */
const LOOK_BACK_MAX_MS = 30 * 86_400_000;
/** A page has some dozens of events; more pages than this in one go is an error in the provider's paging. */
const PAGES_MAX = 10_000;

/**
 * Takes in what providers could not deliver, since the last time: after an outage of ours, or of the road between. Each event becomes
 * an inbox row like a webhook; one that did arrive, or arrives later, is the same row.
 *
 * Shape: how many were new. A provider that fails is logged and read again next time, from the same place.
 * Safe to: run at any time, in several processes; it may die anywhere, the mark moves only after everything before it was stored.
 */
export async function fetchUndelivered(house: House): Promise<number> {
  let stored = 0;
  for (const provider of house.providers.values()) {
    try {
      stored += await fetchFrom(house, provider);
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      const facts = { provider: provider.name, kind: error.kind, error };
      house.ports.log.warn(facts, 'the list of undelivered events could not be read');
    }
  }
  return stored;
}

async function fetchFrom(house: House, provider: PaymentProvider): Promise<number> {
  if (!provider.listUndelivered) return 0;
  const now = house.ports.clock.now();
  const { id: account } = await provider.account();
  const mark = await readUndeliveredMark(house.db, provider.name, account);
  const period = { since: sinceOf(mark, now), until: new Date(now.getTime() - ON_ITS_WAY_MS) };
  let stored = 0;
  let cursor: string | null = null;
  for (let page = 0; ; page += 1) {
    if (page >= PAGES_MAX) throw new ProviderFailure('broken', 'none', 'The list of events does not end.');
    const listed: Awaited<ReturnType<NonNullable<PaymentProvider['listUndelivered']>>> = await provider.listUndelivered(
      period,
      cursor,
    );
    for (const event of listed.events) if (await take(house, provider.name, event, now)) stored += 1;
    cursor = listed.nextCursor;
    if (cursor === null) break;
  }
  await house.db.transaction('webhook.undelivered_read', (tx) =>
    saveUndeliveredMark(tx, { provider: provider.name, account, upTo: period.until }),
  );
  if (stored > 0) house.ports.log.info({ provider: provider.name, events: stored }, 'undelivered events taken in');
  return stored;
}

function sinceOf(mark: Date | null, now: Date): Date {
  const wanted = mark === null ? now.getTime() - FIRST_LOOK_BACK_MS : mark.getTime() - OVERLAP_MS;
  return new Date(Math.max(wanted, now.getTime() - LOOK_BACK_MAX_MS));
}

async function take(house: House, provider: string, listed: ListedEvent, now: Date): Promise<boolean> {
  if (!(await isOurs(house, provider, listed))) return false;
  const { body, ...event } = listed;
  return await storeEvent(house, { provider, event, body, now, source: 'list', verifiedWith: 'key' });
}

/**
 * The list is the account's, not our endpoint's: an account that serves other programs has their events in it. Ours speak of a
 * payment that we have.
 */
async function isOurs(house: House, provider: string, event: ListedEvent): Promise<boolean> {
  const { paymentSid, orderRef, paymentRef, refundSid } = event;
  if (refundSid !== null) return true;
  if (paymentSid !== null && (await readPayment(house.db, paymentSid)) !== null) return true;
  if (orderRef !== null && (await readPaymentByOrder(house.db, provider, orderRef)) !== null) return true;
  if (orderRef !== null && (await listPaymentsAssignedFrom(house.db, provider, orderRef)).length > 0) return true;
  return paymentRef !== null && (await readPaymentByPaymentRef(house.db, provider, paymentRef)) !== null;
}

import { ProviderFailure } from '../provider.ts';
import type { FullInvoice, Greenfield } from './client.ts';
import { isOurInvoice } from './map.ts';

export interface InvoiceWindow {
  /** Oldest first. */
  readonly invoices: readonly FullInvoice[];
  readonly nextCursor: string | null;
}

const PAGE_SIZE = 100;
/** 100,000 invoices: more than are made while webhooks are lost, and an end to the walk. */
const WALK_PAGES_MAX = 1_000;

/**
 * Our invoices made at or after an instant, a page at a time.
 *
 * BTCPay Server lists the newest first and counts from there, and new ones are made meanwhile. So the first call closes the window at the
 * present second and walks to its far end; the cursor is the window's end and the place in it, and leads back. A page that has moved by
 * an invoice that was archived meanwhile is looked at again the next time.
 */
export async function listOldestFirst(
  api: Greenfield,
  since: Date,
  cursor: string | null,
  now: Date,
): Promise<InvoiceWindow> {
  const place = cursor === null ? null : readCursor(cursor);
  const until = place?.until ?? now;
  const window = { since, until };
  const skip = place?.skip ?? (await lastPage(api, window));
  const { invoices } = await api.listInvoices(window, { skip, take: PAGE_SIZE }, isOurInvoice);
  const nextCursor = skip === 0 ? null : `${Math.floor(until.getTime() / 1000)}-${skip - PAGE_SIZE}`;
  return { invoices: invoices.toReversed(), nextCursor };
}

async function lastPage(api: Greenfield, window: { readonly since: Date; readonly until: Date }): Promise<number> {
  for (let page = 0; page < WALK_PAGES_MAX; page += 1) {
    const skip = page * PAGE_SIZE;
    const { count } = await api.listInvoices(window, { skip: skip + PAGE_SIZE, take: 1 }, () => false);
    if (count === 0) return skip;
  }
  throw new ProviderFailure('broken', 'none', "BTCPay Server's list of invoices does not end.");
}

function readCursor(cursor: string): { readonly until: Date; readonly skip: number } {
  const match = /^([0-9]{1,12})-([0-9]{1,9})$/.exec(cursor);
  if (match === null) throw new ProviderFailure('refused', 'none', 'This is no cursor of ours.');
  return { until: new Date(Number(match[1]) * 1000), skip: Number(match[2]) };
}

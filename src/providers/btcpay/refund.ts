import { formatDecimal, micros, ZERO, type Micros } from '../../domain/money.ts';
import type { NewRefund, ProviderOrder, ProviderPayment, ProviderRefund } from '../provider.ts';
import { unknownIfFails } from '../unknown-outcome.ts';
import { toMicros, worthOf, type Exact } from './amount.ts';
import type { FullInvoice, Greenfield } from './client.ts';
import type { Payout, PullPayment } from './shapes.ts';

/** A customer who does not say in this time where the coins are to go has the money back in the wallet. */
const CLAIM_DAYS = 30;

/** How a pull payment of ours is found again; BTCPay Server takes at most 50 characters. */
const nameOf = (refundSid: string): string => `Top-up refund ${refundSid}`;
const descriptionOf = ({ paymentRef, orderRef }: NewRefund): string =>
  `For payment ${paymentRef} of invoice ${orderRef}.`;

const refundSidIn = ({ name }: PullPayment): string | null =>
  /^Top-up refund ([0-9A-Z]{12,40})$/.exec(name ?? '')?.[1] ?? null;

/** By the name that BTCPay Server gives to a refund it makes of an invoice. */
const invoiceIdIn = ({ name }: PullPayment): string | null =>
  /^Refund ([A-Za-z0-9]{8,64})$/.exec(name ?? '')?.[1] ?? null;

/** Whose refund a pull payment is: one of ours, or one that the merchant made of an invoice on its page. Null: of none. */
export function invoiceIdOf(pullPayment: PullPayment): string | null {
  if (refundSidIn(pullPayment) === null) return invoiceIdIn(pullPayment);
  return / of invoice ([A-Za-z0-9]{8,64})\.$/.exec(pullPayment.description ?? '')?.[1] ?? null;
}

/**
 * A refund is a pull payment: an amount in dollars that the customer claims, to whatever address. Looked for by our sid before it is
 * made, and again after: of two that were made at once the older one stays. Only a "no" to the making itself is a definite one.
 */
export async function makeRefund(api: Greenfield, refund: NewRefund, now: Date): Promise<ProviderRefund> {
  const before = await unknownIfFails(async () => {
    const found = await findRefund(api, refund);
    return found === null ? null : await readState(api, found, refund.amount);
  });
  if (before !== null) return before;
  const made = await api.createPullPayment({
    name: nameOf(refund.refundSid),
    description: descriptionOf(refund),
    amount: formatDecimal(refund.amount),
    currency: refund.currency,
    // Whoever made the refund has agreed to it; what is left is to send the coins.
    autoApproveClaims: true,
    expiresAt: Math.floor(now.getTime() / 1000) + CLAIM_DAYS * 86_400,
  });
  return await unknownIfFails(async () => readState(api, (await findRefund(api, refund)) ?? made, refund.amount));
}

/**
 * The oldest that carries our sid. A younger one was made at the same moment by another process: nobody was given its address, and it is
 * taken back here, for whoever made it may not have lived to do so.
 */
async function findRefund(api: Greenfield, { refundSid }: Pick<NewRefund, 'refundSid'>): Promise<PullPayment | null> {
  const name = nameOf(refundSid);
  const [first = null, ...twins] = (await api.listPullPayments()).filter((one) => one.name === name).toReversed();
  for (const twin of twins) if (!twin.archived) await api.archivePullPayment(twin.id);
  return first;
}

/** Null: BTCPay Server knows no such refund. */
export async function readRefund(
  api: Greenfield,
  refund: NewRefund & { readonly refundRef: string | null },
  now: Date,
): Promise<ProviderRefund | null> {
  const { refundRef } = refund;
  const found =
    refundRef === null
      ? await findRefund(api, refund)
      : /^[A-Za-z0-9]{8,64}$/.test(refundRef)
        ? await api.readPullPayment(refundRef)
        : null;
  if (found === null) return null;
  const isDue = found.expiresAt !== null && found.expiresAt !== undefined && found.expiresAt <= now;
  if (!isDue || found.archived) return await readState(api, found, refund.amount);
  const payouts = await api.listPayouts(found.id);
  // The two clocks may differ, and the money is about to go back into the wallet: nobody may claim after that.
  if (!payouts.some(isUnderWay)) await api.archivePullPayment(found.id);
  return await readState(api, (await api.readPullPayment(found.id)) ?? found, refund.amount);
}

const isUnderWay = ({ state }: Payout): boolean =>
  state === 'AwaitingApproval' || state === 'AwaitingPayment' || state === 'InProgress';

async function readState(api: Greenfield, pullPayment: PullPayment, asked: Micros | null): Promise<ProviderRefund> {
  const payouts = await api.listPayouts(pullPayment.id);
  const refund = toProviderRefund(pullPayment, payouts, toMicros);
  return asked !== null && refund.state === 'pending' ? { ...refund, amount: asked } : refund;
}

/** A refund of any payment, ours or the merchant's, in dollars. Null: it is no refund, or its coins have no rate. */
export async function readStateOf(api: Greenfield, pullPayment: PullPayment): Promise<ProviderRefund | null> {
  const invoiceId = invoiceIdIn(pullPayment);
  if (invoiceId === null && refundSidIn(pullPayment) === null) return null;
  if (pullPayment.currency === 'USD') return await readState(api, pullPayment, null);
  const invoice = invoiceId === null ? null : await api.readInvoice(invoiceId);
  if (invoice === null) return null;
  const toUsd = converterFor(pullPayment, { invoice, methods: await api.readMethods(invoice.id) });
  return toUsd === null ? null : toProviderRefund(pullPayment, await api.listPayouts(pullPayment.id), toUsd);
}

/** Payouts are read after the pull payment: one that is archived takes no new claims, so then the list is complete. */
function toProviderRefund(
  pullPayment: PullPayment,
  payouts: readonly Payout[],
  toUsd: (amount: Exact) => Micros,
): ProviderRefund {
  const whole = toUsd(pullPayment.amount);
  const sent = payouts
    .filter(({ state }) => state === 'Completed')
    .reduce((sum, { originalAmount }) => micros(sum + toUsd(originalAmount)), ZERO);
  const base = {
    refundRef: pullPayment.id,
    refundSid: refundSidIn(pullPayment),
    // The coins' fee is taken from the merchant's wallet, and BTCPay Server does not say how much it was.
    fee: null,
    claimUrl: null,
  };
  if (sent >= whole) return { ...base, amount: whole, state: 'succeeded', detail: null };
  if (payouts.some(isUnderWay)) {
    return {
      ...base,
      amount: whole,
      state: 'pending',
      claimUrl: pullPayment.viewLink,
      detail: 'claimed; the coins are to be sent',
    };
  }
  if (!pullPayment.archived) {
    return {
      ...base,
      amount: whole,
      state: 'pending',
      claimUrl: pullPayment.viewLink,
      detail: 'waits for the customer to claim it',
    };
  }
  if (sent > 0n) return { ...base, amount: sent, state: 'succeeded', detail: 'only a part was claimed' };
  return { ...base, amount: whole, state: 'failed', detail: 'it was not claimed in time, or was withdrawn' };
}

/**
 * Adds to each payment of an order what went back of it. BTCPay Server does not list the refunds of an invoice, but names the pull
 * payments that it makes of one, and ours name the payment. Costs one request, and one more for each refund.
 */
export async function withRefunds(api: Greenfield, order: ProviderOrder, full: FullInvoice): Promise<ProviderOrder> {
  if (order.payments.length === 0) return order;
  const pullPayments = (await api.listPullPayments()).filter((one) => invoiceIdOf(one) === order.orderRef).toReversed();
  const payments = [...order.payments];
  const sids = new Set<string>();
  for (const pullPayment of pullPayments) {
    const toUsd = converterFor(pullPayment, full);
    if (toUsd === null) continue;
    const payouts = await api.listPayouts(pullPayment.id);
    const refundSid = refundSidIn(pullPayment);
    // A twin of a refund of ours is none of its own, as long as nothing has left by it.
    if (refundSid !== null && sids.has(refundSid) && payouts.every(({ state }) => state === 'Cancelled')) continue;
    if (refundSid !== null) sids.add(refundSid);
    const refund = toProviderRefund(pullPayment, payouts, toUsd);
    const index = placeOf(payments, pullPayment, refund.amount);
    const payment = payments[index];
    if (payment !== undefined) payments[index] = { ...payment, refunds: [...payment.refunds, refund] };
  }
  return { ...order, payments };
}

/** Ours name their payment. For others: the first payment that has room, or else the first, where it will be seen to be too much. */
function placeOf(payments: readonly ProviderPayment[], pullPayment: PullPayment, amount: Micros): number {
  const named = payments.findIndex(({ paymentRef }) =>
    (pullPayment.description ?? '').startsWith(`For payment ${paymentRef} of `),
  );
  if (refundSidIn(pullPayment) !== null && named >= 0) return named;
  const room = payments.findIndex((payment) => roomIn(payment) >= amount);
  return room >= 0 ? room : 0;
}

const roomIn = ({ amount, refunds }: ProviderPayment): bigint =>
  (amount ?? ZERO) - refunds.reduce((sum, one) => sum + (one.state === 'failed' ? 0n : one.amount), 0n);

/** A merchant may give back coins instead of dollars: they count at the rate at which they came. Null: in some third currency. */
function converterFor(
  { currency }: PullPayment,
  { invoice, methods }: FullInvoice,
): ((amount: Exact) => Micros) | null {
  if (currency === invoice.currency) return toMicros;
  const rate = methods.find((method) => method.currency === currency)?.rate;
  return rate === undefined || rate === null ? null : (amount) => worthOf(amount, rate, toMicros(invoice.amount));
}

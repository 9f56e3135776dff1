import type { Ports } from '../../ports/ports.ts';
import {
  ProviderFailure,
  type NewOrder,
  type PaymentProvider,
  type ProviderAccount,
  type ProviderOrder,
} from '../provider.ts';
import type { WebhookSecrets } from '../webhook-secret.ts';
import { toMicros } from './amount.ts';
import { withDeadline } from './call.ts';
import { greenfield, noRate, type FullInvoice, type Greenfield } from './client.ts';
import { DESCRIPTION } from './description.ts';
import { listOldestFirst } from './list.ts';
import {
  isOurInvoice,
  MONITORING_MINUTES,
  QUOTE_MINUTES_MAX,
  toInvoiceRequest,
  toProviderOrder,
  type Policy,
} from './map.ts';
import { movementsOf, movementsOfRefunds } from './movements.ts';
import { makeRefund, readRefund, withRefunds } from './refund.ts';
import type { Invoice } from './shapes.ts';
import { verifyBtcpayWebhook } from './webhook.ts';

export interface BtcpayProviderOptions {
  readonly url: string;
  readonly apiKey: string;
  /** The store whose money it is; it is our account. */
  readonly storeId: string;
  readonly webhookSecrets: WebhookSecrets;
  /** Whether real coins are meant. A key does not tell; addresses do, and are compared with this. */
  readonly isLive: boolean;
  readonly policy: Policy;
  readonly ports: Ports;
}

/** BTCPay Server as a payment provider. Connects to nothing until it is first used. */
export function btcpayProvider(options: BtcpayProviderOptions): PaymentProvider {
  const { storeId, ports, policy, isLive } = options;
  const { clock } = ports;
  const read = <T>(run: (api: Greenfield) => Promise<T>): Promise<T> =>
    withDeadline(options, 'none', (ask) => run(greenfield(ask, storeId)));
  const account = accountReader(options);
  /** Invoices under way, by payment: two calls in one process are one. */
  const underWay = new Map<string, Promise<ProviderOrder>>();
  return {
    name: 'btcpay',
    description: DESCRIPTION,
    account,
    createOrder: (order) => {
      const known = underWay.get(order.paymentSid);
      if (known !== undefined) return known;
      const created = createOrder(options, account, order).finally(() => underWay.delete(order.paymentSid));
      underWay.set(order.paymentSid, created);
      return created;
    },
    readOrder: async (orderRef) => {
      // Anything else would be put into a path; no invoice has such a name.
      if (!/^[A-Za-z0-9]{8,64}$/.test(orderRef)) return null;
      const owner = await account();
      return await read(async (api) => {
        const invoice = await api.readInvoice(orderRef);
        if (invoice === null) return null;
        if (invoice.id !== orderRef) {
          throw new ProviderFailure('broken', 'none', 'BTCPay Server answered with another invoice.');
        }
        const full = { invoice, methods: await api.readMethods(orderRef) };
        return await withRefunds(api, toProviderOrder(full, owner, policy), full);
      });
    },
    verifyWebhook: (delivery) => verifyBtcpayWebhook(options.webhookSecrets, { isLive }, delivery),
    listOrders: async (since, cursor) => {
      const owner = await account();
      const { invoices, nextCursor } = await read((api) => listOldestFirst(api, since, cursor, clock.now()));
      return { orders: invoices.map((full) => toProviderOrder(full, owner, policy)), nextCursor };
    },
    refund: (refund) =>
      withDeadline(options, 'unknown', (ask) => makeRefund(greenfield(ask, storeId), refund, clock.now())),
    readRefund: (refund) => read((api) => readRefund(api, refund, clock.now())),
    listMovements: (since, cursor) => read((api) => listMovements(api, since, cursor, clock.now())),
  };
}

/** Asked once, so that a key of another server or store is found out; a failure is not remembered. */
function accountReader(options: BtcpayProviderOptions): () => Promise<ProviderAccount> {
  const { storeId, isLive } = options;
  let known: ProviderAccount | null = null;
  return async () => {
    if (known !== null) return known;
    const id = await withDeadline(options, 'none', (ask) => greenfield(ask, storeId).readStore());
    if (id !== storeId) {
      throw new ProviderFailure(
        'refused',
        'none',
        'BTCPay Server answered with another store than the configured one.',
      );
    }
    known = { id, isLive };
    return known;
  };
}

const CREATE_ATTEMPTS_MAX = 3;

/**
 * BTCPay Server has no idempotency keys. So an invoice is looked for by its order id before each attempt to make one, and again
 * after: of two that were made at once the older one stays, and the other can no longer be paid.
 */
async function createOrder(
  options: BtcpayProviderOptions,
  account: () => Promise<ProviderAccount>,
  order: NewOrder,
): Promise<ProviderOrder> {
  const { policy, ports, storeId } = options;
  const owner = await account();
  return await withDeadline(options, 'unknown', async (ask, wait) => {
    const api = greenfield(ask, storeId);
    const invoice = await findOrMake(api, order, { policy, ports, wait });
    const full = { invoice, methods: await api.readMethods(invoice.id) };
    requireAsked(full, order);
    await requireRates(api, full);
    return toProviderOrder(full, owner, policy);
  });
}

interface Making {
  readonly policy: Policy;
  readonly ports: Ports;
  readonly wait: (attempt: number) => Promise<void>;
}

/** An attempt whose answer was lost is followed by a look, never by a second attempt alone. */
async function findOrMake(api: Greenfield, order: NewOrder, { policy, ports, wait }: Making): Promise<Invoice> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await findInvoice(api, order);
    if (found !== null) return found;
    try {
      return await makeInvoice(api, order, quoteMinutes(order, ports.clock.now()), policy);
    } catch (error) {
      const mayRetry = error instanceof ProviderFailure && error.kind === 'broken' && attempt < CREATE_ATTEMPTS_MAX;
      if (!mayRetry) throw error;
      await wait(attempt);
    }
  }
}

/** The oldest that is ours and was not set aside. */
async function findInvoice(api: Greenfield, order: NewOrder): Promise<Invoice | null> {
  const found = (await api.findInvoices(order.paymentSid)).filter(isOurInvoice);
  return found.filter((one) => !(one.status === 'Invalid' && one.additionalStatus === 'Marked')).at(-1) ?? null;
}

async function makeInvoice(api: Greenfield, order: NewOrder, minutes: number, policy: Policy): Promise<Invoice> {
  if (minutes < 1) throw new ProviderFailure('refused', 'none', 'The order has ended before it could be made.');
  const made = await api.createInvoice(toInvoiceRequest(order, minutes, policy));
  const first = (await findInvoice(api, order)) ?? made;
  if (first.id !== made.id) {
    // Nobody has its address. That it stays open is untidy and no more.
    await api.invalidate(made.id).catch(() => undefined);
  }
  return first;
}

const quoteMinutes = ({ expiresAt }: NewOrder, now: Date): number =>
  Math.min(QUOTE_MINUTES_MAX, Math.floor((expiresAt.getTime() - now.getTime()) / 60_000));

/** A customer must not be sent to a page that asks for something else. */
function requireAsked({ invoice }: FullInvoice, order: NewOrder): void {
  const isAsked =
    isOurInvoice(invoice) &&
    invoice.metadata?.['orderId'] === order.paymentSid &&
    invoice.currency.toUpperCase() === order.currency &&
    toMicros(invoice.amount) === order.amount;
  if (!isAsked)
    throw new ProviderFailure('broken', 'unknown', 'BTCPay Server made another invoice than the one asked for.');
}

/** An invoice without a good rate is set aside while nobody has paid it, so that the next attempt makes another one. */
async function requireRates(api: Greenfield, { invoice, methods }: FullInvoice): Promise<void> {
  const offered = methods.filter(({ activated }) => activated !== false);
  if (offered.length > 0 && offered.every(({ rate }) => rate !== null && rate.units > 0n)) return;
  const isUntouched = invoice.status === 'New' && methods.every(({ payments }) => payments.length === 0);
  if (isUntouched) await api.invalidate(invoice.id).catch(() => undefined);
  throw noRate();
}

/** Invoices are watched for days, so a movement can be of an invoice that is that much older. */
const LOOK_BACK_MS = (MONITORING_MINUTES + QUOTE_MINUTES_MAX) * 60_000;

async function listMovements(
  api: Greenfield,
  since: Date,
  cursor: string | null,
  now: Date,
): ReturnType<PaymentProvider['listMovements']> {
  const from = new Date(Math.max(0, since.getTime() - LOOK_BACK_MS));
  const { invoices, nextCursor } = await listOldestFirst(api, from, cursor, now);
  const movements = [];
  for (const full of invoices) movements.push(...(await movementsOf(api, full)));
  if (nextCursor === null) movements.push(...(await movementsOfRefunds(api, since)));
  const recent = movements.filter(({ at }) => at >= since);
  return { movements: recent.toSorted((a, b) => a.at.getTime() - b.at.getTime()), nextCursor };
}

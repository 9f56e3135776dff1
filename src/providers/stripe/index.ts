import { MICROS_PER_CENT } from '../../domain/money.ts';
import type { Ports } from '../../ports/ports.ts';
import {
  ProviderFailure,
  type PaymentProvider,
  type ProviderAccount,
  type ProviderDescription,
  type ProviderOrder,
} from '../provider.ts';
import { readCharge, stripeCards } from './cards.ts';
import { stripeCaller, stripeClient, type SessionPage, type StripeCall, type StripeClient } from './client.ts';
import { withDisputes } from './dispute.ts';
import { stripeDisputes } from './dispute-answer.ts';
import { toProviderOrder, toSessionParams, toStripeCents, type StripeSession } from './map.ts';
import { listUndelivered } from './undelivered.ts';
import { listBalance } from './movement.ts';
import { makeRefund, readOwnRefund, withRefunds, type Charged } from './refund.ts';
import type { WebhookSecrets } from '../webhook-secret.ts';
import { verifyStripeWebhook } from './webhook.ts';

export interface StripeProviderOptions {
  readonly secretKey: string;
  readonly webhookSecrets: WebhookSecrets;
  /** Absent: Stripe itself. */
  readonly apiBase?: string | undefined;
  readonly ports: Ports;
  /** The account the key must belong to. Absent: whatever account Stripe says it is. */
  readonly accountId?: string | undefined;
}

/** Stripe Checkout as a payment provider. Builds nothing and connects to nothing until it is first used. */
export function stripeProvider(options: StripeProviderOptions): PaymentProvider {
  const { secretKey, ports, apiBase = 'https://api.stripe.com' } = options;
  const client = stripeClient({ secretKey, apiBase, ports });
  const account = accountReader(client, options);
  const call = stripeCaller({ secretKey, apiBase, ports });
  return {
    name: 'stripe',
    description: DESCRIPTION,
    account,
    createOrder: async (order) => {
      const params = toSessionParams(order);
      const owner = await account();
      const session = await client.createSession(params, order.paymentSid);
      const created = toProviderOrder(session, owner);
      requireAsked(session, created, { paymentSid: order.paymentSid, cents: toStripeCents(order.amount) });
      return await withMoney({ client, call }, created, chargedBy(session));
    },
    readOrder: async (orderRef) => {
      // A charge of a saved card has no page: its order is the PaymentIntent.
      if (/^pi_[A-Za-z0-9_]{1,200}$/.test(orderRef)) {
        const charge = await readCharge(call, orderRef, await account());
        return charge === null ? null : await withMoney({ client, call }, charge, wholeOf(charge));
      }
      // Anything else would be put into a path; no session has such a name.
      if (!/^cs_[A-Za-z0-9_]{1,200}$/.test(orderRef)) return null;
      const owner = await account();
      const session = await client.readSession(orderRef);
      if (session === null) return null;
      if (session.id !== orderRef) throw new ProviderFailure('broken', 'none', 'Stripe answered with another session.');
      return await withMoney({ client, call }, toProviderOrder(session, owner), chargedBy(session));
    },
    verifyWebhook: (delivery) => verifyStripeWebhook(options.webhookSecrets, delivery),
    listOrders: async (since, cursor) => listOldestFirst(client, await account(), since, cursor),
    refund: (refund) => makeRefund(client, refund),
    readRefund: (refund) => readOwnRefund(client, refund),
    listMovements: listBalance(call),
    cards: stripeCards(call, account),
    disputes: stripeDisputes(call),
    listUndelivered: listUndelivered(call),
  };
}

/** An order with what came of its payments: neither a session nor an intent tells. */
async function withMoney(
  { client, call }: { readonly client: StripeClient; readonly call: StripeCall },
  order: ProviderOrder,
  charged: Charged,
): Promise<ProviderOrder> {
  const payments = order.payments.map(async (payment) => {
    const [{ refunds }, { disputes }] = await Promise.all([
      withRefunds(client, payment, charged),
      withDisputes(call, payment, charged),
    ]);
    return { ...payment, refunds, disputes };
  });
  return { ...order, payments: await Promise.all(payments) };
}

const chargedBy = ({ amount_total: total, currency }: StripeSession): Charged => ({ cents: BigInt(total), currency });

/** A charge of a saved card has no tax: all of it is credit. */
const wholeOf = ({ payments, currency }: ProviderOrder): Charged => ({
  cents: (payments[0]?.amount ?? 0n) / MICROS_PER_CENT,
  currency,
});

const DESCRIPTION: ProviderDescription = {
  title: 'Card or bank account',
  settings: ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
  can: { refund: 'direct', severalPayments: false, disputes: true, savedCards: true },
  cannot: [],
};

/** Asked once; a failure is not remembered. The mode is in the key: Stripe's account object does not tell it. */
function accountReader(client: StripeClient, options: StripeProviderOptions): () => Promise<ProviderAccount> {
  const isLive = /^[a-z]+_(org_)?live_/.test(options.secretKey);
  let known: ProviderAccount | null = null;
  return async () => {
    if (known !== null) return known;
    const id = await client.readAccount();
    if (options.accountId !== undefined && options.accountId !== id) {
      throw new ProviderFailure(
        'refused',
        'none',
        'The Stripe key belongs to another account than the configured one.',
      );
    }
    known = { id, isLive };
    return known;
  };
}

/** A customer must not be sent to a page that asks for something else than what we asked for. */
function requireAsked(
  session: StripeSession,
  order: ProviderOrder,
  asked: { readonly paymentSid: string; readonly cents: number },
): void {
  const isAsked =
    order.paymentSid === asked.paymentSid && order.currency === 'USD' && session.amount_subtotal === asked.cents;
  if (!isAsked) throw new ProviderFailure('broken', 'unknown', 'Stripe created another order than the one asked for.');
}

/**
 * Stripe lists the newest first and pages in both directions. Without a cursor we walk to the page that holds the
 * oldest, and from there `cursor` (the newest id given out) leads back to the present.
 */
async function listOldestFirst(
  client: StripeClient,
  account: ProviderAccount,
  since: Date,
  cursor: string | null,
): ReturnType<PaymentProvider['listOrders']> {
  const { page, hasNewer } =
    cursor === null ? await oldestPage(client, since) : await pageAfter(client, since, { cursor });
  const orders = page.sessions.toReversed().map((session) => toProviderOrder(session, account));
  return { orders, nextCursor: hasNewer ? page.firstId : null };
}

type DirectedPage = { readonly page: SessionPage; readonly hasNewer: boolean };

/** 100,000 sessions: more than are created while webhooks are lost, and an end to the walk. */
const WALK_PAGES_MAX = 1_000;

async function oldestPage(client: StripeClient, since: Date): Promise<DirectedPage> {
  let page = await client.listSessions(since, {});
  let walked = 1;
  while (page.hasMore && page.lastId !== null) {
    if (walked >= WALK_PAGES_MAX)
      throw new ProviderFailure('broken', 'none', "Stripe's list of sessions does not end.");
    page = await client.listSessions(since, { olderThan: page.lastId });
    walked += 1;
  }
  return { page, hasNewer: walked > 1 };
}

/** In this direction Stripe's `has_more` speaks of newer sessions. */
async function pageAfter(client: StripeClient, since: Date, { cursor }: { cursor: string }): Promise<DirectedPage> {
  const page = await client.listSessions(since, { newerThan: cursor });
  return { page, hasNewer: page.hasMore };
}

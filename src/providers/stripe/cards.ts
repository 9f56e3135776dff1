import { z } from 'zod';
import { fromCents } from '../../domain/money.ts';
import type { NewCharge, ProviderCard, ProviderCards, ProviderDecline } from '../provider-cards.ts';
import { ProviderFailure, type ProviderAccount, type ProviderOrder } from '../provider.ts';
import { checked, nullWhenMissing, type StripeCall } from './client.ts';
import { readSdkError } from './failure.ts';
import { intentShape, toStripeCents } from './map.ts';
import { metadataText } from './own-payment.ts';

/** What a charge of a saved card reads of its PaymentIntent, beside what every payment does. */
const chargeShape = intentShape.extend({
  amount: z.number().int().nonnegative(),
  created: z.number().int(),
  last_payment_error: z.object({ code: z.string().nullish(), decline_code: z.string().nullish() }).nullish(),
});
type ChargeIntent = z.infer<typeof chargeShape>;

const customerShape = z.object({ id: z.string().regex(/^cus_[A-Za-z0-9_]+$/), object: z.literal('customer') });
const savingShape = z.object({ object: z.literal('checkout.session'), mode: z.literal('setup'), url: z.url() });
const cardShape = z.object({
  id: z.string().regex(/^pm_[A-Za-z0-9_]+$/),
  object: z.literal('payment_method'),
  customer: z.string().nullish(),
  card: z.object({ brand: z.string(), last4: z.string(), exp_month: z.number().int(), exp_year: z.number().int() }),
});
const cardListShape = z.object({ object: z.literal('list'), has_more: z.boolean(), data: z.array(cardShape) });
const intentListShape = z.object({ object: z.literal('list'), has_more: z.boolean(), data: z.array(z.unknown()) });

/** More cards than anybody has; the page of one call. */
const CARDS_MAX = 100;
/** Intents of one customer around one charge: a handful. A hundred pages are a provider that does not end its list. */
const PAGE_SIZE = 100;
const PAGES_MAX = 100;
/** Clocks differ: what we made a moment ago may bear an earlier time at Stripe. */
const CLOCK_SLACK_SECONDS = 600;

/** A reference goes into a path; anything else than Stripe's own form names nothing. */
const isCardRef = (ref: string): boolean => /^pm_[A-Za-z0-9_]{1,200}$/.test(ref);

/** Customers, saved cards and charges of them, through the same calls as everything else. */
export function stripeCards(call: StripeCall, account: () => Promise<ProviderAccount>): ProviderCards {
  return {
    createCustomer: async (userSid) => {
      const customer = await call('create-customer', true, (stripe) =>
        stripe.customers.create({ metadata: { user_sid: userSid } }, { idempotencyKey: `customer:${userSid}` }),
      );
      return checked(customerShape, customer, 'unknown').id;
    },
    startSaving: async ({ key, customerRef, userSid, successUrl, cancelUrl }) => {
      const metadata = { user_sid: userSid };
      const session = await call('create-setup', true, (stripe) =>
        stripe.checkout.sessions.create(
          {
            mode: 'setup',
            customer: customerRef,
            allowed_payment_method_types: ['card'],
            metadata,
            setup_intent_data: { metadata },
            success_url: successUrl,
            cancel_url: cancelUrl,
          },
          { idempotencyKey: key },
        ),
      );
      return { url: checked(savingShape, session, 'unknown').url };
    },
    list: async (customerRef) => await listCards(call, customerRef),
    remove: async (customerRef, cardRef) => {
      if (!isCardRef(cardRef)) return;
      const method = await call('read-card', false, (stripe) =>
        stripe.paymentMethods.retrieve(cardRef).catch(nullWhenMissing),
      );
      if (method === null || checked(cardShape, method, 'none').customer !== customerRef) return;
      await call('detach-card', true, (stripe) => stripe.paymentMethods.detach(cardRef));
    },
    charge: async (charge) => await chargeCard(call, charge, await account()),
    withdraw: async (charge) => await withdrawCharge(call, charge, await account()),
  };
}

/** The order that a charge is, read again. Null: Stripe does not know it. */
export async function readCharge(
  call: StripeCall,
  intentId: string,
  account: ProviderAccount,
): Promise<ProviderOrder | null> {
  const intent = await readIntent(call, intentId);
  if (intent === null) return null;
  // One that is only being made is left alone: it may be charged in this very moment.
  return isRefused(intent) ? await concluded(call, intent, account) : toChargeOrder(intent, account);
}

async function listCards(call: StripeCall, customerRef: string): Promise<ProviderCard[]> {
  const list = await call('list-cards', false, (stripe) =>
    stripe.customers.listPaymentMethods(customerRef, { type: 'card', limit: CARDS_MAX }).catch(nullWhenMissing),
  );
  if (list === null) return [];
  return checked(cardListShape, list, 'none').data.map(({ id, card }) => ({
    cardRef: id,
    brand: card.brand,
    last4: card.last4,
    expiresMonth: card.exp_month,
    expiresYear: card.exp_year,
  }));
}

async function chargeCard(call: StripeCall, charge: NewCharge, account: ProviderAccount): Promise<ProviderOrder> {
  const answer = await call('charge', true, (stripe) =>
    stripe.paymentIntents
      .create(
        { ...toIntentParams(charge), payment_method: charge.cardRef, off_session: true, confirm: true },
        { idempotencyKey: charge.paymentSid },
      )
      .catch(intentOfDecline),
  );
  return await concluded(call, checkedIntent(answer, charge), account);
}

/**
 * The same key for an intent without a card: whoever comes second with it is refused by Stripe. If the charge came first, the refusal
 * says so, and the intent is looked for among the customer's.
 */
async function withdrawCharge(call: StripeCall, charge: NewCharge, account: ProviderAccount): Promise<ProviderOrder> {
  const answer = await call('withdraw', true, (stripe) =>
    stripe.paymentIntents
      .create(toIntentParams(charge), { idempotencyKey: charge.paymentSid })
      .catch((error: unknown) => {
        const sdk = readSdkError(error);
        // 409: the charge is being made now, and another attempt will say what came of it.
        if (sdk?.type === 'StripeIdempotencyError' && sdk.statusCode !== 409) return null;
        throw error;
      }),
  );
  const intent = answer === null ? await findIntent(call, charge) : checkedIntent(answer, charge);
  return await concluded(call, intent, account);
}

const toIntentParams = (charge: NewCharge) => ({
  amount: toStripeCents(charge.amount),
  currency: 'usd',
  customer: charge.customerRef,
  description: charge.description,
  metadata: { payment_sid: charge.paymentSid, user_sid: charge.userSid },
});

/** A card that says no is an answer: its error carries the intent. */
function intentOfDecline(error: unknown): unknown {
  const intent: unknown =
    error instanceof Error ? Object.getOwnPropertyDescriptor(error, 'payment_intent')?.value : undefined;
  if (readSdkError(error)?.type === 'StripeCardError' && intent !== undefined) return intent;
  throw error;
}

function checkedIntent(answer: unknown, charge: NewCharge): ChargeIntent {
  const intent = checked(chargeShape, answer, 'unknown');
  const isAsked =
    metadataText(intent.metadata, 'payment_sid') === charge.paymentSid &&
    intent.currency === 'usd' &&
    intent.amount === toStripeCents(charge.amount);
  if (isAsked) return intent;
  throw new ProviderFailure('broken', 'unknown', 'Stripe made another charge than the one asked for.');
}

async function findIntent(call: StripeCall, charge: NewCharge): Promise<ChargeIntent> {
  const since = Math.floor(charge.createdAt.getTime() / 1000) - CLOCK_SLACK_SECONDS;
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const from: string | null = after;
    const answer: unknown = await call<unknown>('find-charge', false, (stripe) =>
      stripe.paymentIntents.list({
        customer: charge.customerRef,
        created: { gte: since },
        limit: PAGE_SIZE,
        ...(from === null ? {} : { starting_after: from }),
      }),
    );
    const { data, has_more: hasMore } = checked(intentListShape, answer, 'none');
    const intents = data.flatMap((one) => chargeShape.safeParse(one).data ?? []);
    const found = intents.find(({ metadata }) => metadataText(metadata, 'payment_sid') === charge.paymentSid);
    if (found) return checkedIntent(found, charge);
    after = intents.at(-1)?.id ?? null;
    if (!hasMore || after === null) break;
  }
  // Stripe says that the key was used and has not listed what for: it will.
  throw new ProviderFailure('broken', 'unknown', 'Stripe knows the charge and does not list it yet.');
}

/** An intent that could still be confirmed by somebody is canceled: what we call failed must never take money. */
async function concluded(call: StripeCall, intent: ChargeIntent, account: ProviderAccount): Promise<ProviderOrder> {
  if (isOver(intent)) return toChargeOrder(intent, account);
  const canceled = await call('cancel-charge', true, (stripe) =>
    stripe.paymentIntents.cancel(intent.id).catch((error: unknown) => {
      if (readSdkError(error)?.code === 'payment_intent_unexpected_state') return null;
      throw error;
    }),
  );
  const after = canceled === null ? await readIntent(call, intent.id) : checked(chargeShape, canceled, 'unknown');
  if (after === null || !isOver(after)) {
    throw new ProviderFailure('broken', 'unknown', 'Stripe neither charged the card nor canceled the charge.');
  }
  // What the bank said is told by the first answer for certain, and by the canceled intent only as Stripe likes.
  return { ...toChargeOrder(after, account), ...(after.status === 'canceled' ? { decline: declineOf(intent) } : {}) };
}

const isRefused = ({ status, last_payment_error: error }: ChargeIntent): boolean =>
  (status === 'requires_payment_method' && error != null) || status === 'requires_action';

const isOver = ({ status }: ChargeIntent): boolean =>
  status === 'succeeded' || status === 'processing' || status === 'canceled';

async function readIntent(call: StripeCall, id: string): Promise<ChargeIntent | null> {
  const intent = await call('read-charge', false, (stripe) =>
    stripe.paymentIntents.retrieve(id).catch(nullWhenMissing),
  );
  return intent === null ? null : checked(chargeShape, intent, 'none');
}

function toChargeOrder(intent: ChargeIntent, account: ProviderAccount): ProviderOrder {
  const isPaid = intent.status === 'succeeded';
  return {
    orderRef: intent.id,
    paymentSid: metadataText(intent.metadata, 'payment_sid'),
    userSid: metadataText(intent.metadata, 'user_sid'),
    accountId: account.id,
    isLive: intent.livemode,
    currency: intent.currency.toUpperCase(),
    // Failed is what can take no money any more; everything else is still decided by somebody.
    state: isPaid ? 'paid' : intent.status === 'canceled' ? 'failed' : 'processing',
    progress: null,
    payments: isPaid
      ? [{ paymentRef: intent.id, amount: fromCents(intent.amount_received), refunds: [], disputes: [] }]
      : [],
    checkoutUrl: null,
    expiresAt: null,
    decline: isPaid ? null : declineOf(intent),
  };
}

function declineOf({ status, last_payment_error: error }: ChargeIntent): ProviderDecline | null {
  if (status === 'requires_action') return { code: 'authentication_required', reason: null };
  if (error == null) return null;
  const reason = error.decline_code ?? error.code ?? null;
  return { code: error.code === 'authentication_required' ? 'authentication_required' : 'declined', reason };
}

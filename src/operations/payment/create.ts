import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { formatDecimal, isWholeCents, parseDecimal, type Micros } from '../../domain/money.ts';
import { nextCheckAt } from '../../domain/payment/schedule.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { PaymentProvider, ProviderAccount, ProviderOrder } from '../../providers/provider.ts';
import {
  countOpenPayments,
  insertPayment,
  lockPayment,
  readPaymentByIdem,
  type PaymentRow,
} from '../../store/payment.ts';
import { readCustomer } from '../../store/card.ts';
import { readWalletByUser, type WalletRow } from '../../store/wallet.ts';
import { ensureCustomer } from '../card/customer.ts';
import type { House } from '../house.ts';
import { keyInProgress } from '../idempotency-key.ts';
import { operation, type Call } from '../operation.ts';
import { amountField, sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { applyTruth } from './apply-truth.ts';
import { causeOf, logSettled, type Settled } from './cause.ts';
import { askProvider } from './order.ts';
import { paymentSchema, toPayment, type Payment } from './payment.ts';
import { closeRefused } from './settle.ts';

/** Long enough for a bank's app and a second thought; within the 30 minutes to 24 hours that Stripe allows. */
const ORDER_LIFETIME_MS = 2 * 3_600_000;

export const paymentCreate = operation({
  name: 'payment.create',
  summary: 'Start a top-up and get the page to pay on',
  description:
    'Stores the intent, then asks the provider for an order in USD. When the provider does not answer, the answer is 504: send the same ' +
    'request with the same Idempotency-Key, and it goes on where it stopped; there is never more than one order.',
  http: { method: 'post', path: '/v1/payments', status: 201 },
  access: 'user',
  right: 'work',
  scope: 'top_up',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({
    provider: z.string().min(1).max(40).describe('A payment provider that session.get lists, for example "stripe".'),
    amount: amountField.describe('US dollars as decimal text, whole cents.'),
    wallet_sid: sidField.optional().describe("The wallet to fill; the caller's own when left out."),
    save_card: z.boolean().default(false).describe('Whether the provider keeps the card that pays; see card.list.'),
  }),
  output: paymentSchema,
  refusals: [
    'not_found',
    'amount_out_of_range',
    'state_conflict',
    'idempotency_key_reused',
    'provider_error',
    'provider_timeout',
    'unavailable',
  ],
  async run(call, input) {
    const asked = await readAsk(call, input);
    if (isRefusal(asked)) return asked;
    const account = await asked.provider.account();
    const customerRef = await customerFor(call.house, asked, account);
    const intent = await openIntent(call, { ...asked, customerRef }, account);
    if (isRefusal(intent)) return intent.code === 'state_conflict' ? await keepRefusal(call, intent) : intent;
    return await orderAndAnswer(call, intent);
  },
});

interface Ask {
  readonly provider: PaymentProvider;
  readonly amount: Micros;
  readonly wallet: WalletRow;
  readonly savesCard: boolean;
}

/** In order: provider, wallet, amount. */
async function readAsk(
  call: Call,
  input: {
    readonly provider: string;
    readonly amount: string;
    readonly wallet_sid?: string | undefined;
    readonly save_card: boolean;
  },
): Promise<Ask | Refusal> {
  const provider = call.house.providers.get(input.provider);
  if (!provider) {
    return refuse('unavailable', 'This payment provider is not configured here.', {
      details: { provider: input.provider },
    });
  }
  const wallet = await readTarget(call, input.wallet_sid);
  if (isRefusal(wallet)) return wallet;
  const amount = parseDecimal(input.amount);
  assert(amount !== null, 'the schema has the grammar of parseDecimal');
  if (input.save_card && !provider.cards) {
    return refuse('unavailable', 'This payment provider saves no cards.', { details: { provider: provider.name } });
  }
  return checkAmount(call, amount) ?? { provider, amount, wallet, savesCard: input.save_card };
}

/** The provider's record of the user, made if a card is to be saved; who saves none is told of only where there is one. */
async function customerFor(house: House, ask: Ask, account: ProviderAccount): Promise<string | null> {
  const { provider, wallet } = ask;
  const customer = ask.savesCard
    ? await ensureCustomer(house, provider, account, wallet.userSid)
    : await readCustomer(house.db, { userSid: wallet.userSid, provider: provider.name, providerAccount: account.id });
  return customer?.customerRef ?? null;
}

/** The wallet that a call is about: the one it names, or the caller's own. */
export async function readTarget(call: Call, walletSid: string | undefined): Promise<WalletRow | Refusal> {
  const { actor, house } = call;
  if (walletSid !== undefined) return await visibleWallet(house.db, actor, walletSid);
  if (actor.kind !== 'user') {
    const errors = [{ pointer: '#/wallet_sid', detail: 'is required for an operator' }];
    return refuse('invalid_request', 'Say which wallet to fill.', { errors });
  }
  const wallet = await readWalletByUser(house.db, actor.userSid);
  return wallet ?? refuse('not_found', 'You have no wallet.');
}

function checkAmount(call: Call, amount: Micros): Refusal | null {
  const { topUpMin, topUpMax } = call.house.settings;
  if (amount >= topUpMin && amount <= topUpMax && isWholeCents(amount)) return null;
  const [min, max] = [formatDecimal(topUpMin), formatDecimal(topUpMax)];
  const message = `A top-up is whole cents, at least ${min} and at most ${max} dollars.`;
  return refuse('amount_out_of_range', message, { details: { min, max, step: '0.01', currency: 'USD' } });
}

/**
 * Commits the intent before the provider hears of it, or finds the one an earlier attempt with the same key committed.
 * Its sid names the order at the provider for ever.
 */
async function openIntent(
  call: Call,
  ask: Ask & { readonly customerRef: string | null },
  account: ProviderAccount,
): Promise<PaymentRow | Refusal> {
  const { house, idem, fingerprint } = call;
  return await house.db.transaction('payment.intent', async (tx) => {
    const earlier = await readPaymentByIdem(tx, idem);
    if (earlier) return earlier.fingerprint === fingerprint ? earlier : keyReused();
    const now = house.ports.clock.now();
    const open = await countOpenPayments(tx, ask.wallet.id, now);
    if (open >= BigInt(house.settings.openPaymentsMax)) return tooManyOpen(house.settings.openPaymentsMax);
    const sid = house.ports.ids.referenceSid();
    const expiresAt = new Date(now.getTime() + ORDER_LIFETIME_MS);
    const isInserted = await insertPayment(tx, {
      sid,
      wallet: ask.wallet.id,
      userSid: ask.wallet.userSid,
      provider: ask.provider.name,
      providerAccount: account.id,
      isLive: account.isLive,
      amount: ask.amount,
      currency: 'USD',
      idem,
      fingerprint,
      createdAt: now,
      expiresAt,
      nextCheckAt: nextCheckAt({ now, checks: 0, expiresAt }),
      customerRef: ask.customerRef,
      savesCard: ask.savesCard,
      cardRef: null,
    });
    if (!isInserted) return refuse('not_found', 'The account of this wallet was deleted.');
    const intent = await lockPayment(tx, sid);
    assert(intent !== null, 'the intent was just stored');
    return intent;
  });
}

/** What is refused stays refused under its key; unless the same call, made elsewhere, has found room in between. */
const keepRefusal = async (call: Call, refusal: Refusal): Promise<Refusal> =>
  await call.commit(async (tx) => ((await readPaymentByIdem(tx, call.idem)) ? keyInProgress() : refusal));

const keyReused = (): Refusal =>
  refuse(
    'idempotency_key_reused',
    'This Idempotency-Key was used for a request with another content. Use a new key for a new intent.',
  );

const tooManyOpen = (max: number): Refusal =>
  refuse('state_conflict', 'Too many top-ups of this wallet are waiting to be paid. Pay one, or let one expire.', {
    details: { open_payments_max: max },
  });

const refusedByProvider = (): Refusal =>
  refuse(
    'provider_error',
    'The payment provider refused the order. Nothing was charged; a new attempt needs a new key.',
  );

/**
 * The order at the provider, then the answer, stored under the caller's key. Only an intent without an order asks: what came
 * later (a webhook, the poller) has been told by the provider already.
 */
async function orderAndAnswer(call: Call, intent: PaymentRow): Promise<Payment | Refusal> {
  const { house } = call;
  const cause = causeOf(call, 'create');
  const asked = intent.state === 'created' ? await askProvider(house, intent, null) : null;
  let settled: Settled | null = null;
  const answer = await call.commit(async (tx) => {
    const payment = await lockPayment(tx, intent.sid);
    assert(payment !== null, 'a payment is never deleted');
    if (asked?.kind === 'refused') settled = await closeRefused(tx, house, payment, cause);
    else if (asked && isNews(payment, asked.order)) settled = await applyTruth(tx, house, payment, asked.order, cause);
    const after = settled?.payment ?? payment;
    return after.state === 'failed' && after.orderRef === null ? refusedByProvider() : toPayment(after);
  });
  if (settled) logSettled(house, settled, cause);
  return answer;
}

/** While we asked, a webhook may have brought the payment further than the answer to our creation call knows. */
const isNews = (payment: PaymentRow, order: ProviderOrder | null): boolean =>
  payment.state === 'created' || (order !== null && order.state === 'paid');

import { assert } from '../../domain/assert.ts';
import { decideRecharge, startOfMonth } from '../../domain/auto-recharge/decide.ts';
import { formatDecimal } from '../../domain/money.ts';
import { nextCheckAt } from '../../domain/payment/schedule.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import {
  listDueRecharges,
  lockAutoRecharge,
  readStanding,
  saveAutoRecharge,
  type AutoRechargeRow,
} from '../../store/auto-recharge.ts';
import { readCustomer } from '../../store/card.ts';
import type { Tx } from '../../store/db.ts';
import { insertPayment } from '../../store/payment.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import { cardProviders, customerKey, type CardProvider } from '../card/customer.ts';
import type { House } from '../house.ts';
import { asIdem } from '../idempotency-key.ts';
import { ownCause } from '../payment/cause.ts';
import { settlePayment } from '../payment/settle.ts';
import { switchOff } from './switch-off.ts';

/** Few enough to be charged one after another, at the provider's total deadline each, before others are looked at. */
const WALLETS_MAX = 20;
/** Rounds of one tick: a backlog is worked off over ticks, and a stop is not kept waiting. */
const ROUNDS_MAX = 10;
/** How long a charge may still be made that was decided: what the wallet held is old news after that. */
const CHARGE_WITHIN_MS = 3_600_000;

/**
 * Charges the saved cards of wallets that are below their threshold.
 *
 * Shape: how many charges were begun. Each is a payment whose row is committed first; if the provider does not answer, the poller goes on
 * with it under the same key.
 * Safe to: run at any time, in several processes, and to die anywhere: the database lets one charge of a wallet be under way.
 */
export async function runAutoRecharges(house: House): Promise<number> {
  let begun = 0;
  try {
    for (const at of await cardProviders(house)) begun += await rechargeAt(house, at);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ kind: error.kind, error }, 'saved cards could not be charged');
  }
  return begun;
}

async function rechargeAt(house: House, at: CardProvider): Promise<number> {
  let begun = 0;
  let after = 0n;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const due = { provider: at.provider.name, account: at.account.id, after, now: house.ports.clock.now() };
    const wallets = await listDueRecharges(house.db, { ...due, limit: WALLETS_MAX });
    for (const wallet of wallets) if (await recharge(house, at, wallet)) begun += 1;
    after = wallets.at(-1) ?? after;
    if (wallets.length < WALLETS_MAX) break;
  }
  return begun;
}

async function recharge(house: House, at: CardProvider, wallet: bigint): Promise<boolean> {
  const sid = await house.db.transaction('auto-recharge.begin', (tx) => begin(tx, house, at, wallet));
  if (sid === null) return false;
  try {
    await settlePayment(house, sid, ownCause(house, 'recharge'));
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    const facts = { payment_sid: sid, kind: error.kind, error };
    house.ports.log.warn(facts, 'a charge of a saved card has no outcome yet; the poller asks for it');
  }
  return true;
}

/** Decides under the lock of the wallet's auto-recharge, and commits the intent of the charge. Null: nothing to charge. */
async function begin(tx: Tx, house: House, at: CardProvider, wallet: bigint): Promise<string | null> {
  const { settings, ports } = house;
  const now = ports.clock.now();
  const recharge = await lockAutoRecharge(tx, wallet);
  if (!recharge) return null;
  const standing = await readStanding(tx, wallet, startOfMonth(now));
  assert(standing !== null, 'a wallet has its account');
  const limits = { chargeMin: settings.topUpMin, chargeMax: settings.topUpMax };
  const decision = decideRecharge({ ...recharge, ...standing, ...limits }, now);
  if (decision.kind === 'nothing') return null;
  if (decision.kind === 'capped') {
    await saveAutoRecharge(tx, { ...recharge, reason: 'monthly_cap', notBefore: decision.until, updatedAt: now });
    return null;
  }
  return await intend(tx, house, { at, recharge, amount: decision.amount, now });
}

interface Intent {
  readonly at: CardProvider;
  readonly recharge: AutoRechargeRow;
  readonly amount: bigint;
  readonly now: Date;
}

async function intend(tx: Tx, house: House, { at, recharge, amount, now }: Intent): Promise<string | null> {
  const { ports } = house;
  const author = ownAuthor(house, 'recharge');
  const customer = await readCustomer(tx, customerKey(recharge.userSid, at));
  if (!customer || customer.defaultCardRef === null) {
    await switchOff(tx, author, recharge.wallet, 'card_removed');
    return null;
  }
  const sid = ports.ids.sid();
  const expiresAt = new Date(now.getTime() + CHARGE_WITHIN_MS);
  const isInserted = await insertPayment(tx, {
    sid,
    wallet: recharge.wallet,
    userSid: recharge.userSid,
    provider: at.provider.name,
    providerAccount: at.account.id,
    isLive: at.account.isLive,
    amount,
    currency: 'USD',
    idem: asIdem(ports.random.bytes(16)),
    fingerprint: asIdem(ports.random.bytes(16)),
    createdAt: now,
    expiresAt,
    nextCheckAt: nextCheckAt({ now, checks: 0, expiresAt }),
    customerRef: customer.customerRef,
    savesCard: false,
    cardRef: customer.defaultCardRef,
  });
  if (!isInserted) {
    // Its owner was deleted while this was decided.
    await switchOff(tx, author, recharge.wallet, 'card_removed');
    return null;
  }
  await saveAutoRecharge(tx, { ...recharge, lastPaymentSid: sid, updatedAt: now });
  await recordAudit(tx, author, {
    action: 'auto-recharge.charge',
    subject: recharge.walletSid,
    after: { payment_sid: sid, amount: formatDecimal(amount) },
  });
  return sid;
}

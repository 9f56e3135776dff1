import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { PostingRecord } from '../../domain/ledger/posting.ts';
import { compareMovement, isUndecided } from '../../domain/movement/movement.ts';
import { micros, type Micros } from '../../domain/money.ts';
import { isSetAside } from '../../domain/refund/state.ts';
import { ProviderFailure, type PaymentProvider, type ProviderMovement } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings, ensureSystemAccount } from '../../store/ledger.ts';
import {
  bookedFor,
  insertMovement,
  isRefundOfMovement,
  knownMovements,
  listUndecided,
  lockMovement,
  lockOpposite,
  updateMovement,
  type MovementRow,
} from '../../store/movement.ts';
import {
  listPaymentsAssignedFrom,
  readPaymentByOrder,
  readPaymentByPaymentRef,
  type PaymentRow,
} from '../../store/payment.ts';
import { readRefundByReference } from '../../store/refund.ts';
import {
  firstPaymentAt,
  readStatementRead,
  saveStatementRead,
  type StatementRead,
} from '../../store/statement-read.ts';
import type { House } from '../house.ts';
import { ownCause } from '../payment/cause.ts';
import { settlePayment } from '../payment/settle.ts';

/** Lines come late, and providers date them back: each reading begins so long before the end of the last. */
const LOOK_BACK_MS = 3 * 24 * 3_600_000;
/** More pages than this in one reading is an error in the provider's paging. */
const PAGES_MAX = 10_000;
/** Undecided lines that are looked at together. */
const COMPARED_AT_ONCE = 100;

export interface StatementReading {
  readonly read: StatementRead;
  /** Lines that were not known before. */
  readonly added: number;
}

/**
 * Reads a provider's account statement since the last time, posts its fees and payouts, and compares every line that nobody has decided
 * about with our books. Money of payments that went back or is disputed without our having heard of it is settled on the way.
 *
 * Throws {@link ProviderFailure} when the statement could not be read to its end; what was read is kept, and the next reading begins
 * where this one did.
 * Safe to: run at any time, concurrently with itself and with webhooks: a line is kept once, and its fee is posted with it.
 */
export async function readProviderStatement(house: House, provider: PaymentProvider): Promise<StatementReading> {
  const { clock } = house.ports;
  const startedAt = clock.now();
  const account = (await provider.account()).id;
  const before = await readStatementRead(house.db, provider.name, account);
  const fromAt = before?.fromAt ?? (await firstReadingFrom(house, provider.name, account, startedAt));
  const since = new Date(Math.max(fromAt.getTime(), (before?.upTo ?? fromAt).getTime() - LOOK_BACK_MS));
  let added = 0;
  let cursor: string | null = null;
  for (let page = 0; ; page += 1) {
    if (page >= PAGES_MAX) throw new ProviderFailure('broken', 'none', 'The account statement does not end.');
    const listed = await provider.listMovements(since, cursor);
    added += await keepPage(house, { provider: provider.name, account }, listed.movements);
    cursor = listed.nextCursor;
    if (cursor === null) break;
  }
  const read: StatementRead = { provider: provider.name, account, fromAt, upTo: startedAt };
  await house.db.transaction('reconciliation.read', (tx) => saveStatementRead(tx, read));
  await compareUndecided(house, read);
  return { read, added };
}

async function firstReadingFrom(house: House, provider: string, account: string, now: Date): Promise<Date> {
  const first = (await firstPaymentAt(house.db, provider, account)) ?? now;
  return new Date(first.getTime() - LOOK_BACK_MS);
}

interface Owner {
  readonly provider: string;
  readonly account: string;
}

async function keepPage(house: House, owner: Owner, movements: readonly ProviderMovement[]): Promise<number> {
  const refs = movements.map(({ movementRef }) => movementRef);
  const known = await knownMovements(house.db, owner, refs);
  let added = 0;
  for (const movement of movements) {
    if (known.has(movement.movementRef)) continue;
    await settleBehind(house, owner, movement);
    if (await house.db.transaction('reconciliation.keep', (tx) => keep(tx, house, owner, movement))) added += 1;
  }
  return added;
}

/** A line about a payment of ours is news of it: the payment is settled before the line is compared. */
async function settleBehind(house: House, { provider }: Owner, movement: ProviderMovement): Promise<void> {
  if (movement.kind === 'payment') return;
  for (const { sid } of await paymentsBehind(house, provider, movement))
    await settlePayment(house, sid, ownCause(house, 'reconciler'));
}

/** By the payment, where the line names it; else by the order: whose of its payments is meant only the provider's truth tells. */
async function paymentsBehind(
  { db }: House,
  provider: string,
  { paymentRef, orderRef }: Pick<ProviderMovement, 'paymentRef' | 'orderRef'>,
): Promise<readonly PaymentRow[]> {
  const named = paymentRef === null ? null : await readPaymentByPaymentRef(db, provider, paymentRef);
  if (named !== null || paymentRef !== null || orderRef === null) return named === null ? [] : [named];
  const own = await readPaymentByOrder(db, provider, orderRef);
  const assigned = await listPaymentsAssignedFrom(db, provider, orderRef);
  return own === null ? assigned : [own, ...assigned];
}

async function keep(tx: Tx, house: House, owner: Owner, movement: ProviderMovement): Promise<boolean> {
  const now = house.ports.clock.now();
  const row: MovementRow = {
    ...movement,
    sid: house.ports.ids.sid(),
    provider: owner.provider,
    providerAccount: owner.account,
    booked: micros(0n),
    state: 'new',
    reason: null,
    paymentSid: null,
    ourRefundRef: null,
    seenAt: now,
    updatedAt: now,
  };
  if (!(await insertMovement(tx, row))) return false;
  if (row.currency === 'USD') await postFeesAndPayouts(tx, house, row);
  await compare(tx, house, row);
  return true;
}

/** Compares a line whose row is locked, and keeps what has become of it. */
async function compare(tx: Tx, house: House, row: MovementRow): Promise<void> {
  const now = house.ports.clock.now();
  const booked = await bookedNow(tx, house, row);
  const refund = booked === null ? await refundBehind(tx, row) : null;
  if (refund?.state === 'failed' && (await matchBoth(tx, row, now))) return;
  const isUnderWay = refund !== null && isSetAside(refund);
  const { state, reason } = compareMovement(row, booked, { now, isUnderWay });
  const after: MovementRow = { ...row, booked: booked ?? micros(0n), state, reason, updatedAt: now };
  if (after.state === row.state && after.booked === row.booked && after.reason === row.reason) return;
  await updateMovement(tx, after);
  if (after.state !== 'unmatched') return;
  const facts = {
    movement_sid: row.sid,
    provider: row.provider,
    movement_ref: row.movementRef,
    kind: row.kind,
    reason,
  };
  house.ports.log.warn(facts, 'money is unmatched');
}

/** The refund in our books that a line speaks of, whether or not anything was posted for it. */
async function refundBehind(tx: Tx, { provider, providerAccount, kind, refundRef }: MovementRow) {
  if (refundRef === null || (kind !== 'refund' && kind !== 'refund_returned')) return null;
  return await readRefundByReference(tx, { provider, providerAccount, refundRef });
}

/**
 * A refund that came back before we knew that it had left is nowhere in our books, and in the statement twice: its two lines explain each
 * other. False as long as there is one of them.
 */
async function matchBoth(tx: Tx, row: MovementRow, now: Date): Promise<boolean> {
  const other = row.currency === 'USD' ? await lockOpposite(tx, row) : null;
  if (other === null) return false;
  for (const line of [row, other])
    await updateMovement(tx, { ...line, booked: line.amount, state: 'matched', reason: null, updatedAt: now });
  return true;
}

/** Fees and payouts are posted from their line, so our books have them; the rest has its counterpart there, or a refund of unmatched money. */
async function bookedNow(tx: Tx, house: House, row: MovementRow): Promise<Micros | null> {
  if (row.currency !== 'USD') return null;
  if (row.kind === 'fee' || row.kind === 'payout') return row.amount;
  const booked = await bookedFor(tx, row);
  if (booked !== null || row.kind !== 'refund' || row.refundRef === null) return booked;
  if (!(await isRefundOfMovement(tx, row, row.refundRef))) return null;
  await post(tx, house, row, [{ kind: 'suspense', account: 'suspense', taken: micros(0n - row.amount), step: 'out' }]);
  return row.amount;
}

async function postFeesAndPayouts(tx: Tx, house: House, row: MovementRow): Promise<void> {
  const fee = micros(row.fee - (row.kind === 'fee' ? row.amount : 0n));
  const out = micros(row.kind === 'payout' ? 0n - row.amount : 0n);
  await post(tx, house, row, [
    { kind: 'provider_fee', account: 'expense:provider_fees', taken: fee, step: 'line' },
    { kind: 'payout', account: 'bank', taken: out, step: 'line' },
  ]);
}

/** A posting between the clearing account of a line's provider and another account of the house. */
export interface HouseStep {
  readonly kind: 'provider_fee' | 'payout' | 'suspense';
  readonly account: string;
  /** What leaves the provider's account: its clearing account becomes less negative by it. Nothing is posted for zero. */
  readonly taken: Micros;
  /** Part of the key: a line can go on suspense and leave it. */
  readonly step: string;
}

/** Posts what a line does to accounts of the house, each once for the line. */
export async function post(tx: Tx, house: House, row: MovementRow, steps: readonly HouseStep[]): Promise<void> {
  const clearing = await ensureSystemAccount(tx, `provider:${row.provider}:clearing`, row.currency);
  const postings: PostingRecord[] = [];
  for (const { kind, account, taken, step } of steps.filter(({ taken }) => taken !== 0n)) {
    postings.push({
      idem: deriveIdem(row.provider, row.providerAccount, row.movementRef, kind, step),
      fingerprint: fingerprintOf([row.sid, String(taken)]),
      kind,
      legs: [
        { account: clearing, amount: taken },
        { account: await ensureSystemAccount(tx, account, row.currency), amount: micros(0n - taken) },
      ],
      mayOverdraw: false,
      passesFreeze: true,
      occurredAt: row.at,
      about: JSON.stringify({ movement_sid: row.sid, provider: row.provider, external_ref: row.movementRef }),
    });
  }
  const stamp = { batch: house.ports.ids.batchId(), recordedAt: house.ports.clock.now() };
  await applyPostings(tx, postings, stamp);
}

async function compareUndecided(house: House, { provider, account }: StatementRead): Promise<void> {
  let after = '';
  for (;;) {
    const sids = await listUndecided(house.db, { provider, account, after, limit: COMPARED_AT_ONCE });
    for (const sid of sids) await house.db.transaction('reconciliation.compare', (tx) => compareAgain(tx, house, sid));
    const last = sids.at(-1);
    if (last === undefined || sids.length < COMPARED_AT_ONCE) return;
    after = last;
  }
}

async function compareAgain(tx: Tx, house: House, sid: string): Promise<void> {
  const row = await lockMovement(tx, sid);
  if (row && isUndecided(row.state)) await compare(tx, house, row);
}

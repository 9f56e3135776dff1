import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount, type PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, fromCents, micros, toCentsFloor, type Micros } from '../../domain/money.ts';
import { assert } from '../../domain/assert.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings, ensureSystemAccount, lockBalance } from '../../store/ledger.ts';
import { readWalletBySid, type WalletRow } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import type { Call } from '../operation.ts';
import { countMoved } from '../operator/daily-limit.ts';

/** A trillion dollars: far above any wallet, far below where int8 micro-dollars end. */
export const BALANCE_CENTS_MAX = 100_000_000_000_000;

export interface Adjustment {
  readonly wallet: WalletRow;
  readonly before: Micros;
  readonly after: Micros;
}

export interface AdjustRequest {
  readonly sid: string;
  readonly balanceCents: number;
  readonly reason: string | null;
}

/**
 * Sets a wallet to an absolute balance: ONE posting of the difference against `equity:adjustment`, one audit row.
 *
 * The difference is taken under the account's row lock, so two operators at once end at the later one's figure and both postings
 * add up. A difference of zero moves nothing and is audited all the same. May go below zero; passes a freeze.
 */
export async function adjustBalance(tx: Tx, call: Call, request: AdjustRequest): Promise<Adjustment | Refusal> {
  const planned = await planAdjustment(tx, request, 'lock');
  if ('kind' in planned) return planned;
  const { before, after, wallet } = planned;
  const { ports } = call.house;
  const now = ports.clock.now();
  if (after !== before) {
    const equity = await ensureSystemAccount(tx, 'equity:adjustment', wallet.currency);
    const [outcome] = await applyPostings(tx, [toPosting(call, request, planned, equity, now)], {
      batch: ports.ids.batchId(),
      recordedAt: now,
    });
    if (outcome?.kind === 'out_of_range') return outOfRange();
    assert(outcome?.kind === 'applied', 'an adjustment has a key of its own, an open account, and may overdraw');
  }
  await recordAudit(tx, call, {
    action: 'billing.adjust',
    subject: wallet.sid,
    reason: request.reason,
    before: { balance: formatDecimal(before) },
    after: { balance: formatDecimal(after) },
  });
  await countMoved(tx, call, after - before);
  const adjusted = await readWalletBySid(tx, request.sid);
  assert(adjusted !== null, 'a wallet is never deleted');
  return { wallet: adjusted, before, after };
}

/** What an adjustment would do. `lock` keeps the balance as it was read until the transaction ends. */
export async function planAdjustment(
  tx: Tx,
  request: AdjustRequest,
  reading: 'lock' | 'look',
): Promise<Adjustment | Refusal> {
  if (Math.abs(request.balanceCents) > BALANCE_CENTS_MAX) return outOfRange();
  const wallet = await readWalletBySid(tx, request.sid);
  if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
  const locked = reading === 'lock' ? await lockBalance(tx, liveAccount(wallet.id, 'wallet')) : wallet.balance;
  assert(locked !== null, 'a wallet has an account');
  return { wallet, before: micros(locked), after: fromCents(request.balanceCents) };
}

/** One log line for each adjustment, after its commit. */
export function logAdjustment(call: Call, adjustment: Adjustment, reason: string | null): void {
  call.house.ports.log.info(
    {
      request_id: call.requestId,
      actor: call.actor.id,
      wallet_sid: adjustment.wallet.sid,
      prev_balance_cents: toCentsFloor(adjustment.before),
      new_balance_cents: toCentsFloor(adjustment.after),
      reason,
    },
    'balance adjusted',
  );
}

function toPosting(
  call: Call,
  request: AdjustRequest,
  { wallet, before, after }: Adjustment,
  equity: bigint,
  now: Date,
): PostingRecord {
  return {
    idem: deriveIdem('billing.adjust', call.idem),
    fingerprint: fingerprintOf([request.sid, request.balanceCents]),
    kind: 'adjustment',
    legs: [
      { account: liveAccount(wallet.id, 'wallet'), amount: micros(after - before) },
      { account: equity, amount: micros(before - after) },
    ],
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({
      description: request.reason ?? 'Adjustment',
      actor: call.actor.id,
      request_id: call.requestId,
    }),
  };
}

const outOfRange = (): Refusal =>
  refuse('amount_out_of_range', 'The balance is out of range.', {
    details: { balance_cents_min: -BALANCE_CENTS_MAX, balance_cents_max: BALANCE_CENTS_MAX },
  });

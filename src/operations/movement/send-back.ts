import { micros } from '../../domain/money.ts';
import { assert } from '../../domain/assert.ts';
import { ProviderFailure, type PaymentProvider } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { listInState, lockMovement, readMovement, updateMovement, type MovementRow } from '../../store/movement.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';

/** Refunds of one tick; the next takes the rest. */
const SENT_PER_TICK = 50;

/** Asks again about every movement that is on its way back. Safe to: run in several processes; the provider knows the key. */
export async function sendAllBack(house: House): Promise<number> {
  const sids = await listInState(house.db, 'refunding', SENT_PER_TICK);
  for (const sid of sids) await sendBack(house, sid);
  return sids.length;
}

/** What became of a movement that was to be sent back. `refundRef` is null when the provider has refused to make a refund. */
interface SentBack {
  readonly isGone: boolean;
  readonly refundRef: string | null;
  readonly detail: string | null;
}

/**
 * Has the provider send a movement back, or finds what became of it. A failure is logged; the tick asks again. A definite no ends it.
 * Safe to: run twice and concurrently: the movement's sid is the provider's idempotency key for ever.
 */
export async function sendBack(house: House, sid: string): Promise<void> {
  const row = await readMovement(house.db, sid);
  const provider = row === null ? undefined : house.providers.get(row.provider);
  if (row?.state !== 'refunding' || !provider) return;
  const sent = await askFor(house, provider, row);
  if (sent !== null) await house.db.transaction('movement.sent_back', (tx) => write(tx, house, sid, sent));
}

/** Null: it is under way, or there was no answer. */
async function askFor(house: House, provider: PaymentProvider, row: MovementRow): Promise<SentBack | null> {
  let isAsked = false;
  try {
    const account = await provider.account();
    if (account.id !== row.providerAccount)
      throw new ProviderFailure('broken', 'none', 'The key is of another account than the one the money is in.');
    assert(row.paymentRef !== null, 'what is sent back is a payment');
    isAsked = true;
    const { state, refundRef, detail } = await provider.refund({
      refundSid: row.sid,
      paymentSid: row.paymentSid ?? row.sid,
      orderRef: row.orderRef ?? row.movementRef,
      paymentRef: row.paymentRef,
      amount: micros(row.amount),
      currency: 'USD',
      destination: null,
    });
    return state === 'pending' ? null : { isGone: state === 'succeeded', refundRef, detail };
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ movement_sid: row.sid, kind: error.kind, error }, 'a movement could not be sent back');
    const isDefinite = isAsked && error.kind === 'refused' && error.outcome === 'none';
    return isDefinite ? { isGone: false, refundRef: null, detail: error.message } : null;
  }
}

async function write(tx: Tx, house: House, sid: string, { isGone, refundRef, detail }: SentBack): Promise<void> {
  const locked = await lockMovement(tx, sid);
  if (locked?.state !== 'refunding') return;
  // What failed stays on suspense: the money is here, and an operator must find another way.
  const state = isGone ? ('refunded' as const) : ('suspended' as const);
  const reason = isGone ? locked.reason : `the refund failed: ${detail ?? 'the provider gave no reason'}`;
  const updatedAt = house.ports.clock.now();
  await updateMovement(tx, { ...locked, state, reason, ourRefundRef: refundRef, updatedAt });
  await recordAudit(tx, ownAuthor(house, 'movement'), {
    action: 'movement.sent-back',
    subject: sid,
    reason,
    before: { state: locked.state },
    after: { state, refund_ref: refundRef },
  });
}

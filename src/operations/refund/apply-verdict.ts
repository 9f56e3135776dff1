import { assert, assertNever } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { Leg, PostingKind, PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros, type Micros } from '../../domain/money.ts';
import type { RefundTruth, RefundVerdict } from '../../domain/refund/judge.ts';
import { completeLegs, giveBackLegs, returnLegs, takeLegs } from '../../domain/refund/postings.ts';
import { nextLookAt } from '../../domain/refund/schedule.ts';
import { isEnded } from '../../domain/refund/state.ts';
import type { ProviderRefund } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings, ensureSystemAccount } from '../../store/ledger.ts';
import { insertPaymentEvent, type PaymentEventKind } from '../../store/payment-event.ts';
import { updateRefund, type RefundRow } from '../../store/refund.ts';
import { recordAudit, type Author } from '../audit/record.ts';
import { convergeBonus } from '../bonus/converge.ts';
import type { House } from '../house.ts';
import { tellOfRefund } from './tell.ts';

/** What the provider says beside what decides; null where it was not the provider that decided. */
export type Told = (RefundTruth & Pick<ProviderRefund, 'claimUrl' | 'fee' | 'detail'>) | null;

interface Move {
  readonly refund: RefundRow;
  readonly verdict: RefundVerdict;
  readonly told: Told;
  /** Where the provider has said nothing: why it stands where it then stands. */
  readonly detail?: string;
}

/**
 * Writes what a verdict about a refund means: posting, payment event, the row, audit row.
 *
 * The caller holds the payment's lock; the row is stored already. Shape: the row as it is then.
 * Safe to: run again with the same truth: the verdict is then that nothing moves.
 */
export async function applyVerdict(tx: Tx, house: House, move: Move, author: Author): Promise<RefundRow> {
  const { refund, verdict, told } = move;
  const now = house.ports.clock.now();
  const posted = await post(tx, house, move, now);
  const hasMoved = verdict.state !== refund.state;
  const after: RefundRow = {
    ...refund,
    state: verdict.state,
    posted,
    refundRef: told?.refundRef ?? refund.refundRef,
    claimUrl: told?.claimUrl ?? refund.claimUrl,
    fee: told?.fee ?? refund.fee,
    detail: told === null ? (move.detail ?? refund.detail) : told.detail,
    updatedAt: hasMoved ? now : refund.updatedAt,
    endedAt: hasMoved ? (isEnded(verdict.state) ? now : null) : refund.endedAt,
    nextCheckAt: hasMoved ? nextLookAt({ now, state: verdict.state, checks: 0 }) : refund.nextCheckAt,
    checks: hasMoved ? 0 : refund.checks,
  };
  if (isSame(refund, after)) return refund;
  await updateRefund(tx, after);
  if (hasMoved) {
    await recordAudit(tx, author, {
      action: 'refund.settle',
      subject: refund.sid,
      reason: after.detail,
      before: { state: refund.state },
      after: { state: after.state, posted: after.posted === null ? null : formatDecimal(after.posted) },
    });
    await convergeBonus(tx, house, { sid: refund.paymentSid }, author);
    await tellOfRefund(tx, house, refund, after);
  }
  return after;
}

const isSame = (before: RefundRow, after: RefundRow): boolean =>
  before.state === after.state &&
  before.refundRef === after.refundRef &&
  before.claimUrl === after.claimUrl &&
  before.fee === after.fee &&
  before.detail === after.detail;

/** Moves what the verdict moves. Shape: what has then left the wallet for good by this refund; null: nothing yet. */
async function post(tx: Tx, house: House, { refund, verdict, told }: Move, now: Date): Promise<Micros | null> {
  const { wallet, provider, currency, origin, amount: asked } = refund;
  if (verdict.kind === 'note') return refund.posted;
  const clearing = await ensureSystemAccount(tx, `provider:${provider}:clearing`, currency);
  const sides = { wallet, clearing };
  const write = (kind: PostingKind, idem: string, legs: Leg[]): Promise<void> =>
    postOne(tx, house, toRecord(refund, { kind, idem, legs, now, externalRef: told?.refundRef ?? null }));
  const tell = (kind: PaymentEventKind, amount: bigint): Promise<void> =>
    insertEvent(tx, house, refund, { kind, amount: micros(amount), externalRef: refOf(refund, told), now });
  switch (verdict.kind) {
    case 'complete':
      await write('refund', movementIdem(refund, told, 'refund'), completeLegs(sides, asked, verdict.amount));
      await tell('refund', -verdict.amount);
      return verdict.amount;
    case 'give_back':
      await giveBack(tx, house, refund, now);
      return null;
    case 'take': {
      const kind = origin === 'rail' ? 'reversal' : 'refund';
      await write(kind, movementIdem(refund, told, 'refund'), takeLegs(sides, verdict.amount));
      await tell(kind, -verdict.amount);
      return verdict.amount;
    }
    case 'return':
      await write('refund_return', movementIdem(refund, told, 'refund_return'), returnLegs(sides, verdict.amount));
      await tell('refund_returned', verdict.amount);
      return refund.posted;
    default:
      return assertNever(verdict);
  }
}

/** What was set aside goes back to the wallet. The posting's identity is the refund's: it can happen once. */
export async function giveBack(tx: Tx, house: House, refund: RefundRow, now: Date): Promise<void> {
  const idem = deriveIdem('refund.give_back', refund.sid);
  const legs = giveBackLegs(refund.wallet, refund.amount);
  await postOne(tx, house, toRecord(refund, { kind: 'refund_return', idem, legs, now, externalRef: null }));
}

function refOf(refund: RefundRow, told: Told): string {
  const ref = told?.refundRef ?? refund.refundRef;
  assert(ref !== null, 'money that moved at the provider has its reference');
  return ref;
}

/** Made of the provider's own reference: whoever hears of it, and however often, one movement is one posting. */
const movementIdem = (refund: RefundRow, told: Told, purpose: 'refund' | 'refund_return'): string =>
  deriveIdem(refund.provider, refund.providerAccount, refOf(refund, told), purpose);

interface Posting {
  readonly kind: PostingKind;
  readonly idem: string;
  readonly legs: Leg[];
  readonly now: Date;
  readonly externalRef: string | null;
}

const DESCRIPTIONS: Partial<Record<PostingKind, string>> = {
  refund_reserve: 'Refund',
  refund: 'Refund',
  refund_return: 'Refund came back',
  reversal: 'Payment taken back by its rail',
};

/** Money that has left is not asked whether the wallet still has it, or is frozen: the wallet may owe. */
export function toRecord(refund: RefundRow, { kind, idem, legs, now, externalRef }: Posting): PostingRecord {
  return {
    idem,
    fingerprint: fingerprintOf([refund.sid, refund.walletSid]),
    kind,
    legs,
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({
      description: DESCRIPTIONS[kind],
      payment_sid: refund.paymentSid,
      refund_sid: refund.sid,
      reason: refund.reason,
      provider: refund.provider,
      ...(externalRef === null ? {} : { external_ref: externalRef }),
    }),
  };
}

export async function postOne(tx: Tx, house: House, record: PostingRecord): Promise<void> {
  const stamp = { batch: house.ports.ids.batchId(), recordedAt: record.occurredAt };
  const [outcome] = await applyPostings(tx, [record], stamp);
  assert(outcome?.kind === 'applied', `a refund's posting is new and may overdraw, and this was ${outcome?.kind}`);
}

const insertEvent = (
  tx: Tx,
  house: House,
  refund: RefundRow,
  event: { readonly kind: PaymentEventKind; readonly amount: Micros; readonly externalRef: string; readonly now: Date },
): Promise<void> =>
  insertPaymentEvent(tx, {
    sid: house.ports.ids.sid(),
    userSid: refund.userSid,
    wallet: refund.wallet,
    paymentSid: refund.paymentSid,
    provider: refund.provider,
    providerAccount: refund.providerAccount,
    kind: event.kind,
    externalRef: event.externalRef,
    amount: event.amount,
    currency: refund.currency,
    createdAt: event.now,
  });

import { assert } from '../../domain/assert.ts';
import { shareOut, stepsBetween, type DisputeStep, type Share } from '../../domain/dispute/converge.ts';
import { isUnderWay, type DisputeState } from '../../domain/dispute/state.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import type { ProviderDispute, ProviderPayment } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { readKnownDisputes, writeDispute, type DisputeRow } from '../../store/dispute.ts';
import { applyPostings, ensureSystemAccount, lockAhead } from '../../store/ledger.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { insertPaymentEvent, readMovedAmount, type PaymentEventKind } from '../../store/payment-event.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { authorOf, type Cause } from '../payment/cause.ts';
import { followFreeze } from './freeze.ts';
import { tellOfDispute } from './tell.ts';
import { toDisputePosting, type DisputeAccounts } from './posting.ts';

/** One payment that came in, of which the provider says what is disputed. */
export interface DisputedPayment {
  readonly payment: PaymentRow;
  readonly received: ProviderPayment;
  readonly cause: Cause;
}

/** What a look at the provider changed of a dispute; null before it was heard of. */
export interface DisputeMove {
  readonly before: DisputeRow | null;
  readonly dispute: DisputeRow;
  readonly wasWalletFrozen: boolean;
  readonly balance: bigint;
}

/**
 * Brings the disputes of one received payment to what the provider says of them: postings, payment events, rows, audit.
 *
 * The caller holds the payment's row lock, has credited the payment and has converged its refunds: disputes take what those have left.
 * Shape: what changed, for the log; nothing is thrown for strange truth, and nothing is posted for a payment that was not credited.
 * Safe to: run any number of times. A truth that was read before another one was applied must not come here: `settlePayment` asks again.
 */
export async function convergeDisputes(tx: Tx, house: House, disputed: DisputedPayment): Promise<DisputeMove[]> {
  const { payment, received } = disputed;
  if (received.disputes.length === 0) return [];
  const credited = await readMovedAmount(tx, payment, 'top_up', received.paymentRef);
  if (credited === null) return [];
  const told = received.disputes.map(({ disputeRef }) => disputeRef);
  const known = await readKnownDisputes(tx, payment, told);
  const truths = ownOf(house, disputed, known);
  const rows = known.filter((row) => row.paymentSid === payment.sid && row.paymentRef === received.paymentRef);
  const left = credited - refundedOf(received);
  const shares = shareOut(claimsOf(truths, rows), left);
  const wanted = truths.map((truth) => {
    const row = rows.find(({ disputeRef }) => disputeRef === truth.disputeRef) ?? null;
    const share = shares.get(truth.disputeRef);
    assert(share !== undefined, 'every dispute has its share');
    return { truth, row, share, left };
  });
  const changed = wanted.filter((one) => differs(one));
  if (changed.length === 0) return [];
  // What gives back comes first: what one dispute lets go, another may take.
  changed.sort((a, b) => growthOf(a) - growthOf(b));
  const accounts = await accountsOf(tx, payment);
  const moves: DisputeMove[] = [];
  for (const one of changed) moves.push(await converge(tx, house, disputed, { ...one, accounts }));
  return moves;
}

/** The payment's own disputes. A reference that another payment had first belongs there: it is told, and nothing is posted for it. */
function ownOf(
  house: House,
  { payment, received }: DisputedPayment,
  known: readonly DisputeRow[],
): readonly ProviderDispute[] {
  return received.disputes.filter((truth) => {
    const row = known.find(({ disputeRef }) => disputeRef === truth.disputeRef);
    const isOwn = !row || (row.paymentSid === payment.sid && row.paymentRef === received.paymentRef);
    if (!isOwn) {
      const facts = { dispute_ref: truth.disputeRef, payment_sid: payment.sid, known_for: row.paymentSid };
      house.ports.log.error(facts, 'the provider names one dispute for two payments: nothing is posted for the second');
    }
    return isOwn;
  });
}

/** The provider's claims, and what it has stopped to speak of as it stood: that is no sign that the money is back. */
function claimsOf(truths: readonly ProviderDispute[], rows: readonly DisputeRow[]) {
  const told = new Set(truths.map(({ disputeRef }) => disputeRef));
  return [...truths, ...rows.filter(({ disputeRef }) => !told.has(disputeRef))];
}

/** Refunds under way count: their money is on its way out. */
const refundedOf = ({ refunds }: ProviderPayment): bigint =>
  refunds.reduce((sum, refund) => (refund.state === 'failed' ? sum : sum + refund.amount), 0n);

interface Wanted {
  readonly truth: ProviderDispute;
  readonly row: DisputeRow | null;
  readonly share: Share;
  /** What refunds have left of the payment. */
  readonly left: bigint;
}

function differs({ truth, row, share }: Wanted): boolean {
  if (row === null) return true;
  return (
    row.state !== truth.state ||
    row.amount !== truth.amount ||
    row.frozen !== share.frozen ||
    row.lost !== share.lost ||
    row.excess !== share.excess ||
    row.fee !== (truth.fee ?? row.fee) ||
    row.reason !== (truth.reason ?? row.reason) ||
    row.evidenceDueBy?.getTime() !== truth.evidenceDueBy?.getTime()
  );
}

const isTaken = (state: DisputeState): boolean => state === 'open' || state === 'lost';

const growthOf = ({ row, share }: Wanted): number =>
  share.frozen + share.lost > (row?.frozen ?? 0n) + (row?.lost ?? 0n) ? 1 : 0;

/** Every account that a dispute may touch; opened before the wallet is locked, as a top-up does. */
async function accountsOf(tx: Tx, { provider, currency }: PaymentRow): Promise<DisputeAccounts> {
  const clearing = await ensureSystemAccount(tx, `provider:${provider}:clearing`, currency);
  const disputed = await ensureSystemAccount(tx, `provider:${provider}:disputed`, currency);
  return { clearing, disputed };
}

async function converge(
  tx: Tx,
  house: House,
  { payment, received, cause }: DisputedPayment,
  { truth, row, share, left, accounts }: Wanted & { readonly accounts: DisputeAccounts },
): Promise<DisputeMove> {
  const now = house.ports.clock.now();
  const main = liveAccount(payment.wallet, 'wallet');
  const locked = await lockAhead(tx, [main, liveAccount(payment.wallet, 'frozen')]);
  const wasWalletFrozen = locked.get(main)?.isFrozen === true;
  const before = row ?? firstRow(payment, received.paymentRef, truth, { sid: house.ports.ids.sid(), now });
  const step = before.step + 1;
  const missed = await missedOf(tx, payment, truth, left);
  const steps = missed > 0n ? passingBy(missed) : stepsBetween(before, share);
  await post(tx, house, { ...before, step }, { steps, accounts, now });
  for (const one of steps) await recordMovement(tx, house, payment, { one, disputeRef: before.disputeRef, step, now });
  const after: DisputeRow = {
    ...before,
    state: truth.state,
    amount: truth.amount,
    frozen: micros(share.frozen),
    lost: micros(share.lost),
    excess: micros(share.excess),
    fee: micros(truth.fee ?? before.fee),
    reason: truth.reason ?? before.reason,
    evidenceDueBy: truth.evidenceDueBy,
    step,
    updatedAt: now,
    closedAt: isUnderWay(truth.state) ? null : (before.closedAt ?? now),
  };
  const isNewlyTaken = isTaken(truth.state) && !(row !== null && isTaken(row.state));
  const freezesWallet = await followFreeze(tx, house, after, { isNewlyTaken, wasWalletFrozen });
  const dispute = { ...after, freezesWallet };
  await writeDispute(tx, dispute);
  await tellOfDispute(tx, house, { before: row, dispute });
  await recordAudit(tx, authorOf(house, cause), {
    action: 'dispute.converge',
    subject: dispute.sid,
    reason: dispute.reason,
    before: row === null ? null : standingOf(row),
    after: standingOf(dispute),
  });
  const balance = (locked.get(main)?.balance ?? 0n) - (after.frozen + after.lost - before.frozen - before.lost);
  return { before: row, dispute, wasWalletFrozen, balance };
}

/**
 * What was withheld and given back before we heard of it: a dispute that is won, was charged for, and of which nothing was ever posted.
 * Its two movements are on the provider's statement, so they must be in our books.
 */
async function missedOf(tx: Tx, payment: PaymentRow, truth: ProviderDispute, left: bigint): Promise<bigint> {
  if (truth.state !== 'won' || truth.fee === null) return 0n;
  if ((await readMovedAmount(tx, payment, 'dispute_opened', truth.disputeRef)) !== null) return 0n;
  return truth.amount < left ? truth.amount : left;
}

const passingBy = (amount: bigint): DisputeStep[] => [
  { kind: 'dispute_open', amount: micros(amount) },
  { kind: 'dispute_won', amount: micros(amount) },
];

function firstRow(
  payment: PaymentRow,
  paymentRef: string,
  truth: ProviderDispute,
  { sid, now }: { readonly sid: string; readonly now: Date },
): DisputeRow {
  const none = micros(0n);
  const { wallet, walletSid, userSid, provider, providerAccount } = payment;
  return {
    sid,
    paymentSid: payment.sid,
    wallet,
    walletSid,
    userSid,
    provider,
    providerAccount,
    disputeRef: truth.disputeRef,
    paymentRef,
    state: truth.state,
    amount: truth.amount,
    frozen: none,
    lost: none,
    excess: none,
    fee: none,
    reason: truth.reason,
    evidenceDueBy: truth.evidenceDueBy,
    step: 0,
    freezesWallet: false,
    openedAt: now,
    updatedAt: now,
    closedAt: null,
  };
}

interface Posted {
  readonly steps: readonly DisputeStep[];
  readonly accounts: DisputeAccounts;
  readonly now: Date;
}

async function post(tx: Tx, house: House, dispute: DisputeRow, { steps, accounts, now }: Posted): Promise<void> {
  const records = steps.map((step) => toDisputePosting(dispute, step, { accounts, now }));
  const outcomes = await applyPostings(tx, records, { batch: house.ports.ids.batchId(), recordedAt: now });
  for (const outcome of outcomes) {
    assert(
      outcome.kind === 'applied',
      `a step of a dispute is posted once, with its row locked; it was ${outcome.kind}`,
    );
  }
}

const EVENT_KINDS = {
  dispute_open: 'dispute_opened',
  dispute_won: 'dispute_won',
  dispute_lost: 'dispute_lost',
} as const satisfies Record<DisputeStep['kind'], PaymentEventKind>;

interface Movement {
  readonly one: DisputeStep;
  readonly disputeRef: string;
  readonly step: number;
  readonly now: Date;
}

/** Money at the provider: withheld and lost are minus, what comes back is plus. A second movement of its kind has the step in its name. */
async function recordMovement(
  tx: Tx,
  house: House,
  payment: PaymentRow,
  { one, disputeRef, step, now }: Movement,
): Promise<void> {
  const kind = EVENT_KINDS[one.kind];
  const isFirst = (await readMovedAmount(tx, payment, kind, disputeRef)) === null;
  await insertPaymentEvent(tx, {
    sid: house.ports.ids.sid(),
    userSid: payment.userSid,
    wallet: payment.wallet,
    paymentSid: payment.sid,
    provider: payment.provider,
    providerAccount: payment.providerAccount,
    kind,
    externalRef: isFirst ? disputeRef : `${disputeRef}#${step}`,
    amount: one.kind === 'dispute_won' ? one.amount : micros(-one.amount),
    currency: payment.currency,
    createdAt: now,
  });
}

const standingOf = (row: {
  readonly state: DisputeState;
  readonly amount: bigint;
  readonly frozen: bigint;
  readonly lost: bigint;
  readonly excess: bigint;
  readonly fee: bigint;
}) => ({
  state: row.state,
  amount: formatDecimal(row.amount),
  frozen: formatDecimal(row.frozen),
  lost: formatDecimal(row.lost),
  excess: formatDecimal(row.excess),
  fee: formatDecimal(row.fee),
});

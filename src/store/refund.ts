import { micros, type Micros } from '../domain/money.ts';
import type { RefundOrigin, RefundState } from '../domain/refund/state.ts';
import { statement, type Row, type Tx } from './db.ts';

export interface RefundRow {
  readonly sid: string;
  readonly paymentSid: string;
  readonly paymentRef: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly origin: RefundOrigin;
  readonly state: RefundState;
  readonly amount: Micros;
  /** What has left the wallet for good; null until then. */
  readonly posted: Micros | null;
  readonly currency: string;
  readonly reason: string;
  /** Null until the provider has answered. */
  readonly refundRef: string | null;
  /** Where to, for a payout; else null. */
  readonly destination: string | null;
  readonly claimUrl: string | null;
  readonly fee: Micros | null;
  readonly detail: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** Who approved or rejected it; null: nobody had to, or has yet. */
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
  readonly nextCheckAt: Date | null;
  readonly checks: number;
}

interface RefundRecord extends Row {
  sid: string;
  payment_sid: string;
  payment_ref: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  provider: string;
  provider_account: string;
  origin: RefundOrigin;
  state: RefundState;
  amount: bigint;
  posted: bigint | null;
  currency: string;
  reason: string;
  refund_ref: string | null;
  destination: string | null;
  claim_url: string | null;
  fee: bigint | null;
  detail: string | null;
  created_by: string;
  created_at: Date;
  decided_by: string | null;
  decided_at: Date | null;
  updated_at: Date;
  ended_at: Date | null;
  next_check_at: Date | null;
  checks: number;
}

const orNull = (amount: bigint | null): Micros | null => (amount === null ? null : micros(amount));

const fromRow = (row: RefundRecord): RefundRow => ({
  sid: row.sid,
  paymentSid: row.payment_sid,
  paymentRef: row.payment_ref,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  origin: row.origin,
  state: row.state,
  amount: micros(row.amount),
  posted: orNull(row.posted),
  currency: row.currency,
  reason: row.reason,
  refundRef: row.refund_ref,
  destination: row.destination,
  claimUrl: row.claim_url,
  fee: orNull(row.fee),
  detail: row.detail,
  createdBy: row.created_by,
  createdAt: row.created_at,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at,
  updatedAt: row.updated_at,
  endedAt: row.ended_at,
  nextCheckAt: row.next_check_at,
  checks: row.checks,
});

const selectRefund = `select refund.sid, payment_sid, payment_ref, refund.wallet, wallet.sid as wallet_sid, wallet.user_sid, provider, provider_account,
  origin, state, amount, posted, refund.currency, reason, refund_ref, destination, claim_url, fee, detail, created_by, refund.created_at,
  decided_by, decided_at, updated_at, ended_at, next_check_at, checks
  from refund join wallet on wallet.id = refund.wallet`;

const insertStatement = statement(
  'refund.insert',
  `insert into refund (sid, payment_sid, payment_ref, wallet, provider, provider_account, origin, state, amount, posted, currency, reason,
                       refund_ref, destination, claim_url, fee, detail, created_by, created_at, decided_by, decided_at, updated_at, ended_at,
                       next_check_at, checks)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
);

/** Of ours the intent: committed before the provider hears of it. */
export async function insertRefund(tx: Tx, refund: RefundRow): Promise<void> {
  await tx.query(insertStatement, [
    refund.sid,
    refund.paymentSid,
    refund.paymentRef,
    refund.wallet,
    refund.provider,
    refund.providerAccount,
    refund.origin,
    refund.state,
    refund.amount,
    refund.posted,
    refund.currency,
    refund.reason,
    refund.refundRef,
    refund.destination,
    refund.claimUrl,
    refund.fee,
    refund.detail,
    refund.createdBy,
    refund.createdAt,
    refund.decidedBy,
    refund.decidedAt,
    refund.updatedAt,
    refund.endedAt,
    refund.nextCheckAt,
    refund.checks,
  ]);
}

const updateStatement = statement(
  'refund.update',
  `update refund set state = $2, posted = $3, refund_ref = $4, claim_url = $5, fee = $6, detail = $7, decided_by = $8, decided_at = $9,
                     updated_at = $10, ended_at = $11, next_check_at = $12, checks = $13
   where sid = $1`,
);

/** Writes what may change. The caller holds the payment's lock and gives the whole new row. */
export async function updateRefund(tx: Tx, refund: RefundRow): Promise<void> {
  await tx.query(updateStatement, [
    refund.sid,
    refund.state,
    refund.posted,
    refund.refundRef,
    refund.claimUrl,
    refund.fee,
    refund.detail,
    refund.decidedBy,
    refund.decidedAt,
    refund.updatedAt,
    refund.endedAt,
    refund.nextCheckAt,
    refund.checks,
  ]);
}

const readStatement = statement('refund.read', `${selectRefund} where refund.sid = $1`);
const byReferenceStatement = statement(
  'refund.read_by_reference',
  `${selectRefund} where provider = $1 and provider_account = $2 and refund_ref = $3`,
);
const ofPaymentStatement = statement('refund.of_payment', `${selectRefund} where payment_sid = $1 order by refund.sid`);
const ofWalletStatement = statement('refund.of_wallet', `${selectRefund} where refund.wallet = $1 order by refund.sid`);

export async function readRefund(tx: Tx, sid: string): Promise<RefundRow | null> {
  const [row] = await tx.query<RefundRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** By the provider's reference, whichever payment it belongs to. */
export async function readRefundByReference(
  tx: Tx,
  {
    provider,
    providerAccount,
    refundRef,
  }: Pick<RefundRow, 'provider' | 'providerAccount'> & { readonly refundRef: string },
): Promise<RefundRow | null> {
  const [row] = await tx.query<RefundRecord>(byReferenceStatement, [provider, providerAccount, refundRef]);
  return row ? fromRow(row) : null;
}

/**
 * Every refund of a payment of ours, oldest first. Who holds the payment's lock may rely on them: a refund is made and changed under
 * that lock only.
 */
export async function readRefundsOfPayment(tx: Tx, paymentSid: string): Promise<RefundRow[]> {
  const rows = await tx.query<RefundRecord>(ofPaymentStatement, [paymentSid]);
  return rows.map(fromRow);
}

export async function readRefundsOfWallet(tx: Tx, wallet: bigint): Promise<RefundRow[]> {
  const rows = await tx.query<RefundRecord>(ofWalletStatement, [wallet]);
  return rows.map(fromRow);
}

const listStatement = statement(
  'refund.list',
  `${selectRefund}
   where ($1::bigint[] is null or refund.wallet = any($1)) and ($2::text is null or payment_sid = $2) and ($3::text is null or state = $3)
     and ($4::text is null or origin = $4) and ($5::text is null or refund.sid < $5)
   order by refund.sid desc limit $6`,
);

/** Newest first; null wallets mean all. */
export async function listRefunds(
  tx: Tx,
  page: {
    readonly wallets: readonly bigint[] | null;
    readonly paymentSid: string | null;
    readonly state: RefundState | null;
    readonly origin: RefundOrigin | null;
    readonly before: string | null;
    readonly limit: number;
  },
): Promise<RefundRow[]> {
  const { wallets, paymentSid, state, origin, before, limit } = page;
  const rows = await tx.query<RefundRecord>(listStatement, [wallets, paymentSid, state, origin, before, limit]);
  return rows.map(fromRow);
}

const claimDueStatement = statement(
  'refund.claim_due',
  // Moved on before they are asked about: another process passes them by, and if this one dies they are due again after the lease.
  `update refund set next_check_at = $2 where sid in (
     select sid from refund where next_check_at <= $1 order by next_check_at, sid limit $3 for update skip locked)
   returning sid`,
);

/** Takes refunds that are due to be looked at; they are due again at `leaseEndsAt` unless moved before. */
export async function claimDueRefunds(
  tx: Tx,
  claim: { readonly now: Date; readonly leaseEndsAt: Date; readonly limit: number },
): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(claimDueStatement, [claim.now, claim.leaseEndsAt, claim.limit]);
  return rows.map((row) => row.sid).toSorted();
}

const paidStatement = statement(
  'refund.paid_before',
  `select payment_event.payment_sid, payment_event.external_ref as payment_ref, payment_event.amount, payment_event.created_at,
          payment_event.provider
   from payment_event where wallet = $1 and kind = 'top_up' order by created_at desc, sid desc limit $2`,
);

/** A payment at the provider that a wallet was credited with. */
export interface CreditedPayment {
  readonly paymentSid: string;
  readonly paymentRef: string;
  readonly provider: string;
  readonly amount: Micros;
  readonly createdAt: Date;
}

/** What a wallet was credited with, newest first. */
export async function readCreditedPayments(tx: Tx, wallet: bigint, limit: number): Promise<CreditedPayment[]> {
  const rows = await tx.query<{
    payment_sid: string;
    payment_ref: string;
    provider: string;
    amount: bigint;
    created_at: Date;
  }>(paidStatement, [wallet, limit]);
  return rows.map((row) => ({
    paymentSid: row.payment_sid,
    paymentRef: row.payment_ref,
    provider: row.provider,
    amount: micros(row.amount),
    createdAt: row.created_at,
  }));
}

const disputedStatement = statement(
  'refund.disputed',
  // What is withheld and not given back. What was lost was withheld before, or is known only as lost: the larger of the two is gone.
  `select payment_sid, greatest(-coalesce(sum(amount) filter (where kind <> 'dispute_lost'), 0),
                                -coalesce(sum(amount) filter (where kind = 'dispute_lost'), 0), 0)::int8 as amount
   from payment_event where wallet = $1 and kind in ('dispute_opened', 'dispute_won', 'dispute_lost') group by payment_sid`,
);

/** What disputes keep of a wallet's payments, by payment. */
export async function readDisputed(tx: Tx, wallet: bigint): Promise<ReadonlyMap<string, Micros>> {
  const rows = await tx.query<{ payment_sid: string; amount: bigint }>(disputedStatement, [wallet]);
  return new Map(rows.map((row) => [row.payment_sid, micros(row.amount)]));
}

import type { DeclineCode } from '../domain/payment/decline.ts';
import type { PaymentState } from '../domain/payment/state.ts';
import { statement, type Row, type Tx } from './db.ts';

export interface PaymentRow {
  readonly sid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly isLive: boolean;
  readonly amount: bigint;
  readonly currency: string;
  readonly state: PaymentState;
  readonly orderRef: string | null;
  readonly paymentRef: string | null;
  readonly checkoutUrl: string | null;
  readonly credited: bigint | null;
  readonly problem: string | null;
  /** What the provider says of a payment under way; null: nothing. */
  readonly progress: string | null;
  readonly idem: string;
  readonly fingerprint: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date;
  readonly paidAt: Date | null;
  readonly creditedAt: Date | null;
  readonly nextCheckAt: Date | null;
  readonly checks: number;
  /** How often its disputes have changed: tells a truth that was read before the last change. */
  readonly moves: number;
  /** The provider's record of the payer; null where the provider was not told one. */
  readonly customerRef: string | null;
  /** Whether the payer wanted the card that pays to be saved. */
  readonly savesCard: boolean;
  /** The saved card that is charged without its owner; null: the payer pays on a page. */
  readonly cardRef: string | null;
  /** Why the bank of a saved card said no; null: it did not. */
  readonly decline: DeclineCode | null;
  /** The provider's order that holds the money of a payment which an operator has assigned; null: the order is our own. */
  readonly assignedOrderRef: string | null;
}

interface PaymentRecord extends Row {
  sid: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  provider: string;
  provider_account: string;
  is_live: boolean;
  amount: bigint;
  currency: string;
  state: PaymentState;
  provider_order_ref: string | null;
  provider_payment_ref: string | null;
  checkout_url: string | null;
  credited: bigint | null;
  problem: string | null;
  progress: string | null;
  idem: string;
  fingerprint: string;
  created_at: Date;
  updated_at: Date;
  expires_at: Date;
  paid_at: Date | null;
  credited_at: Date | null;
  next_check_at: Date | null;
  checks: number;
  moves: number;
  customer_ref: string | null;
  saves_card: boolean;
  card_ref: string | null;
  decline: DeclineCode | null;
  assigned_order_ref: string | null;
}

const fromRow = (row: PaymentRecord): PaymentRow => ({
  sid: row.sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  isLive: row.is_live,
  amount: row.amount,
  currency: row.currency,
  state: row.state,
  orderRef: row.provider_order_ref,
  paymentRef: row.provider_payment_ref,
  checkoutUrl: row.checkout_url,
  credited: row.credited,
  problem: row.problem,
  progress: row.progress,
  idem: row.idem,
  fingerprint: row.fingerprint,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  expiresAt: row.expires_at,
  paidAt: row.paid_at,
  creditedAt: row.credited_at,
  nextCheckAt: row.next_check_at,
  checks: row.checks,
  moves: row.moves,
  customerRef: row.customer_ref,
  savesCard: row.saves_card,
  cardRef: row.card_ref,
  decline: row.decline,
  assignedOrderRef: row.assigned_order_ref,
});

const COLUMNS = `payment.sid, payment.wallet, wallet.sid as wallet_sid, payment.user_sid, provider, provider_account, is_live, amount,
  payment.currency, state, provider_order_ref, provider_payment_ref, checkout_url, credited, problem, progress, idem, fingerprint,
  payment.created_at, updated_at, expires_at, paid_at, credited_at, next_check_at, checks, moves,
  customer_ref, saves_card, card_ref, decline, assigned_order_ref`;
const FROM = `from payment join wallet on wallet.id = payment.wallet`;

const insertStatement = statement(
  'payment.insert',
  `insert into payment (sid, wallet, user_sid, provider, provider_account, is_live, amount, currency, state, idem, fingerprint,
                        created_at, updated_at, expires_at, next_check_at, customer_ref, saves_card, card_ref, assigned_order_ref)
   select $1, $2, sid, $4, $5, $6, $7, $8, 'created', $9, $10, $11, $11, $12, $13, $14, $15, $16, $17
   from app_user where sid = $3 and erased_at is null for key share
   returning sid`,
);

export type NewPayment = Pick<
  PaymentRow,
  | 'sid'
  | 'wallet'
  | 'userSid'
  | 'provider'
  | 'providerAccount'
  | 'isLive'
  | 'amount'
  | 'currency'
  | 'idem'
  | 'fingerprint'
  | 'createdAt'
  | 'expiresAt'
  | 'nextCheckAt'
> &
  Partial<Pick<PaymentRow, 'customerRef' | 'savesCard' | 'cardRef' | 'assignedOrderRef'>>;

/** The intent: committed before the provider hears of it. False, and nothing is written, when the user is deleted; waits for who deletes them. */
export async function insertPayment(tx: Tx, payment: NewPayment): Promise<boolean> {
  const rows = await tx.query(insertStatement, [
    payment.sid,
    payment.wallet,
    payment.userSid,
    payment.provider,
    payment.providerAccount,
    payment.isLive,
    payment.amount,
    payment.currency,
    payment.idem,
    payment.fingerprint,
    payment.createdAt,
    payment.expiresAt,
    payment.nextCheckAt,
    payment.customerRef ?? null,
    payment.savesCard ?? false,
    payment.cardRef ?? null,
    payment.assignedOrderRef ?? null,
  ]);
  return rows.length === 1;
}

const readStatement = statement('payment.read', `select ${COLUMNS} ${FROM} where payment.sid = $1`);
const readManyStatement = statement('payment.read_many', `select ${COLUMNS} ${FROM} where payment.sid = any($1)`);
const lockStatement = statement(
  'payment.lock',
  `select ${COLUMNS} ${FROM} where payment.sid = $1 for no key update of payment`,
);
const readByIdemStatement = statement('payment.read_by_idem', `select ${COLUMNS} ${FROM} where idem = $1`);
const readByOrderStatement = statement(
  'payment.read_by_order',
  `select ${COLUMNS} ${FROM} where provider = $1 and provider_order_ref = $2 limit 1`,
);
const readByPaymentRefStatement = statement(
  'payment.read_by_payment_ref',
  // Through the movement, not the payment row: its unique key is the index, and it exists exactly when we know the reference.
  `select ${COLUMNS} ${FROM} where payment.sid = (
     select payment_sid from payment_event where payment_event.provider = $1 and external_ref = $2 limit 1)`,
);

const listByAssignedOrderStatement = statement(
  'payment.list_by_assigned_order',
  `select ${COLUMNS} ${FROM} where provider = $1 and assigned_order_ref = $2 order by payment.sid limit 100`,
);

export const readPayment = (tx: Tx, sid: string): Promise<PaymentRow | null> => one(tx, readStatement, [sid]);

/** By sid; what does not exist is not in the map. */
export async function readPayments(tx: Tx, sids: readonly string[]): Promise<ReadonlyMap<string, PaymentRow>> {
  if (sids.length === 0) return new Map();
  const rows = await tx.query<PaymentRecord>(readManyStatement, [sids]);
  return new Map(rows.map((row) => [row.sid, fromRow(row)]));
}

/** Reads it and keeps others from changing it until the transaction ends. */
export const lockPayment = (tx: Tx, sid: string): Promise<PaymentRow | null> => one(tx, lockStatement, [sid]);

export const readPaymentByIdem = (tx: Tx, idem: string): Promise<PaymentRow | null> =>
  one(tx, readByIdemStatement, [idem]);

/** By the provider's order; any of its accounts: the caller compares. */
export const readPaymentByOrder = (tx: Tx, provider: string, orderRef: string): Promise<PaymentRow | null> =>
  one(tx, readByOrderStatement, [provider, orderRef]);

/** By the provider's payment; null until it has been credited. */
export const readPaymentByPaymentRef = (tx: Tx, provider: string, paymentRef: string): Promise<PaymentRow | null> =>
  one(tx, readByPaymentRefStatement, [provider, paymentRef]);

/** Payments that operators have made of the money of one order at the provider, oldest first; at most 100. */
export async function listPaymentsAssignedFrom(tx: Tx, provider: string, orderRef: string): Promise<PaymentRow[]> {
  const rows = await tx.query<PaymentRecord>(listByAssignedOrderStatement, [provider, orderRef]);
  return rows.map(fromRow);
}

async function one(tx: Tx, query: typeof readStatement, values: readonly unknown[]): Promise<PaymentRow | null> {
  const [row] = await tx.query<PaymentRecord>(query, values);
  return row ? fromRow(row) : null;
}

const updateStatement = statement(
  'payment.update',
  `update payment set state = $2, provider_order_ref = $3, provider_payment_ref = $4, checkout_url = $5, credited = $6, problem = $7,
                      updated_at = $8, paid_at = $9, credited_at = $10, next_check_at = $11, checks = $12, decline = $13, progress = $14
   where sid = $1`,
);

/** Writes what may change. The caller holds the row's lock and gives the whole new row. */
export async function updatePayment(tx: Tx, payment: PaymentRow): Promise<void> {
  await tx.query(updateStatement, [
    payment.sid,
    payment.state,
    payment.orderRef,
    payment.paymentRef,
    payment.checkoutUrl,
    payment.credited,
    payment.problem,
    payment.updatedAt,
    payment.paidAt,
    payment.creditedAt,
    payment.nextCheckAt,
    payment.checks,
    payment.decline,
    payment.progress,
  ]);
}

const countMoveStatement = statement('payment.count_move', `update payment set moves = moves + 1 where sid = $1`);

/** Says that what came of its money has changed. The caller holds the row's lock. */
export async function countMove(tx: Tx, sid: string): Promise<void> {
  await tx.query(countMoveStatement, [sid]);
}

const lockWalletStatement = statement('payment.lock_wallet', `select 1 from wallet where id = $1 for no key update`);
const countOpenStatement = statement(
  'payment.count_open',
  `select count(*) as open from payment where wallet = $1 and state in ('created', 'open') and expires_at > $2`,
);

/** Payments of a wallet that can still be paid. Locks the wallet's row, so that two calls cannot both take the last place. */
export async function countOpenPayments(tx: Tx, wallet: bigint, now: Date): Promise<bigint> {
  await tx.query(lockWalletStatement, [wallet]);
  const [row] = await tx.query<{ open: bigint }>(countOpenStatement, [wallet, now]);
  return row?.open ?? 0n;
}

const listStatement = statement(
  'payment.list',
  `select ${COLUMNS} ${FROM}
   where ($1::bigint[] is null or payment.wallet = any($1)) and ($2::text is null or payment.sid < $2) and ($3::text is null or state = $3)
   order by payment.sid desc limit $4`,
);

/** Newest first; `before` is the sid of the last one of the page before; null wallets mean all. */
export async function listPayments(
  tx: Tx,
  page: {
    readonly wallets: readonly bigint[] | null;
    readonly before: string | null;
    readonly state: PaymentState | null;
    readonly limit: number;
  },
): Promise<PaymentRow[]> {
  const rows = await tx.query<PaymentRecord>(listStatement, [page.wallets, page.before, page.state, page.limit]);
  return rows.map(fromRow);
}

const claimDueStatement = statement(
  'payment.claim_due',
  // Moved on before they are asked about: another process passes them by, and if this one dies they are due again after the lease.
  `update payment set next_check_at = $2 where sid in (
     select sid from payment where next_check_at <= $1 order by next_check_at, sid limit $3 for update skip locked)
   returning sid`,
);

/** Takes payments that are due to be asked about; they are due again at `leaseEndsAt` unless settled before. */
export async function claimDuePayments(
  tx: Tx,
  claim: { readonly now: Date; readonly leaseEndsAt: Date; readonly limit: number },
): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(claimDueStatement, [claim.now, claim.leaseEndsAt, claim.limit]);
  // An update answers in the order in which it happened to find the rows; they are worked off in the order they were made.
  return rows.map((row) => row.sid).toSorted();
}

const deferStatement = statement(
  'payment.defer',
  `update payment set next_check_at = $2, checks = checks + 1 where sid = $1 and next_check_at is not null`,
);

/** The provider could not be asked: ask again later. */
export async function deferPayment(tx: Tx, sid: string, nextCheckAt: Date): Promise<void> {
  await tx.query(deferStatement, [sid, nextCheckAt]);
}

const reconciledStatement = statement(
  'payment.read_reconciled',
  `select up_to from reconciled where provider = $1 and provider_account = $2`,
);
const saveReconciledStatement = statement(
  'payment.save_reconciled',
  `insert into reconciled (provider, provider_account, up_to) values ($1, $2, $3)
   on conflict (provider, provider_account) do update set up_to = greatest(reconciled.up_to, excluded.up_to)`,
);

/** Up to when a provider account's orders have been looked at; null before the first time. */
export async function readReconciled(tx: Tx, provider: string, account: string): Promise<Date | null> {
  const [row] = await tx.query<{ up_to: Date }>(reconciledStatement, [provider, account]);
  return row?.up_to ?? null;
}

export async function saveReconciled(
  tx: Tx,
  mark: { readonly provider: string; readonly account: string; readonly upTo: Date },
) {
  await tx.query(saveReconciledStatement, [mark.provider, mark.account, mark.upTo]);
}

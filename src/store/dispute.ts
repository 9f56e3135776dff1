import type { DisputeState } from '../domain/dispute/state.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';

/** What a customer's bank takes back, as far as we have followed it. */
export interface DisputeRow {
  readonly sid: string;
  readonly paymentSid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly disputeRef: string;
  readonly paymentRef: string;
  readonly state: DisputeState;
  readonly amount: Micros;
  readonly frozen: Micros;
  readonly lost: Micros;
  readonly excess: Micros;
  readonly fee: Micros;
  readonly reason: string | null;
  readonly evidenceDueBy: Date | null;
  readonly step: number;
  readonly freezesWallet: boolean;
  readonly openedAt: Date;
  readonly updatedAt: Date;
  readonly closedAt: Date | null;
}

interface DisputeRecord extends Row {
  sid: string;
  payment_sid: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  provider: string;
  provider_account: string;
  dispute_ref: string;
  payment_ref: string;
  state: DisputeState;
  amount: bigint;
  frozen: bigint;
  lost: bigint;
  excess: bigint;
  fee: bigint;
  reason: string | null;
  evidence_due_by: Date | null;
  step: number;
  freezes_wallet: boolean;
  opened_at: Date;
  updated_at: Date;
  closed_at: Date | null;
}

const fromRow = (row: DisputeRecord): DisputeRow => ({
  sid: row.sid,
  paymentSid: row.payment_sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  disputeRef: row.dispute_ref,
  paymentRef: row.payment_ref,
  state: row.state,
  amount: micros(row.amount),
  frozen: micros(row.frozen),
  lost: micros(row.lost),
  excess: micros(row.excess),
  fee: micros(row.fee),
  reason: row.reason,
  evidenceDueBy: row.evidence_due_by,
  step: row.step,
  freezesWallet: row.freezes_wallet,
  openedAt: row.opened_at,
  updatedAt: row.updated_at,
  closedAt: row.closed_at,
});

const selectDispute = `select dispute.sid, dispute.payment_sid, dispute.wallet, wallet.sid as wallet_sid, wallet.user_sid, dispute.provider,
  dispute.provider_account, dispute.dispute_ref, dispute.payment_ref, dispute.state, dispute.amount, dispute.frozen, dispute.lost,
  dispute.excess, dispute.fee, dispute.reason, dispute.evidence_due_by, dispute.step, dispute.freezes_wallet,
  dispute.opened_at, dispute.updated_at, dispute.closed_at
  from dispute join wallet on wallet.id = dispute.wallet`;

const readStatement = statement('dispute.read', `${selectDispute} where dispute.sid = $1`);
const readOfPaymentStatement = statement(
  'dispute.read_of_payment',
  `${selectDispute} where dispute.payment_sid = $1 order by dispute.sid`,
);

export async function readDispute(tx: Tx, sid: string): Promise<DisputeRow | null> {
  const [row] = await tx.query<DisputeRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** All disputes of a payment, in the order in which we heard of them. */
export async function readDisputesOfPayment(tx: Tx, paymentSid: string): Promise<DisputeRow[]> {
  const rows = await tx.query<DisputeRecord>(readOfPaymentStatement, [paymentSid]);
  return rows.map(fromRow);
}

const readKnownStatement = statement(
  'dispute.read_known',
  `${selectDispute}
   where dispute.payment_sid = $1 or (dispute.provider = $2 and dispute.provider_account = $3 and dispute.dispute_ref = any($4))
   order by dispute.sid`,
);

/** The disputes of a payment, and those of others that have one of the references. Whoever changes one holds its payment's lock. */
export async function readKnownDisputes(
  tx: Tx,
  {
    sid,
    provider,
    providerAccount,
  }: { readonly sid: string; readonly provider: string; readonly providerAccount: string },
  disputeRefs: readonly string[],
): Promise<DisputeRow[]> {
  const rows = await tx.query<DisputeRecord>(readKnownStatement, [sid, provider, providerAccount, disputeRefs]);
  return rows.map(fromRow);
}

const writeStatement = statement(
  'dispute.write',
  `insert into dispute (sid, payment_sid, wallet, provider, provider_account, dispute_ref, payment_ref, state, amount, frozen, lost, excess,
                        fee, reason, evidence_due_by, step, freezes_wallet, opened_at, updated_at, closed_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
   on conflict (sid) do update set
     state = excluded.state, amount = excluded.amount, frozen = excluded.frozen, lost = excluded.lost, excess = excluded.excess,
     fee = excluded.fee, reason = excluded.reason, evidence_due_by = excluded.evidence_due_by,
     step = excluded.step, freezes_wallet = excluded.freezes_wallet, updated_at = excluded.updated_at, closed_at = excluded.closed_at`,
);

/** Adds it, or writes what may change. The caller holds the payment's lock and gives the whole row. */
export async function writeDispute(tx: Tx, dispute: Omit<DisputeRow, 'walletSid' | 'userSid'>): Promise<void> {
  await tx.query(writeStatement, [
    dispute.sid,
    dispute.paymentSid,
    dispute.wallet,
    dispute.provider,
    dispute.providerAccount,
    dispute.disputeRef,
    dispute.paymentRef,
    dispute.state,
    dispute.amount,
    dispute.frozen,
    dispute.lost,
    dispute.excess,
    dispute.fee,
    dispute.reason,
    dispute.evidenceDueBy,
    dispute.step,
    dispute.freezesWallet,
    dispute.openedAt,
    dispute.updatedAt,
    dispute.closedAt,
  ]);
}

const freezersStatement = statement(
  'dispute.freezers',
  `select sid from dispute where wallet = $1 and freezes_wallet and sid <> $2 limit 1`,
);

/** Whether another dispute keeps the wallet frozen. The caller holds the lock of the wallet's account. */
export async function isFrozenByAnother(tx: Tx, wallet: bigint, sid: string): Promise<boolean> {
  return (await tx.query(freezersStatement, [wallet, sid])).length > 0;
}

const takeOverStatement = statement(
  'dispute.take_over_freeze',
  `update dispute set freezes_wallet = false where wallet = $1 and freezes_wallet`,
);

/** From now on an operator decides whether the wallet is frozen, and not its disputes. */
export async function takeOverFreeze(tx: Tx, wallet: bigint): Promise<void> {
  await tx.query(takeOverStatement, [wallet]);
}

const listStatement = statement(
  'dispute.list',
  `${selectDispute} where ($1::text is null or dispute.sid < $1) and ($2::text is null or wallet.sid = $2)
     and ($3::text[] is null or wallet.user_sid = any($3)) and ($4::text is null or dispute.state = $4)
   order by dispute.sid desc limit $5`,
);

/** Newest first. */
export async function listDisputes(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly walletSid: string | null;
    readonly owners: readonly string[] | null;
    readonly state: DisputeState | null;
    readonly limit: number;
  },
): Promise<DisputeRow[]> {
  const rows = await tx.query<DisputeRecord>(listStatement, [
    page.before,
    page.walletSid,
    page.owners,
    page.state,
    page.limit,
  ]);
  return rows.map(fromRow);
}

const underWayStatement = statement(
  'dispute.under_way',
  // The payment's order is what is asked; a payment with two disputes is asked about once.
  `select distinct payment_sid from dispute where state in ('inquiry', 'open') and ($1::text is null or payment_sid > $1)
   order by payment_sid limit $2`,
);

/** Payments with a dispute that is not over, in order of their sids; `after` is the last one of the page before. */
export async function listPaymentsUnderDispute(tx: Tx, after: string | null, limit: number): Promise<string[]> {
  const rows = await tx.query<{ payment_sid: string }>(underWayStatement, [after, limit]);
  return rows.map((row) => row.payment_sid);
}

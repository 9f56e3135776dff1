import { micros, type Micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';

/**
 * Why money moved at a provider. `refund`: it left · `refund_returned`: it came back · `reversal`: the rail took it back by itself ·
 * `dispute_opened`: it is withheld · `dispute_won`: it is ours again · `dispute_lost`: it is gone, and not withheld any more.
 */
export const PAYMENT_EVENT_KINDS = [
  'top_up',
  'refund',
  'refund_returned',
  'reversal',
  'dispute_opened',
  'dispute_won',
  'dispute_lost',
] as const;
export type PaymentEventKind = (typeof PAYMENT_EVENT_KINDS)[number];

/** One movement of money at a provider. Immutable. */
export interface PaymentEventRow {
  readonly sid: string;
  readonly userSid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly paymentSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly kind: PaymentEventKind;
  readonly externalRef: string;
  /** Signed: plus is money that came in. */
  readonly amount: Micros;
  /** The currency at the provider, not the wallet's. */
  readonly currency: string;
  readonly createdAt: Date;
}

interface PaymentEventRecord extends Row {
  sid: string;
  user_sid: string;
  wallet: bigint;
  wallet_sid: string;
  payment_sid: string;
  provider: string;
  provider_account: string;
  kind: PaymentEventKind;
  external_ref: string;
  amount: bigint;
  currency: string;
  created_at: Date;
}

const insertStatement = statement(
  'payment_event.insert',
  // What a user is given a document for waits for its number from here on. What is only withheld has not moved yet.
  `with moved as (
     insert into payment_event (sid, user_sid, wallet, payment_sid, provider, provider_account, kind, external_ref, amount, currency, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning sid, kind, amount)
   insert into receipt (sid, series) select sid, case when amount > 0 then 'receipt' else 'credit_note' end from moved
   where kind in ('top_up', 'refund', 'refund_returned', 'reversal', 'dispute_lost')`,
);

export async function insertPaymentEvent(tx: Tx, event: Omit<PaymentEventRow, 'walletSid'>): Promise<void> {
  await tx.query(insertStatement, [
    event.sid,
    event.userSid,
    event.wallet,
    event.paymentSid,
    event.provider,
    event.providerAccount,
    event.kind,
    event.externalRef,
    event.amount,
    event.currency,
    event.createdAt,
  ]);
}

const creditedRefsStatement = statement(
  'payment_event.credited_refs',
  `select external_ref from payment_event where payment_sid = $1 and kind = 'top_up'`,
);

/** The provider's payments that a payment of ours was credited with. */
export async function readCreditedRefs(tx: Tx, paymentSid: string): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ external_ref: string }>(creditedRefsStatement, [paymentSid]);
  return new Set(rows.map((row) => row.external_ref));
}

const creditedAmountsStatement = statement(
  'payment_event.credited_amounts',
  `select external_ref, amount from payment_event where payment_sid = $1 and kind = 'top_up'`,
);

/** What a payment of ours was credited with, by the provider's payments. */
export async function readCreditedAmounts(tx: Tx, paymentSid: string): Promise<ReadonlyMap<string, Micros>> {
  const rows = await tx.query<{ external_ref: string; amount: bigint }>(creditedAmountsStatement, [paymentSid]);
  return new Map(rows.map((row) => [row.external_ref, micros(row.amount)]));
}

const listStatement = statement(
  'payment_event.list',
  `select payment_event.sid, payment_event.user_sid, payment_event.wallet, wallet.sid as wallet_sid, payment_sid, provider,
          provider_account, kind, external_ref, amount, payment_event.currency, payment_event.created_at
   from payment_event join wallet on wallet.id = payment_event.wallet
   where ($1::bigint[] is null or payment_event.wallet = any($1)) and ($2::text is null or payment_event.sid < $2)
   order by payment_event.sid desc limit $3`,
);

/** Newest first; null wallets mean all. */
export async function listPaymentEvents(
  tx: Tx,
  page: { readonly wallets: readonly bigint[] | null; readonly before: string | null; readonly limit: number },
): Promise<PaymentEventRow[]> {
  const rows = await tx.query<PaymentEventRecord>(listStatement, [page.wallets, page.before, page.limit]);
  return rows.map((row) => ({
    sid: row.sid,
    userSid: row.user_sid,
    wallet: row.wallet,
    walletSid: row.wallet_sid,
    paymentSid: row.payment_sid,
    provider: row.provider,
    providerAccount: row.provider_account,
    kind: row.kind,
    externalRef: row.external_ref,
    amount: micros(row.amount),
    currency: row.currency,
    createdAt: row.created_at,
  }));
}

const movedAmountStatement = statement(
  'payment_event.read_amount',
  `select amount from payment_event where provider = $1 and provider_account = $2 and kind = $3 and external_ref = $4`,
);

/** How much a movement at the provider has moved; null: it is not posted. */
export async function readMovedAmount(
  tx: Tx,
  { provider, providerAccount }: Pick<PaymentEventRow, 'provider' | 'providerAccount'>,
  kind: PaymentEventKind,
  externalRef: string,
): Promise<Micros | null> {
  const [row] = await tx.query<{ amount: bigint }>(movedAmountStatement, [
    provider,
    providerAccount,
    kind,
    externalRef,
  ]);
  return row ? micros(row.amount) : null;
}

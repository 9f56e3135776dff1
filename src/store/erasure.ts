import type { Standing } from '../domain/erasure/obstacle.ts';
import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

/** In the text of the statement, so that the partial index of such rows serves it. */
const USAGE = POSTING_KINDS.usage;

/** What a user is called who is deleted. */
export const ERASED_NAME = 'Deleted user';

/** Where the erasure of a user stands. */
export interface ErasureRow {
  readonly userSid: string;
  readonly walletSid: string;
  readonly wallet: bigint;
  /** Null: they are not deleted. */
  readonly erasedAt: Date | null;
  /** When what is left is looked after next; null: nothing is left, or they are not deleted. */
  readonly nextSweepAt: Date | null;
  readonly sweeps: number;
}

interface ErasureRecord extends Record<string, unknown> {
  user_sid: string;
  wallet_sid: string;
  wallet: bigint;
  erased_at: Date | null;
  next_sweep_at: Date | null;
  sweeps: number | null;
}

const fromRow = (row: ErasureRecord): ErasureRow => ({
  userSid: row.user_sid,
  walletSid: row.wallet_sid,
  wallet: row.wallet,
  erasedAt: row.erased_at,
  nextSweepAt: row.next_sweep_at,
  sweeps: row.sweeps ?? 0,
});

const readStatement = statement(
  'erasure.read',
  `select app_user.sid as user_sid, wallet.sid as wallet_sid, wallet.id as wallet, app_user.erased_at, erasure.next_sweep_at, erasure.sweeps
   from app_user join wallet on wallet.user_sid = app_user.sid left join erasure on erasure.user_sid = app_user.sid
   where app_user.sid = $1 and app_user.kind = 'person'`,
);

/** Null when there is no such person. */
export async function readErasure(tx: Tx, userSid: string): Promise<ErasureRow | null> {
  const [row] = await tx.query<ErasureRecord>(readStatement, [userSid]);
  return row ? fromRow(row) : null;
}

const lockOrganisationsStatement = statement(
  'erasure.lock_organisations',
  // In order of sid, as whoever changes members takes them; the user's own row among them.
  `select sid from app_user
   where sid = $1 or sid in (select organisation_sid from membership where user_sid = $1 and left_at is null)
   order by sid for no key update`,
);
const lockUserStatement = statement('erasure.lock_user', `select sid from app_user where sid = $1 for update`);

/** Whoever changes members of their organisations, links an identity, signs in or begins a payment of this user waits, and finds out then. */
export async function lockForErasure(tx: Tx, userSid: string): Promise<void> {
  await tx.query(lockOrganisationsStatement, [userSid]);
  await tx.query(lockUserStatement, [userSid]);
}

const standingStatement = statement(
  'erasure.standing',
  `select main.balance, reserved.balance as reserved, frozen.balance as frozen,
          (select count(*) from hold where wallet = $1 and state = 'open') as open_holds,
          (select count(*) from payment where wallet = $1 and state in ('created', 'open', 'processing')) as open_payments,
          (select count(*) from payment where wallet = $1 and state = 'quarantined') as quarantined_payments,
          (select count(*) from refund
           where wallet = $1 and state in ('awaiting_approval', 'requested', 'unknown', 'pending', 'quarantined')) as open_refunds,
          (select count(*) from dispute where wallet = $1 and state in ('inquiry', 'open')) as open_disputes,
          (select count(*) from declined_posting as declined
           where declined.wallet = $1 and declined.kind = ${USAGE}
             and not exists (select from unbilled_outcome as outcome where outcome.idem = declined.idem)) as unbilled_records,
          (select count(*) from membership as own
           where own.user_sid = $2 and own.role = 'owner' and own.left_at is null and not exists (
             select from membership as other where other.organisation_sid = own.organisation_sid and other.user_sid <> $2
               and other.role = 'owner' and other.left_at is null)) as sole_ownerships
   from account as main, account as reserved, account as frozen
   where main.id = $1 * 16 and reserved.id = $1 * 16 + 1 and frozen.id = $1 * 16 + 2`,
);

/** Final only while the user and the wallet's accounts are locked. */
export async function readErasureStanding(
  tx: Tx,
  { wallet, userSid }: Pick<ErasureRow, 'wallet' | 'userSid'>,
): Promise<Standing> {
  const [row] = await tx.query<Record<string, bigint>>(standingStatement, [wallet, userSid]);
  const { balance = 0n, reserved = 0n, frozen = 0n, ...counts } = row ?? {};
  return {
    balance: micros(balance),
    reserved: micros(reserved),
    frozen: micros(frozen),
    openHolds: Number(counts['open_holds']),
    openPayments: Number(counts['open_payments']),
    quarantinedPayments: Number(counts['quarantined_payments']),
    openRefunds: Number(counts['open_refunds']),
    openDisputes: Number(counts['open_disputes']),
    unbilledRecords: Number(counts['unbilled_records']),
    soleOwnerships: Number(counts['sole_ownerships']),
  };
}

const blankUserStatement = statement(
  'erasure.blank_user',
  `update app_user set display_name = $3, email = null, language = 'en', disabled_at = coalesce(disabled_at, $2), erased_at = $2
   where sid = $1`,
);
const openStatement = statement(
  'erasure.open',
  `insert into erasure (user_sid, next_sweep_at) values ($1, $2) on conflict do nothing`,
);

/** From now on they are deleted; what is left is looked after at once. */
export async function markErased(tx: Tx, userSid: string, now: Date): Promise<void> {
  await tx.query(blankUserStatement, [userSid, now, ERASED_NAME]);
  await tx.query(openStatement, [userSid, now]);
}

const FOR_USER = [
  statement(
    'erasure.delete_overlay_nodes',
    `delete from overlay_node where node in (select subject from identity where user_sid = $1 and kind = 'mycelium')`,
  ),
  statement('erasure.delete_challenges', `delete from challenge where user_sid = $1`),
  statement('erasure.delete_keys', `delete from key where owner_sid = $1`),
  statement('erasure.delete_identities', `delete from identity where user_sid = $1`),
  statement('erasure.delete_role', `delete from operator_role where user_sid = $1`),
  statement('erasure.delete_notices', `delete from notice_setting where user_sid = $1`),
  statement('erasure.delete_mails', `delete from mail where user_sid = $1`),
  statement(
    'erasure.delete_deliveries',
    `delete from delivery where endpoint in (select sid from endpoint where user_sid = $1)`,
  ),
  statement(
    'erasure.blank_events',
    // What they called their keys and where their events went, in texts that were written by us. The events stay: their numbers count on.
    `update event set body = regexp_replace(body, '"(name|url)":"([^"\\\\]|\\\\.)*"', '"\\1":""', 'g')
     where user_sid = $1 and body ~ '"(name|url)":"[^"]'`,
  ),
] as const;
/** Rows that others name, or that say that something was so. */
const AS_OF_NOW = [
  statement('erasure.end_memberships', `update membership set left_at = $2 where user_sid = $1 and left_at is null`),
  statement(
    'erasure.blank_sessions',
    `update session set revoked_at = coalesce(revoked_at, $2), identity_sid = null, address = null, agent = null where user_sid = $1`,
  ),
  statement(
    'erasure.blank_endpoints',
    `update endpoint set state = 'removed', reason = 'removed', url = '', description = '', secret = '', previous_secret = null,
            previous_until = null, updated_at = $2
     where user_sid = $1 and (state <> 'removed' or url <> '')`,
  ),
] as const;

/** Removes what is personal from all that lies around a user who is deleted. Safe to repeat. */
export async function dropPersonal(tx: Tx, userSid: string, now: Date): Promise<void> {
  for (const removal of FOR_USER) await tx.query(removal, [userSid]);
  for (const blanking of AS_OF_NOW) await tx.query(blanking, [userSid, now]);
}

const dueReceiptsStatement = statement(
  'erasure.due_receipts',
  `select receipt.sid from receipt join payment_event on payment_event.sid = receipt.sid
   where payment_event.wallet = $1 and receipt.number is null order by receipt.sid`,
);

/** Documents that have no number yet: they are made while the name that they carry is still there. */
export async function dueReceiptsOf(tx: Tx, wallet: bigint): Promise<string[]> {
  return (await tx.query<{ sid: string }>(dueReceiptsStatement, [wallet])).map(({ sid }) => sid);
}

const customersStatement = statement(
  'erasure.customers',
  `select provider, provider_account, customer_ref from provider_customer where user_sid = $1 order by provider, provider_account`,
);

/** What providers keep of a user. */
export interface KeptAt {
  readonly provider: string;
  readonly providerAccount: string;
  readonly customerRef: string;
}

export async function customersOf(tx: Tx, userSid: string): Promise<KeptAt[]> {
  const rows = await tx.query<{ provider: string; provider_account: string; customer_ref: string }>(
    customersStatement,
    [userSid],
  );
  return rows.map((row) => ({
    provider: row.provider,
    providerAccount: row.provider_account,
    customerRef: row.customer_ref,
  }));
}

const lockCardsStatement = statement(
  'erasure.lock_cards',
  `select provider from provider_customer where user_sid = $1 order by provider, provider_account for no key update`,
);

/** Before the lock of the wallet's auto-recharge, as whoever changes the default card takes them. */
export async function lockCardsOf(tx: Tx, userSid: string): Promise<void> {
  await tx.query(lockCardsStatement, [userSid]);
}

const clearDefaultsStatement = statement(
  'erasure.clear_default_cards',
  `update provider_customer set default_card_ref = null where user_sid = $1`,
);

/** No card of theirs is charged any more, whatever the provider still keeps. */
export async function clearDefaultCards(tx: Tx, userSid: string): Promise<void> {
  await tx.query(clearDefaultsStatement, [userSid]);
}

const forgetCustomerStatement = statement(
  'erasure.forget_customer',
  `delete from provider_customer where user_sid = $1 and provider = $2 and provider_account = $3`,
);

export async function forgetCustomer(tx: Tx, userSid: string, kept: KeptAt): Promise<void> {
  await tx.query(forgetCustomerStatement, [userSid, kept.provider, kept.providerAccount]);
}

const claimStatement = statement(
  'erasure.claim_due',
  `update erasure set next_sweep_at = $2 where user_sid in (
     select user_sid from erasure where next_sweep_at <= $1 order by next_sweep_at, user_sid limit $3 for update skip locked)
   returning user_sid`,
);

/** Takes erasures that are due; they are due again at `leaseEndsAt` unless they are ended before. */
export async function claimDueErasures(
  tx: Tx,
  claim: { readonly now: Date; readonly leaseEndsAt: Date; readonly limit: number },
): Promise<string[]> {
  const rows = await tx.query<{ user_sid: string }>(claimStatement, [claim.now, claim.leaseEndsAt, claim.limit]);
  return rows.map((row) => row.user_sid).toSorted();
}

const sweptStatement = statement(
  'erasure.swept',
  `update erasure set next_sweep_at = $2, sweeps = sweeps + 1 where user_sid = $1 and next_sweep_at is not null`,
);

/** `nextSweepAt` null: nothing is left. */
export async function markSwept(tx: Tx, userSid: string, nextSweepAt: Date | null): Promise<void> {
  await tx.query(sweptStatement, [userSid, nextSweepAt]);
}

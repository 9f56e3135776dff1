import { statement, type Row, type Tx } from './db.ts';

export const INBOX_STATES = ['received', 'pending', 'applied', 'ignored', 'quarantined', 'dead'] as const;
/**
 * received: not tried yet · pending: to be tried again · applied: taken into account · ignored: of no interest ·
 * quarantined: not what we ordered, for an operator · dead: tried too often, for an operator
 */
export type InboxState = (typeof INBOX_STATES)[number];

/** webhook: delivered, with a signature · list: read from the provider's own list, because no delivery arrived */
export const INBOX_SOURCES = ['webhook', 'list'] as const;
export type InboxSource = (typeof INBOX_SOURCES)[number];

/** A verified webhook. */
export interface InboxRow {
  readonly source: InboxSource;
  readonly sid: string;
  readonly provider: string;
  /** The account the event names, or 'self': the account our key belongs to. */
  readonly providerAccount: string;
  readonly isLive: boolean;
  readonly eventId: string;
  readonly eventType: string;
  readonly orderRef: string | null;
  readonly paymentRef: string | null;
  /** Our payment as the event names it: a hint. `paymentSid` is the payment we found. */
  readonly hintedSid: string | null;
  /** Our refund as the event names it: a hint, for refunds that are no part of an order. */
  readonly refundSid: string | null;
  /** The provider's refund as the event names it: a hint likewise. */
  readonly refundRef: string | null;
  readonly state: InboxState;
  readonly reason: string | null;
  readonly paymentSid: string | null;
  readonly attempts: number;
  readonly receivedAt: Date;
  readonly updatedAt: Date;
  readonly nextAttemptAt: Date | null;
}

interface InboxRecord extends Row {
  source: InboxSource;
  sid: string;
  provider: string;
  provider_account: string;
  is_live: boolean;
  event_id: string;
  event_type: string;
  order_ref: string | null;
  payment_ref: string | null;
  hinted_sid: string | null;
  refund_sid: string | null;
  refund_ref: string | null;
  state: InboxState;
  reason: string | null;
  payment_sid: string | null;
  attempts: number;
  received_at: Date;
  updated_at: Date;
  next_attempt_at: Date | null;
}

const fromRow = (row: InboxRecord): InboxRow => ({
  source: row.source,
  sid: row.sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  isLive: row.is_live,
  eventId: row.event_id,
  eventType: row.event_type,
  orderRef: row.order_ref,
  paymentRef: row.payment_ref,
  hintedSid: row.hinted_sid,
  refundSid: row.refund_sid,
  refundRef: row.refund_ref,
  state: row.state,
  reason: row.reason,
  paymentSid: row.payment_sid,
  attempts: row.attempts,
  receivedAt: row.received_at,
  updatedAt: row.updated_at,
  nextAttemptAt: row.next_attempt_at,
});

const COLUMNS = `sid, provider, provider_account, is_live, event_id, event_type, order_ref, payment_ref, hinted_sid, refund_sid, refund_ref, state, reason,
  payment_sid, attempts, received_at, updated_at, next_attempt_at, source`;

export interface NewInboxRow extends Pick<
  InboxRow,
  | 'source'
  | 'sid'
  | 'provider'
  | 'providerAccount'
  | 'isLive'
  | 'eventId'
  | 'eventType'
  | 'orderRef'
  | 'paymentRef'
  | 'hintedSid'
  | 'refundSid'
  | 'refundRef'
  | 'state'
  | 'reason'
  | 'receivedAt'
  | 'nextAttemptAt'
> {
  /** Which webhook secret verified it; 'key': our API key, by which it was listed. */
  readonly verifiedWith: 'current' | 'previous' | 'key';
  readonly body: Uint8Array;
}

const insertStatement = statement(
  'inbox.insert',
  `insert into inbox (sid, provider, provider_account, is_live, event_id, event_type, order_ref, payment_ref, hinted_sid, verified_with,
                      body, state, reason, received_at, updated_at, next_attempt_at, refund_sid, source, refund_ref)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18)
   on conflict on constraint inbox__one_per_event do nothing
   returning sid`,
);

/** False when the event was stored before: providers deliver at least once. */
export async function insertInbox(tx: Tx, row: NewInboxRow): Promise<boolean> {
  const inserted = await tx.query(insertStatement, [
    row.sid,
    row.provider,
    row.providerAccount,
    row.isLive,
    row.eventId,
    row.eventType,
    row.orderRef,
    row.paymentRef,
    row.hintedSid,
    row.verifiedWith,
    Buffer.from(row.body),
    row.state,
    row.reason,
    row.receivedAt,
    row.nextAttemptAt,
    row.refundSid,
    row.source,
    row.refundRef,
  ]);
  return inserted.length === 1;
}

const readStatement = statement('inbox.read', `select ${COLUMNS} from inbox where sid = $1`);
const lockStatement = statement('inbox.lock', `select ${COLUMNS} from inbox where sid = $1 for no key update`);

export async function readInbox(tx: Tx, sid: string): Promise<InboxRow | null> {
  const [row] = await tx.query<InboxRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

export async function lockInbox(tx: Tx, sid: string): Promise<InboxRow | null> {
  const [row] = await tx.query<InboxRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const markStatement = statement(
  'inbox.mark',
  // 'applied' is the end: whoever comes later with less to say does not undo it.
  `update inbox set state = $2, reason = $3, payment_sid = coalesce($4, payment_sid), attempts = $5, updated_at = $6, next_attempt_at = $7
   where sid = $1 and state <> 'applied'`,
);

export type InboxMark = Pick<
  InboxRow,
  'sid' | 'state' | 'reason' | 'paymentSid' | 'attempts' | 'updatedAt' | 'nextAttemptAt'
>;

/** Says what became of an event. Written in the transaction of what it caused, so neither is there without the other. */
export async function markInbox(tx: Tx, mark: InboxMark): Promise<void> {
  await tx.query(markStatement, [
    mark.sid,
    mark.state,
    mark.reason,
    mark.paymentSid,
    mark.attempts,
    mark.updatedAt,
    mark.nextAttemptAt,
  ]);
}

const listStatement = statement(
  'inbox.list',
  `select ${COLUMNS} from inbox where ($1::text is null or sid < $1) and ($2::text is null or state = $2) order by sid desc limit $3`,
);

/** Newest first. */
export async function listInbox(
  tx: Tx,
  page: { readonly before: string | null; readonly state: InboxState | null; readonly limit: number },
): Promise<InboxRow[]> {
  const rows = await tx.query<InboxRecord>(listStatement, [page.before, page.state, page.limit]);
  return rows.map(fromRow);
}

const claimDueStatement = statement(
  'inbox.claim_due',
  `update inbox set next_attempt_at = $2 where sid in (
     select sid from inbox where next_attempt_at <= $1 order by next_attempt_at, sid limit $3 for update skip locked)
   returning sid`,
);

/** Takes events whose time has come and passed without a job; they are due again at `leaseEndsAt` unless applied before. */
export async function claimDueInbox(
  tx: Tx,
  claim: { readonly now: Date; readonly leaseEndsAt: Date; readonly limit: number },
): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(claimDueStatement, [claim.now, claim.leaseEndsAt, claim.limit]);
  // An update answers in the order in which it happened to find the rows; they are worked off in the order they were made.
  return rows.map((row) => row.sid).toSorted();
}

const undeliveredReadStatement = statement(
  'inbox.undelivered_read',
  `select up_to from undelivered_read where provider = $1 and provider_account = $2`,
);
const saveUndeliveredReadStatement = statement(
  'inbox.save_undelivered_read',
  `insert into undelivered_read (provider, provider_account, up_to) values ($1, $2, $3)
   on conflict (provider, provider_account) do update set up_to = greatest(undelivered_read.up_to, excluded.up_to)`,
);

/** Up to when a provider's list of undelivered events was read; null before the first time. */
export async function readUndeliveredMark(tx: Tx, provider: string, account: string): Promise<Date | null> {
  const [row] = await tx.query<{ up_to: Date }>(undeliveredReadStatement, [provider, account]);
  return row?.up_to ?? null;
}

export async function saveUndeliveredMark(
  tx: Tx,
  mark: { readonly provider: string; readonly account: string; readonly upTo: Date },
): Promise<void> {
  await tx.query(saveUndeliveredReadStatement, [mark.provider, mark.account, mark.upTo]);
}

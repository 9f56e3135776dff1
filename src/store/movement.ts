import { micros, type Micros } from '../domain/money.ts';
import type { MovementKind, MovementState } from '../domain/movement/movement.ts';
import { statement, type Row, type Tx } from './db.ts';

/** One line of a provider's statement, and what our books have for it. */
export interface MovementRow {
  readonly sid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly movementRef: string;
  readonly kind: MovementKind;
  readonly amount: Micros;
  readonly fee: Micros;
  readonly currency: string;
  readonly at: Date;
  /** The order by which the provider tells of it; null: not known. */
  readonly orderRef: string | null;
  readonly paymentRef: string | null;
  readonly refundRef: string | null;
  readonly disputeRef: string | null;
  readonly detail: string | null;
  readonly booked: Micros;
  readonly state: MovementState;
  readonly reason: string | null;
  readonly paymentSid: string | null;
  readonly ourRefundRef: string | null;
  readonly seenAt: Date;
  readonly updatedAt: Date;
}

interface MovementRecord extends Row {
  sid: string;
  provider: string;
  provider_account: string;
  movement_ref: string;
  kind: MovementKind;
  amount: bigint;
  fee: bigint;
  currency: string;
  moved_at: Date;
  order_ref: string | null;
  payment_ref: string | null;
  refund_ref: string | null;
  dispute_ref: string | null;
  detail: string | null;
  booked: bigint;
  state: MovementState;
  reason: string | null;
  payment_sid: string | null;
  our_refund_ref: string | null;
  seen_at: Date;
  updated_at: Date;
}

const fromRow = (row: MovementRecord): MovementRow => ({
  sid: row.sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  movementRef: row.movement_ref,
  kind: row.kind,
  amount: micros(row.amount),
  fee: micros(row.fee),
  currency: row.currency,
  at: row.moved_at,
  orderRef: row.order_ref,
  paymentRef: row.payment_ref,
  refundRef: row.refund_ref,
  disputeRef: row.dispute_ref,
  detail: row.detail,
  booked: micros(row.booked),
  state: row.state,
  reason: row.reason,
  paymentSid: row.payment_sid,
  ourRefundRef: row.our_refund_ref,
  seenAt: row.seen_at,
  updatedAt: row.updated_at,
});

const COLUMNS = `sid, provider, provider_account, movement_ref, kind, amount, fee, currency, moved_at, payment_ref, refund_ref, dispute_ref,
  detail, booked, state, reason, payment_sid, our_refund_ref, seen_at, updated_at, order_ref`;

const insertStatement = statement(
  'movement.insert',
  `insert into provider_movement (${COLUMNS})
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
   on conflict on constraint provider_movement__one_per_line do nothing
   returning sid`,
);

/** False when the line was read before. */
export async function insertMovement(tx: Tx, row: MovementRow): Promise<boolean> {
  const inserted = await tx.query(insertStatement, [
    row.sid,
    row.provider,
    row.providerAccount,
    row.movementRef,
    row.kind,
    row.amount,
    row.fee,
    row.currency,
    row.at,
    row.paymentRef,
    row.refundRef,
    row.disputeRef,
    row.detail,
    row.booked,
    row.state,
    row.reason,
    row.paymentSid,
    row.ourRefundRef,
    row.seenAt,
    row.updatedAt,
    row.orderRef,
  ]);
  return inserted.length === 1;
}

const readStatement = statement('movement.read', `select ${COLUMNS} from provider_movement where sid = $1`);
const lockStatement = statement(
  'movement.lock',
  `select ${COLUMNS} from provider_movement where sid = $1 for no key update`,
);

export async function readMovement(tx: Tx, sid: string): Promise<MovementRow | null> {
  const [row] = await tx.query<MovementRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** Reads it and keeps others from changing it until the transaction ends. */
export async function lockMovement(tx: Tx, sid: string): Promise<MovementRow | null> {
  const [row] = await tx.query<MovementRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockOppositeStatement = statement(
  'movement.lock_opposite',
  // Passed by while another process has it: two that compare one line each would wait for one another.
  `select ${COLUMNS} from provider_movement
   where provider = $1 and provider_account = $2 and refund_ref = $3 and amount = $4 and currency = $5 and sid <> $6
     and kind in ('refund', 'refund_returned') and state in ('new', 'unmatched') and booked = 0
   order by sid limit 1 for no key update skip locked`,
);

/** The line by which what left for a refund came back, or the other way round, if nobody has decided about it; locked. */
export async function lockOpposite(tx: Tx, row: MovementRow): Promise<MovementRow | null> {
  const { provider, providerAccount, refundRef, amount, currency, sid } = row;
  const values = [provider, providerAccount, refundRef, micros(-amount), currency, sid];
  const [other] = await tx.query<MovementRecord>(lockOppositeStatement, values);
  return other ? fromRow(other) : null;
}

const updateStatement = statement(
  'movement.update',
  `update provider_movement set booked = $2, state = $3, reason = $4, payment_sid = $5, our_refund_ref = $6, updated_at = $7 where sid = $1`,
);

/** Writes what may change. The caller holds the row's lock. */
export async function updateMovement(tx: Tx, row: MovementRow): Promise<void> {
  await tx.query(updateStatement, [
    row.sid,
    row.booked,
    row.state,
    row.reason,
    row.paymentSid,
    row.ourRefundRef,
    row.updatedAt,
  ]);
}

const knownStatement = statement(
  'movement.known',
  `select movement_ref from provider_movement where provider = $1 and provider_account = $2 and movement_ref = any($3)`,
);

/** Which lines of a page were read before. */
export async function knownMovements(
  tx: Tx,
  account: { readonly provider: string; readonly account: string },
  refs: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ movement_ref: string }>(knownStatement, [account.provider, account.account, refs]);
  return new Set(rows.map((row) => row.movement_ref));
}

const undecidedStatement = statement(
  'movement.undecided',
  `select sid from provider_movement
   where provider = $1 and provider_account = $2 and state in ('new', 'unmatched') and sid > $3 order by sid limit $4`,
);

/** Lines that nobody has decided about, by sid. */
export async function listUndecided(
  tx: Tx,
  page: { readonly provider: string; readonly account: string; readonly after: string; readonly limit: number },
): Promise<string[]> {
  const { provider, account, after, limit } = page;
  const rows = await tx.query<{ sid: string }>(undecidedStatement, [provider, account, after, limit]);
  return rows.map((row) => row.sid);
}

const inStateStatement = statement(
  'movement.in_state',
  `select sid from provider_movement where state = $1 order by sid limit $2`,
);

/** Lines in a state, oldest first. */
export async function listInState(tx: Tx, state: MovementState, limit: number): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(inStateStatement, [state, limit]);
  return rows.map((row) => row.sid);
}

const bookedStatement = statement(
  'movement.booked',
  // A line names its payment, refund or dispute; the movement of that kind in our books is its counterpart.
  `select sum(amount)::int8 as booked from payment_event
   where provider = $1 and provider_account = $2 and (external_ref, kind) in (
     select ref, kind from unnest($3::text[], $4::text[]) as t (ref, kind) where ref is not null)`,
);

const bookedOfDisputeStatement = statement(
  'movement.booked_of_dispute',
  // A dispute can be opened, won and opened again, for another amount: the first line belongs to the first movement in our books, the
  // second to the second. What our books have made in more steps than the provider belongs to the last line.
  `with line as (
     select sid, row_number() over (order by moved_at, sid) as place, count(*) over () as lines
     from provider_movement where provider = $1 and provider_account = $2 and dispute_ref = $3 and kind = $4
   ), event as (
     select payment_event.amount, row_number() over (order by payment_event.created_at, payment_event.sid) as place
     from dispute
     join payment_event on payment_event.wallet = dispute.wallet and payment_event.payment_sid = dispute.payment_sid
     where dispute.provider = $1 and dispute.provider_account = $2 and dispute.dispute_ref = $3 and payment_event.kind = $5
       and split_part(payment_event.external_ref, '#', 1) = $3
   )
   select sum(event.amount)::int8 as booked
   from line join event on event.place = line.place or (line.place = line.lines and event.place > line.lines) where line.sid = $6`,
);

/** What our books have for a line that is kept; null: nothing. */
export async function bookedFor(tx: Tx, row: MovementRow): Promise<Micros | null> {
  const counterparts = COUNTERPARTS[row.kind];
  const kinds = counterparts.map(([, kind]) => kind);
  if (kinds.length === 0) return null;
  const owner = [row.provider, row.providerAccount];
  const [found] =
    row.kind === 'dispute' || row.kind === 'dispute_returned'
      ? await tx.query<Booked>(bookedOfDisputeStatement, [...owner, row.disputeRef, row.kind, kinds[0], row.sid])
      : await tx.query<Booked>(bookedStatement, [...owner, counterparts.map(([from]) => row[from]), kinds]);
  return found?.booked == null ? null : micros(found.booked);
}

interface Booked extends Row {
  readonly booked: bigint | null;
}

const ownRefundStatement = statement(
  'movement.own_refund',
  `select 1 from provider_movement where provider = $1 and provider_account = $2 and our_refund_ref = $3 limit 1`,
);

/** Whether a refund is one by which an operator sent unmatched money back. */
export async function isRefundOfMovement(
  tx: Tx,
  { provider, providerAccount }: Pick<MovementRow, 'provider' | 'providerAccount'>,
  refundRef: string,
): Promise<boolean> {
  const rows = await tx.query(ownRefundStatement, [provider, providerAccount, refundRef]);
  return rows.length > 0;
}

type Reference = 'paymentRef' | 'refundRef' | 'disputeRef';

/** Which payment event belongs to a line, by which of its references. */
const COUNTERPARTS: Readonly<Record<MovementKind, readonly (readonly [Reference, string])[]>> = {
  payment: [['paymentRef', 'top_up']],
  refund: [
    ['refundRef', 'refund'],
    ['refundRef', 'reversal'],
  ],
  refund_returned: [['refundRef', 'refund_returned']],
  dispute: [['disputeRef', 'dispute_opened']],
  dispute_returned: [['disputeRef', 'dispute_won']],
  fee: [],
  payout: [],
  other: [],
};

const listStatement = statement(
  'movement.list',
  `select ${COLUMNS} from provider_movement
   where ($1::text is null or sid < $1) and ($2::text is null or state = $2) and ($3::text is null or provider = $3)
   order by sid desc limit $4`,
);

/** Newest first. */
export async function listMovements(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly state: MovementState | null;
    readonly provider: string | null;
    readonly limit: number;
  },
): Promise<MovementRow[]> {
  const rows = await tx.query<MovementRecord>(listStatement, [page.before, page.state, page.provider, page.limit]);
  return rows.map(fromRow);
}

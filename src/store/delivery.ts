import type { AttemptVerdict } from '../domain/event/delivery.ts';
import type { EventType } from '../domain/event/types.ts';
import { statement, type Row, type Tx } from './db.ts';

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One event for one endpoint. */
export interface DeliveryRow {
  readonly sid: string;
  readonly endpoint: string;
  readonly event: string;
  readonly eventType: EventType;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly dueAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

interface DeliveryRecord extends Row {
  sid: string;
  endpoint: string;
  event: string;
  event_type: EventType;
  state: DeliveryState;
  attempts: number;
  due_at: Date | null;
  last_status: number | null;
  last_error: string | null;
  created_at: Date;
  ended_at: Date | null;
}

const fromRow = (row: DeliveryRecord): DeliveryRow => ({
  sid: row.sid,
  endpoint: row.endpoint,
  event: row.event,
  eventType: row.event_type,
  state: row.state,
  attempts: row.attempts,
  dueAt: row.due_at,
  lastStatus: row.last_status,
  lastError: row.last_error,
  createdAt: row.created_at,
  endedAt: row.ended_at,
});

const insertStatement = statement(
  'delivery.insert',
  `insert into delivery (sid, endpoint, event, state, due_at, created_at)
   select sid, endpoint, $3, 'pending', $4, $4 from unnest($1::text[], $2::text[]) as t (sid, endpoint)`,
);

/** One delivery of an event for each endpoint, due at once. */
export async function insertDeliveries(
  tx: Tx,
  event: string,
  made: readonly { readonly sid: string; readonly endpoint: string }[],
  now: Date,
): Promise<void> {
  await tx.query(insertStatement, [made.map(({ sid }) => sid), made.map(({ endpoint }) => endpoint), event, now]);
}

const anyDueStatement = statement(
  'delivery.any_due',
  `select exists (select from delivery where due_at <= $1) as is_due`,
);

/** Asked every second; the first key of one index. */
export async function isAnyDue(tx: Tx, now: Date): Promise<boolean> {
  const [row] = await tx.query<{ is_due: boolean }>(anyDueStatement, [now]);
  return row?.is_due === true;
}

/** What is needed to send one delivery, as it stands now. */
export interface ClaimedDelivery {
  readonly sid: string;
  readonly endpoint: string;
  readonly event: string;
  readonly tries: number;
  readonly body: string;
  readonly url: string;
  readonly secret: string;
  readonly previousSecret: string | null;
  readonly previousUntil: Date | null;
  readonly failingSince: Date | null;
}

const claimStatement = statement(
  'delivery.claim',
  // One of each endpoint at a time, the longest due first: who is slow waits for itself alone. Rows that another process holds are
  // left to it. An endpoint that is switched off, or wants to be left alone, keeps what is due for later.
  `with due as (
     select picked.sid
     from endpoint cross join lateral (
       select delivery.sid, delivery.due_at from delivery
       where delivery.endpoint = endpoint.sid and delivery.due_at <= $1
       order by delivery.due_at, delivery.sid limit 1 for no key update skip locked
     ) as picked
     where endpoint.state = 'active' and (endpoint.not_before is null or endpoint.not_before <= $1) and endpoint.sid <> all($2::text[])
     order by picked.due_at limit $3
   )
   update delivery set due_at = $4 from due, endpoint, event
   where delivery.sid = due.sid and endpoint.sid = delivery.endpoint and event.sid = delivery.event
   returning delivery.sid, delivery.endpoint, delivery.event, delivery.tries, event.body, endpoint.url, endpoint.secret,
             endpoint.previous_secret, endpoint.previous_until, endpoint.failing_since`,
);

interface ClaimRecord extends Row {
  sid: string;
  endpoint: string;
  event: string;
  tries: number;
  body: string;
  url: string;
  secret: string;
  previous_secret: string | null;
  previous_until: Date | null;
  failing_since: Date | null;
}

/** Takes deliveries whose time has come, at most one of each endpoint; they are due again at `leaseEndsAt` unless they end before. */
export async function claimDeliveries(
  tx: Tx,
  claim: {
    readonly now: Date;
    readonly leaseEndsAt: Date;
    /** Endpoints that have enough to do. */
    readonly busy: readonly string[];
    readonly limit: number;
  },
): Promise<ClaimedDelivery[]> {
  const rows = await tx.query<ClaimRecord>(claimStatement, [claim.now, claim.busy, claim.limit, claim.leaseEndsAt]);
  return rows.map((row) => ({
    sid: row.sid,
    endpoint: row.endpoint,
    event: row.event,
    tries: row.tries,
    body: row.body,
    url: row.url,
    secret: row.secret,
    previousSecret: row.previous_secret,
    previousUntil: row.previous_until,
    failingSince: row.failing_since,
  }));
}

/** One attempt, for the log. */
export interface AttemptRow {
  readonly number: number;
  readonly at: Date;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly answer: string | null;
}

const recordStatement = statement(
  'delivery.record',
  // Delivered is the end: an attempt that was taken for dead and failed late does not undo it.
  `update delivery
   set attempts = attempts + 1, tries = tries + 1, last_status = $2, last_error = $3,
       state = case when state = 'delivered' then state else $4 end,
       due_at = case when state = 'delivered' then null else $5::timestamptz end,
       ended_at = case when state = 'delivered' then ended_at else $6::timestamptz end
   where sid = $1 returning attempts`,
);
const insertAttemptStatement = statement(
  'delivery.insert_attempt',
  `insert into delivery_attempt (delivery, number, at, duration_ms, status, error, answer) values ($1, $2, $3, $4, $5, $6, $7)`,
);

/** Writes an attempt down, and what follows from it for the delivery. */
export async function recordAttempt(
  tx: Tx,
  sid: string,
  attempt: Omit<AttemptRow, 'number'>,
  { state, dueAt }: Pick<AttemptVerdict, 'state' | 'dueAt'>,
  endedAt: Date,
): Promise<void> {
  const { status, error } = attempt;
  const ended = state === 'pending' ? null : endedAt;
  const [row] = await tx.query<{ attempts: number }>(recordStatement, [sid, status, error, state, dueAt, ended]);
  if (!row) return;
  await tx.query(insertAttemptStatement, [
    sid,
    row.attempts,
    attempt.at,
    attempt.durationMs,
    status,
    error,
    attempt.answer,
  ]);
}

const selectDelivery = statement(
  'delivery.select',
  `select delivery.sid, endpoint, event, event.type as event_type, state, attempts, due_at, last_status, last_error, created_at, ended_at
   from delivery join event on event.sid = delivery.event`,
).text;

const readOfStatement = statement('delivery.read_of', `${selectDelivery} where endpoint = $1 and event = $2`);

export async function readDeliveryOf(
  tx: Tx,
  { endpoint, event }: Pick<DeliveryRow, 'endpoint' | 'event'>,
): Promise<DeliveryRow | null> {
  const [row] = await tx.query<DeliveryRecord>(readOfStatement, [endpoint, event]);
  return row ? fromRow(row) : null;
}

const readStatement = statement('delivery.read', `${selectDelivery} where delivery.sid = $1`);

export async function readDelivery(tx: Tx, sid: string): Promise<DeliveryRow | null> {
  const [row] = await tx.query<DeliveryRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'delivery.list',
  `${selectDelivery}
   where endpoint = $1 and ($2::text is null or delivery.sid < $2) and ($3::text is null or state = $3)
   order by delivery.sid desc limit $4`,
);

/** Newest first. */
export async function listDeliveries(
  tx: Tx,
  page: {
    readonly endpoint: string;
    readonly before: string | null;
    readonly state: DeliveryState | null;
    readonly limit: number;
  },
): Promise<DeliveryRow[]> {
  const rows = await tx.query<DeliveryRecord>(listStatement, [page.endpoint, page.before, page.state, page.limit]);
  return rows.map(fromRow);
}

const attemptsStatement = statement(
  'delivery.attempts',
  `select number, at, duration_ms, status, error, answer from delivery_attempt where delivery = $1 order by number desc limit $2`,
);

/** Newest first. */
export async function readAttempts(tx: Tx, sid: string, limit: number): Promise<AttemptRow[]> {
  const rows = await tx.query<{
    number: number;
    at: Date;
    duration_ms: number;
    status: number | null;
    error: string | null;
    answer: string | null;
  }>(attemptsStatement, [sid, limit]);
  return rows.map(({ duration_ms: durationMs, ...row }) => ({ ...row, durationMs }));
}

const replayStatement = statement(
  'delivery.replay',
  `update delivery set state = 'pending', tries = 0, due_at = $2, ended_at = null where sid = $1`,
);

/** Has a delivery sent again from the start, whatever became of it. */
export async function replayDelivery(tx: Tx, sid: string, now: Date): Promise<void> {
  await tx.query(replayStatement, [sid, now]);
}

const pruneStatement = statement(
  'delivery.prune',
  // The sid sorts by time, so the oldest come first and the scan ends with the first that is young enough.
  `delete from delivery where sid in (
     select sid from delivery where created_at < $1 and due_at is null order by sid limit $2)`,
);

/** Forgets deliveries that have ended and were made before then. */
export async function pruneDeliveries(tx: Tx, before: Date, limit: number): Promise<void> {
  await tx.query(pruneStatement, [before, limit]);
}

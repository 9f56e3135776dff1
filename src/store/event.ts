import type { EventType } from '../domain/event/types.ts';
import { statement, type Row, type Tx } from './db.ts';

/** Something that happened. Immutable. */
export interface EventRow {
  readonly sid: string;
  readonly type: EventType;
  /** Null: the house's own. */
  readonly wallet: bigint | null;
  readonly userSid: string | null;
  readonly sequence: bigint | null;
  readonly body: string;
  readonly occurredAt: Date;
}

interface EventRecord extends Row {
  sid: string;
  type: EventType;
  wallet: bigint | null;
  user_sid: string | null;
  sequence: bigint | null;
  body: string;
  occurred_at: Date;
}

const fromRow = ({ user_sid: userSid, occurred_at: occurredAt, ...row }: EventRecord): EventRow => ({
  ...row,
  userSid,
  occurredAt,
});

const nextSequenceStatement = statement(
  'event.next_sequence',
  // The last row of one index range. Who races for the same number loses at the unique key, and its transaction runs again.
  `select coalesce(max(sequence), 0) + 1 as sequence from event where wallet = $1`,
);

export async function nextSequence(tx: Tx, wallet: bigint): Promise<bigint> {
  const [row] = await tx.query<{ sequence: bigint }>(nextSequenceStatement, [wallet]);
  return row?.sequence ?? 1n;
}

const insertStatement = statement(
  'event.insert',
  `insert into event (sid, type, wallet, user_sid, sequence, body, occurred_at) values ($1, $2, $3, $4, $5, $6, $7)`,
);

export async function insertEvent(tx: Tx, event: EventRow): Promise<void> {
  await tx.query(insertStatement, [
    event.sid,
    event.type,
    event.wallet,
    event.userSid,
    event.sequence,
    event.body,
    event.occurredAt,
  ]);
}

const nextSequencesStatement = statement(
  'event.next_sequences',
  `select wanted.wallet, coalesce((select max(sequence) from event where event.wallet = wanted.wallet), 0) + 1 as sequence
   from unnest($1::int8[]) as wanted (wallet)`,
);

/** The same for many wallets. */
export async function nextSequences(tx: Tx, wallets: readonly bigint[]): Promise<ReadonlyMap<bigint, bigint>> {
  const rows = await tx.query<{ wallet: bigint; sequence: bigint }>(nextSequencesStatement, [[...new Set(wallets)]]);
  return new Map(rows.map(({ wallet, sequence }) => [wallet, sequence]));
}

const insertManyStatement = statement(
  'event.insert_many',
  `insert into event (sid, type, wallet, user_sid, sequence, body, occurred_at)
   select * from unnest($1::text[], $2::text[], $3::int8[], $4::text[], $5::int8[], $6::text[], $7::timestamptz[])`,
);

export async function insertEvents(tx: Tx, events: readonly EventRow[]): Promise<void> {
  await tx.query(insertManyStatement, [
    events.map(({ sid }) => sid),
    events.map(({ type }) => type),
    events.map(({ wallet }) => wallet),
    events.map(({ userSid }) => userSid),
    events.map(({ sequence }) => sequence),
    events.map(({ body }) => body),
    events.map(({ occurredAt }) => occurredAt.toISOString()),
  ]);
}

const listStatement = statement(
  'event.list',
  `select sid, type, wallet, user_sid, sequence, body, occurred_at from event
   where ($1::text is null or sid < $1) and ($2::text[] is null or user_sid = any($2)) and ($3::text is null or type = $3)
   order by sid desc limit $4`,
);

/** Newest first. Null owners mean all, and the house's own. */
export async function listEvents(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly owners: readonly string[] | null;
    readonly type: EventType | null;
    readonly limit: number;
  },
): Promise<EventRow[]> {
  const rows = await tx.query<EventRecord>(listStatement, [page.before, page.owners, page.type, page.limit]);
  return rows.map(fromRow);
}

const pruneStatement = statement(
  'event.prune',
  // The last event of a wallet stays: its number is where the next one goes on.
  `delete from event where sid in (
     select sid from event where occurred_at < $1
       and not exists (select from delivery where delivery.event = event.sid) and not exists (select from mail where mail.event = event.sid)
       and (wallet is null or exists (select from event as later where later.wallet = event.wallet and later.sequence > event.sequence))
     order by sid limit $2)`,
);

/** Forgets events of before then that are on their way to nobody. */
export async function pruneEvents(tx: Tx, before: Date, limit: number): Promise<void> {
  await tx.query(pruneStatement, [before, limit]);
}

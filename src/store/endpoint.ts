import type { EventType } from '../domain/event/types.ts';
import { statement, type Row, type Tx } from './db.ts';

export const ENDPOINT_STATES = ['active', 'disabled', 'removed'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** Why an endpoint is told nothing: it said that it is gone · it failed for days · somebody switched it off, or removed it. */
export type EndpointReason = 'gone' | 'failing' | 'asked' | 'removed';

/** Where events are sent. */
export interface EndpointRow {
  readonly sid: string;
  /** Null: an operator's, told of everything. */
  readonly userSid: string | null;
  readonly url: string;
  readonly description: string;
  /** Empty: all. */
  readonly types: readonly EventType[];
  readonly state: EndpointState;
  readonly reason: EndpointReason | null;
  /** Sealed. */
  readonly secret: string;
  readonly previousSecret: string | null;
  readonly previousUntil: Date | null;
  readonly failingSince: Date | null;
  readonly notBefore: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface EndpointRecord extends Row {
  sid: string;
  user_sid: string | null;
  url: string;
  description: string;
  types: EventType[];
  state: EndpointState;
  reason: EndpointReason | null;
  secret: string;
  previous_secret: string | null;
  previous_until: Date | null;
  failing_since: Date | null;
  not_before: Date | null;
  created_at: Date;
  updated_at: Date;
}

const fromRow = (row: EndpointRecord): EndpointRow => ({
  sid: row.sid,
  userSid: row.user_sid,
  url: row.url,
  description: row.description,
  types: row.types,
  state: row.state,
  reason: row.reason,
  secret: row.secret,
  previousSecret: row.previous_secret,
  previousUntil: row.previous_until,
  failingSince: row.failing_since,
  notBefore: row.not_before,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const COLUMNS = `sid, user_sid, url, description, types, state, reason, secret, previous_secret, previous_until, failing_since, not_before,
  created_at, updated_at`;

const insertStatement = statement(
  'endpoint.insert',
  `insert into endpoint (sid, user_sid, url, description, types, state, secret, created_at, updated_at)
   values ($1, $2, $3, $4, $5, 'active', $6, $7, $7)`,
);

export async function insertEndpoint(
  tx: Tx,
  row: Pick<EndpointRow, 'sid' | 'userSid' | 'url' | 'description' | 'types' | 'secret' | 'createdAt'>,
): Promise<void> {
  await tx.query(insertStatement, [
    row.sid,
    row.userSid,
    row.url,
    row.description,
    row.types,
    row.secret,
    row.createdAt,
  ]);
}

const readStatement = statement('endpoint.read', `select ${COLUMNS} from endpoint where sid = $1`);
const lockStatement = statement('endpoint.lock', `select ${COLUMNS} from endpoint where sid = $1 for no key update`);

export async function readEndpoint(tx: Tx, sid: string): Promise<EndpointRow | null> {
  const [row] = await tx.query<EndpointRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

export async function lockEndpoint(tx: Tx, sid: string): Promise<EndpointRow | null> {
  const [row] = await tx.query<EndpointRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const updateStatement = statement(
  'endpoint.update',
  `update endpoint set url = $2, description = $3, types = $4, state = $5, reason = $6, secret = $7, previous_secret = $8,
          previous_until = $9, failing_since = $10, not_before = $11, updated_at = $12
   where sid = $1`,
);

/** Writes all of a row that was locked. */
export async function updateEndpoint(tx: Tx, row: EndpointRow): Promise<void> {
  await tx.query(updateStatement, [
    row.sid,
    row.url,
    row.description,
    row.types,
    row.state,
    row.reason,
    row.secret,
    row.previousSecret,
    row.previousUntil,
    row.failingSince,
    row.notBefore,
    row.updatedAt,
  ]);
}

const listStatement = statement(
  'endpoint.list',
  `select ${COLUMNS} from endpoint
   where state <> 'removed' and ($1::text is null or sid < $1) and ($2::text[] is null or user_sid = any($2)) order by sid desc limit $3`,
);

/** Newest first, without the removed ones. Null owners mean all. */
export async function listEndpoints(
  tx: Tx,
  page: { readonly before: string | null; readonly owners: readonly string[] | null; readonly limit: number },
): Promise<EndpointRow[]> {
  const rows = await tx.query<EndpointRecord>(listStatement, [page.before, page.owners, page.limit]);
  return rows.map(fromRow);
}

const countStatement = statement(
  'endpoint.count',
  `select count(*) as count from endpoint where state <> 'removed' and user_sid is not distinct from $1`,
);

/** How many somebody has; a null user means the operators. */
export async function countEndpoints(tx: Tx, userSid: string | null): Promise<bigint> {
  const [row] = await tx.query<{ count: bigint }>(countStatement, [userSid]);
  return row?.count ?? 0n;
}

const findListenersStatement = statement(
  'endpoint.find_listeners',
  // Two ranges of one index: the operators' endpoints and the user's own. A test is for the one that asked for it.
  `select sid from endpoint
   where (user_sid is null or user_sid = $1) and state = 'active' and (types = '{}' or $2 = any(types)) order by sid`,
);

/** Who is told of an event of this type. */
export async function findListeners(tx: Tx, userSid: string | null, type: EventType): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(findListenersStatement, [userSid, type]);
  return rows.map(({ sid }) => sid);
}

const findAllListenersStatement = statement(
  'endpoint.find_all_listeners',
  `select told.user_sid, told.type, endpoint.sid
   from unnest($1::text[], $2::text[]) as told (user_sid, type)
   join endpoint on endpoint.user_sid = told.user_sid and endpoint.state = 'active' and (types = '{}' or told.type = any(types))
   union all
   select told.user_sid, told.type, endpoint.sid
   from unnest($1::text[], $2::text[]) as told (user_sid, type)
   join endpoint on endpoint.user_sid is null and endpoint.state = 'active' and (types = '{}' or told.type = any(types))
   order by sid`,
);

/** The same for many events of users. Shape: the endpoints of `<user's sid> <type>`; nothing where nobody is told. */
export async function findAllListeners(
  tx: Tx,
  events: readonly { readonly userSid: string; readonly type: EventType }[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const told = new Map(events.map((event) => [`${event.userSid} ${event.type}`, event]));
  const rows = await tx.query<{ user_sid: string; type: string; sid: string }>(findAllListenersStatement, [
    [...told.values()].map(({ userSid }) => userSid),
    [...told.values()].map(({ type }) => type),
  ]);
  const found = Map.groupBy(rows, ({ user_sid: userSid, type }) => `${userSid} ${type}`);
  return new Map([...found].map(([key, endpoints]) => [key, endpoints.map(({ sid }) => sid)]));
}

const markTriedStatement = statement(
  'endpoint.mark_tried',
  // Most attempts succeed at an endpoint that was fine before: then there is nothing to write.
  `update endpoint set failing_since = $2, not_before = $3
   where sid = $1 and (failing_since is distinct from $2 or not_before is distinct from $3)`,
);

/** What an attempt says of its endpoint. */
export async function markTried(
  tx: Tx,
  sid: string,
  mark: Pick<EndpointRow, 'failingSince' | 'notBefore'>,
): Promise<void> {
  await tx.query(markTriedStatement, [sid, mark.failingSince, mark.notBefore]);
}

const disableStatement = statement(
  'endpoint.disable',
  `update endpoint set state = 'disabled', reason = $2, updated_at = $3 where sid = $1 and state = 'active' returning ${COLUMNS}`,
);

/** Null when it was not active any more. */
export async function disableEndpoint(
  tx: Tx,
  sid: string,
  reason: EndpointReason,
  now: Date,
): Promise<EndpointRow | null> {
  const [row] = await tx.query<EndpointRecord>(disableStatement, [sid, reason, now]);
  return row ? fromRow(row) : null;
}

const findOldSealsStatement = statement(
  'endpoint.find_old_seals',
  `select ${COLUMNS} from endpoint
   where state <> 'removed' and (left(secret, 12) <> $1 or left(previous_secret, 12) <> $1) order by sid limit $2`,
);

/** Endpoints with a secret that was sealed with another key. `prefix`: the twelve characters that the present key's texts begin with. */
export async function findOldSeals(tx: Tx, prefix: string, limit: number): Promise<EndpointRow[]> {
  const rows = await tx.query<EndpointRecord>(findOldSealsStatement, [prefix, limit]);
  return rows.map(fromRow);
}

import { liveAccount, type AccountId } from '../domain/ledger/posting.ts';
import type { GrantKind, GrantState } from '../domain/grant/grant.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';

/** Credit that was given, and what became of it. */
export interface GrantRow {
  readonly id: bigint;
  readonly sid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly account: AccountId;
  readonly fromSeq: bigint;
  readonly kind: GrantKind;
  readonly amount: Micros;
  readonly priority: number;
  readonly expiresAt: Date | null;
  readonly reason: string;
  readonly idem: string;
  readonly state: GrantState;
  readonly takenBack: Micros;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly endedAt: Date | null;
  readonly closedAt: Date | null;
  /** What is in its account. */
  readonly left: Micros;
  /** What open holds have set aside of it. */
  readonly held: Micros;
}

interface GrantRecord extends Row {
  id: bigint;
  sid: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  account: bigint;
  from_seq: bigint;
  kind: GrantKind;
  amount: bigint;
  priority: number;
  expires_at: Date | null;
  reason: string;
  idem: string;
  state: GrantState;
  taken_back: bigint;
  created_at: Date;
  created_by: string;
  ended_at: Date | null;
  closed_at: Date | null;
  remaining: bigint;
  held: bigint;
}

const fromRow = (row: GrantRecord): GrantRow => ({
  id: row.id,
  sid: row.sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  account: row.account,
  fromSeq: row.from_seq,
  kind: row.kind,
  amount: micros(row.amount),
  priority: row.priority,
  expiresAt: row.expires_at,
  reason: row.reason,
  idem: row.idem,
  state: row.state,
  takenBack: micros(row.taken_back),
  createdAt: row.created_at,
  createdBy: row.created_by,
  endedAt: row.ended_at,
  closedAt: row.closed_at,
  left: micros(row.remaining),
  held: micros(row.held),
});

// A hold uses what it has set aside in its order: what was drawn is gone from the front. Few holds are open, and fewer have given credit.
const selectGrant = statement(
  'grant.select',
  `select grant_credit.id, grant_credit.sid, grant_credit.wallet, wallet.sid as wallet_sid, wallet.user_sid, grant_credit.account,
          grant_credit.from_seq, grant_credit.kind, grant_credit.amount, grant_credit.priority, grant_credit.expires_at, grant_credit.reason,
          grant_credit.idem, grant_credit.state, grant_credit.taken_back, grant_credit.created_at, grant_credit.created_by,
          grant_credit.ended_at, grant_credit.closed_at,
          case when grant_credit.closed_at is null then account.balance else 0 end as remaining,
          case when grant_credit.closed_at is null then aside.sum else 0 end as held
   from grant_credit
   join wallet on wallet.id = grant_credit.wallet
   join account on account.id = grant_credit.account
   cross join lateral (
     select coalesce(sum(greatest(0, least(given.amount, given.until - hold.drawn))), 0)::int8 as sum
     from hold cross join lateral (
       select source.account, source.amount, sum(source.amount) over (order by source.place) as until
       from unnest(hold.given_accounts, hold.given_amounts) with ordinality as source (account, amount, place)
     ) as given
     where hold.wallet = grant_credit.wallet and hold.state = 'open' and hold.given_accounts <> '{}' and given.account = grant_credit.account
   ) as aside`,
).text;

const readStatement = statement('grant.read', `${selectGrant} where grant_credit.sid = $1`);
const readByIdemStatement = statement('grant.read_by_idem', `${selectGrant} where grant_credit.idem = $1`);

export async function readGrant(tx: Tx, sid: string): Promise<GrantRow | null> {
  const [row] = await tx.query<GrantRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** The grant that a posting has given; null: it has not been made. */
export async function readGrantByIdem(tx: Tx, idem: string): Promise<GrantRow | null> {
  const [row] = await tx.query<GrantRecord>(readByIdemStatement, [idem]);
  return row ? fromRow(row) : null;
}

const openOfStatement = statement(
  'grant.open_of',
  `${selectGrant} where grant_credit.wallet = $1 and grant_credit.closed_at is null order by grant_credit.id`,
);

/** The grants of a wallet that have a place, with or without something in it. Final only with the wallet's row locked. */
export async function listOpenGrants(tx: Tx, wallet: bigint): Promise<GrantRow[]> {
  return (await tx.query<GrantRecord>(openOfStatement, [wallet])).map(fromRow);
}

const listStatement = statement(
  'grant.list',
  `${selectGrant}
   where ($1::text is null or grant_credit.sid < $1) and ($2::text is null or wallet.sid = $2)
     and ($3::text[] is null or wallet.user_sid = any($3)) and ($4::text is null or grant_credit.state = $4)
   order by grant_credit.sid desc limit $5`,
);

/** Newest first. Null owners mean all. */
export async function listGrants(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly walletSid: string | null;
    readonly owners: readonly string[] | null;
    readonly state: GrantState | null;
    readonly limit: number;
  },
): Promise<GrantRow[]> {
  const values = [page.before, page.walletSid, page.owners, page.state, page.limit];
  return (await tx.query<GrantRecord>(listStatement, values)).map(fromRow);
}

const insertStatement = statement(
  'grant.insert',
  `insert into grant_credit (sid, wallet, account, from_seq, kind, amount, priority, expires_at, reason, idem, state, created_at, created_by)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12)`,
);

export type NewGrant = Pick<
  GrantRow,
  | 'sid'
  | 'wallet'
  | 'account'
  | 'fromSeq'
  | 'kind'
  | 'amount'
  | 'priority'
  | 'expiresAt'
  | 'reason'
  | 'idem'
  | 'createdAt'
  | 'createdBy'
>;

export async function insertGrant(tx: Tx, grant: NewGrant): Promise<void> {
  await tx.query(insertStatement, [
    grant.sid,
    grant.wallet,
    grant.account,
    grant.fromSeq,
    grant.kind,
    grant.amount,
    grant.priority,
    grant.expiresAt,
    grant.reason,
    grant.idem,
    grant.createdAt,
    grant.createdBy,
  ]);
}

const endStatement = statement(
  'grant.end',
  `update grant_credit set state = $2, taken_back = taken_back + $3, ended_at = coalesce(ended_at, $4),
          closed_at = case when $5 then $4::timestamptz end
   where sid = $1`,
);

/** Writes down that a grant is over, or that more of it was taken back after it was. */
export async function endGrantRow(
  tx: Tx,
  end: {
    readonly sid: string;
    readonly state: Exclude<GrantState, 'open'>;
    readonly takenBack: Micros;
    readonly at: Date;
    readonly isClosed: boolean;
  },
): Promise<void> {
  await tx.query(endStatement, [end.sid, end.state, end.takenBack, end.at, end.isClosed]);
}

const dueStatement = statement(
  'grant.due',
  `select grant_credit.id, grant_credit.sid from grant_credit join account on account.id = grant_credit.account
   where closed_at is null and (expires_at <= $1 or account.balance = 0 or state <> 'open') and grant_credit.id > $2
   order by grant_credit.id limit $3`,
);

/** Grants that have a place and may have to end: whose time is over, that are used up, or that were over before something came back. */
export async function listDueGrants(
  tx: Tx,
  due: { readonly now: Date; readonly after: bigint; readonly limit: number },
): Promise<Pick<GrantRow, 'id' | 'sid'>[]> {
  return await tx.query<{ id: bigint; sid: string }>(dueStatement, [due.now, due.after, due.limit]);
}

const expiringStatement = statement(
  'grant.expiring',
  `select sid from grant_credit where closed_at is null and state = 'open' and warned_at is null and expires_at > $1 and expires_at <= $2
   order by expires_at, id limit $3`,
);

/** Open grants that end before `until` and whose users were not told so. */
export async function listExpiringGrants(
  tx: Tx,
  { now, until, limit }: { readonly now: Date; readonly until: Date; readonly limit: number },
): Promise<string[]> {
  return (await tx.query<{ sid: string }>(expiringStatement, [now, until, limit])).map(({ sid }) => sid);
}

const warnStatement = statement(
  'grant.warn',
  `update grant_credit set warned_at = $2 where sid = $1 and warned_at is null and state = 'open' returning sid`,
);

/** False when its user was told before, or there is nothing to tell any more. */
export async function markWarned(tx: Tx, sid: string, at: Date): Promise<boolean> {
  return (await tx.query(warnStatement, [sid, at])).length > 0;
}

const availableStatement = statement(
  'grant.available',
  `select main.balance as paid,
          case when main.given_slots = 0 then 0 else coalesce((
            select sum(account.balance) from grant_credit join account on account.id = grant_credit.account
            where grant_credit.wallet = $2 and grant_credit.closed_at is null and grant_credit.state = 'open'), 0) end::int8 as given
   from account as main where main.id = $1`,
);

const usableStatement = statement(
  'grant.usable',
  `select coalesce(sum(account.balance), 0)::int8 as sum from grant_credit join account on account.id = grant_credit.account
   where grant_credit.wallet = $1 and closed_at is null and state = 'open' and (expires_at is null or expires_at > $2)`,
);

/** What grants would pay at an instant. Final only with the wallet's row locked. */
export async function usableOf(tx: Tx, wallet: bigint, at: Date): Promise<Micros> {
  const [row] = await tx.query<{ sum: bigint }>(usableStatement, [wallet, at]);
  return micros(row?.sum ?? 0n);
}

const usableOfManyStatement = statement(
  'grant.usable_of_many',
  `select grant_credit.wallet, sum(account.balance)::int8 as sum from grant_credit join account on account.id = grant_credit.account
   where grant_credit.wallet = any($1::int8[]) and closed_at is null and state = 'open' and (expires_at is null or expires_at > $2)
   group by grant_credit.wallet`,
);

/** The same of several wallets; one without grants is missing. */
export async function usableOfMany(tx: Tx, wallets: readonly bigint[], at: Date): Promise<ReadonlyMap<bigint, Micros>> {
  const rows = await tx.query<{ wallet: bigint; sum: bigint }>(usableOfManyStatement, [wallets, at]);
  return new Map(rows.map(({ wallet, sum }) => [wallet, micros(sum)]));
}

/** What a wallet can spend, and of what it is made. */
export interface Available {
  readonly paid: Micros;
  readonly given: Micros;
  /** Both together. */
  readonly available: Micros;
}

/** What a wallet can spend at the moment. Final only with its row locked; a grant counts until the tick has ended it. */
export async function availableOf(tx: Tx, wallet: bigint): Promise<Available> {
  const [row] = await tx.query<{ paid: bigint; given: bigint }>(availableStatement, [
    liveAccount(wallet, 'wallet'),
    wallet,
  ]);
  const { paid = 0n, given = 0n } = row ?? {};
  return { paid: micros(paid), given: micros(given), available: micros(paid + given) };
}

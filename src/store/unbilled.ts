import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement, type Tx } from './db.ts';

/** What lies in the grants of a wallet; one without grants costs a comparison. */
const GIVEN = `case when account.given_slots = 0 then 0 else coalesce(
     (select sum(given.balance) from account as given where given.id > account.id + 2 and given.id < account.id + 16), 0) end`;

/** In the text of statements, so that the partial index of such rows serves them. */
const USAGE = POSTING_KINDS.usage;

/** What became of an unbilled record: charged later, forgiven, or replaced by a record that corrects it. */
export const UNBILLED_STATES = ['open', 'billed', 'written_off', 'superseded'] as const;
export type UnbilledState = (typeof UNBILLED_STATES)[number];

/** Usage that was delivered and not paid: the wallet was at its limit. */
export interface UnbilledRow {
  readonly idem: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly code: string;
  readonly about: string;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
  readonly state: UnbilledState;
  /** The posting that billed it or took its place. */
  readonly byIdem: string | null;
  readonly reason: string | null;
}

interface UnbilledRecord extends Record<string, unknown> {
  idem: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  code: string;
  about: string | null;
  occurred_at: Date;
  recorded_at: Date;
  state: UnbilledState;
  by_idem: string | null;
  reason: string | null;
}

const fromRow = (row: UnbilledRecord): UnbilledRow => ({
  idem: row.idem,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  code: row.code,
  about: row.about ?? '{}',
  occurredAt: row.occurred_at,
  recordedAt: row.recorded_at,
  state: row.state,
  byIdem: row.by_idem,
  reason: row.reason,
});

const COLUMNS = `declined.idem, declined.wallet, wallet.sid as wallet_sid, wallet.user_sid, declined.code, declined.about,
     coalesce(declined.occurred_at, declined.recorded_at) as occurred_at, declined.recorded_at,
     coalesce(unbilled.outcome, 'open') as state, unbilled.by_idem, unbilled.reason`;
const UNBILLED = `declined_posting as declined join wallet on wallet.id = declined.wallet
   left join unbilled_outcome as unbilled on unbilled.idem = declined.idem`;

const listStatement = statement(
  'unbilled.list',
  `select ${COLUMNS} from ${UNBILLED}
   where declined.kind = ${USAGE}
     and ($1::timestamptz is null or (declined.recorded_at, declined.idem) < ($1, $2::uuid))
     and ($3::text is null or declined.wallet = (select id from wallet where sid = $3))
     and ($4::text is null or coalesce(unbilled.outcome, 'open') = $4)
   order by declined.recorded_at desc, declined.idem desc limit $5`,
);

/** Newest first. `before` names the last row of the page before. */
export async function listUnbilled(
  tx: Tx,
  page: {
    readonly before: Pick<UnbilledRow, 'recordedAt' | 'idem'> | null;
    readonly walletSid: string | null;
    readonly state: UnbilledState | null;
    readonly limit: number;
  },
): Promise<UnbilledRow[]> {
  const { before, walletSid, state, limit } = page;
  const values = [before?.recordedAt ?? null, before?.idem ?? null, walletSid, state, limit];
  return (await tx.query<UnbilledRecord>(listStatement, values)).map(fromRow);
}

const readStatement = statement(
  'unbilled.read',
  `select ${COLUMNS} from ${UNBILLED} where declined.kind = ${USAGE} and declined.idem = any($1::uuid[])`,
);

export async function readUnbilled(tx: Tx, idems: readonly string[]): Promise<UnbilledRow[]> {
  return (await tx.query<UnbilledRecord>(readStatement, [idems])).map(fromRow);
}

const oldestStatement = statement(
  'unbilled.oldest_open',
  `select ${COLUMNS} from ${UNBILLED}
   where declined.kind = ${USAGE} and declined.wallet = $1 and unbilled.idem is null
   order by declined.recorded_at, declined.idem limit $2`,
);

/** Of one wallet, oldest first. */
export async function oldestUnbilled(tx: Tx, wallet: bigint, limit: number): Promise<UnbilledRow[]> {
  return (await tx.query<UnbilledRecord>(oldestStatement, [wallet, limit])).map(fromRow);
}

const payableStatement = statement(
  'unbilled.wallets_with_funds',
  `select wallet.id, wallet.sid from wallet join account on account.id = wallet.id * 16
   where wallet.id > $1 and account.balance + ${GIVEN} > account.credit_floor and not account.is_frozen and exists (
     select from declined_posting as declined where declined.wallet = wallet.id and declined.kind = ${USAGE}
       and not exists (select from unbilled_outcome as unbilled where unbilled.idem = declined.idem))
   order by wallet.id limit $2`,
);

/** Wallets that owe for unbilled usage and hold something, in the order of their numbers, after the given one. */
export async function walletsToBill(
  tx: Tx,
  after: bigint,
  limit: number,
): Promise<{ readonly wallet: bigint; readonly walletSid: string }[]> {
  const rows = await tx.query<{ id: bigint; sid: string }>(payableStatement, [after, limit]);
  return rows.map(({ id, sid }) => ({ wallet: id, walletSid: sid }));
}

/** What becomes of an unbilled record. */
export interface UnbilledOutcome {
  readonly idem: string;
  readonly outcome: Exclude<UnbilledState, 'open'>;
  /** The posting that billed it or took its place; null for what was written off. */
  readonly byIdem: string | null;
}

/** Who closes unbilled records, when, and why. */
export interface Closing {
  readonly at: Date;
  readonly actor: string;
  readonly reason: string | null;
}

const closeStatement = statement(
  'unbilled.close',
  `insert into unbilled_outcome (idem, outcome, by_idem, at, actor, reason)
   select idem, outcome, by_idem, $4, $5, $6 from unnest($1::uuid[], $2::text[], $3::uuid[]) as t (idem, outcome, by_idem)`,
);

/** Throws a unique violation for what was closed before: look with the wallet locked. */
export async function closeUnbilled(tx: Tx, outcomes: readonly UnbilledOutcome[], closing: Closing): Promise<void> {
  if (outcomes.length === 0) return;
  await tx.query(closeStatement, [
    outcomes.map(({ idem }) => idem),
    outcomes.map(({ outcome }) => outcome),
    outcomes.map(({ byIdem }) => byIdem),
    closing.at,
    closing.actor,
    closing.reason,
  ]);
}

const supersedeStatement = statement(
  'unbilled.supersede',
  // In the words of the index declined_posting__unbilled_correction.
  `insert into unbilled_outcome (idem, outcome, by_idem, at, actor, reason)
   select declined.idem, 'superseded', line.by_idem, $4, $5, null
   from unnest($1::int8[], $2::int8[], $3::uuid[]) as line (wallet, seq, by_idem) join declined_posting as declined
     on declined.wallet = line.wallet and declined.kind = ${USAGE} and strpos(declined.about, '"corrects":') > 0
     and (declined.about::json ->> 'corrects')::int8 = line.seq and declined.idem <> line.by_idem
   on conflict do nothing`,
);

/** Closes the unbilled corrections of lines that a later one, `byIdem`, has overtaken. */
export async function supersedeUnbilled(
  tx: Tx,
  lines: readonly { readonly wallet: bigint; readonly seq: bigint; readonly byIdem: string }[],
  made: Pick<Closing, 'at' | 'actor'>,
): Promise<void> {
  if (lines.length === 0) return;
  await tx.query(supersedeStatement, [
    lines.map(({ wallet }) => wallet),
    lines.map(({ seq }) => seq),
    lines.map(({ byIdem }) => byIdem),
    made.at,
    made.actor,
  ]);
}

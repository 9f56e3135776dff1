import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

const USAGE = POSTING_KINDS.usage;

/** Names one line of a wallet's statement. */
export interface LineKey {
  readonly account: bigint;
  readonly seq: bigint;
}

/** A charge of usage, with the last posting that corrects it. */
export interface UsageLineRow extends LineKey {
  readonly walletSid: string;
  readonly idem: string;
  readonly amount: Micros;
  readonly about: string;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
  /** Null: it stands as it was charged. */
  readonly corrected: { readonly seq: bigint; readonly about: string } | null;
  /** What all its corrections have moved. */
  readonly moved: Micros;
}

interface LineRecord extends Record<string, unknown> {
  account: bigint;
  seq: bigint;
  wallet_sid: string;
  idem: string;
  amount: bigint;
  about: string;
  occurred_at: Date;
  recorded_at: Date;
  last_seq: bigint | null;
  last_about: string | null;
  moved: bigint;
}

const fromRow = (row: LineRecord): UsageLineRow => ({
  account: row.account,
  seq: row.seq,
  walletSid: row.wallet_sid,
  idem: row.idem,
  amount: micros(row.amount),
  about: row.about,
  occurredAt: row.occurred_at,
  recordedAt: row.recorded_at,
  corrected: row.last_seq === null ? null : { seq: row.last_seq, about: row.last_about ?? '{}' },
  moved: micros(row.moved),
});

/** In the words of the index entry__usage_correction, or it would not be used. */
const CORRECTIONS_OF_LINE = `entry where entry.account = line.account and entry.kind = ${USAGE}
     and (strpos(entry.about, '"corrects":') > 0 or strpos(entry.about, '"voids":') > 0)
     and coalesce((entry.about::json ->> 'corrects')::int8, (entry.about::json ->> 'voids')::int8) = line.seq`;
const IS_LINE = `line.kind = ${USAGE} and strpos(line.about, '"corrects":') = 0 and strpos(line.about, '"voids":') = 0`;
const COLUMNS = `line.account, line.seq, wallet.sid as wallet_sid, line.idem, line.amount, line.about, line.occurred_at, line.recorded_at,
     last.seq as last_seq, last.about as last_about, last.moved`;
const LAST = `left join lateral (
     select max(entry.seq) as seq, (array_agg(entry.about order by entry.seq desc))[1] as about, coalesce(sum(entry.amount), 0)::int8 as moved
     from ${CORRECTIONS_OF_LINE}
   ) as last on true`;

const readStatement = statement(
  'usage_line.read',
  `select ${COLUMNS}
   from unnest($1::int8[], $2::int8[]) as key (account, seq) join entry as line on line.account = key.account and line.seq = key.seq
   join wallet on wallet.id = line.account / 16 ${LAST} where ${IS_LINE} order by line.account, line.seq`,
);

/** Those of the lines that are charges of usage, by account and seq. Decide by them with the accounts locked. */
export async function readUsageLines(tx: Tx, keys: readonly LineKey[]): Promise<UsageLineRow[]> {
  if (keys.length === 0) return [];
  const values = [keys.map(({ account }) => account), keys.map(({ seq }) => seq)];
  return (await tx.query<LineRecord>(readStatement, values)).map(fromRow);
}

/** Which lines. Null: any. */
export interface LineFilter {
  readonly walletSid: string | null;
  readonly nodeSid: string | null;
  readonly category: string | null;
  readonly resourceKind: string | null;
  /** The price it has now. */
  readonly priceSid: string | null;
  readonly occurredFrom: Date;
  readonly occurredUntil: Date;
  readonly recordedFrom: Date;
  readonly recordedUntil: Date;
}

// Which wallets there are lines in is folded by day: of those wallets the entries are read from where the last page ended.
const CHOSEN = `(
     select distinct wallet * 16 as account from usage_day
     where ($1::text is null or wallet = (select id from wallet where sid = $1)) and ($2::text is null or node = $2)
       and ($3::text is null or category = $3) and ($4::text is null or resource_kind = $4)
       and day >= ($6::timestamptz at time zone 'UTC')::date and day <= ($7::timestamptz at time zone 'UTC')::date and wallet * 16 >= $10
   ) as chosen join entry as line on line.account = chosen.account join wallet on wallet.id = line.account / 16 ${LAST}
   where ${IS_LINE} and (line.account, line.seq) > ($10, $11)
     and ($2 is null or line.about::json ->> 'node' = $2) and ($3 is null or line.about::json ->> 'category' = $3)
     and ($4 is null or line.about::json ->> 'resource' = $4)
     and ($5::text is null or coalesce(last.about::json -> 'now' ->> 'price', line.about::json ->> 'price') = $5)
     and line.occurred_at >= $6 and line.occurred_at < $7 and line.recorded_at >= $8 and line.recorded_at < $9
     and strpos(coalesce(last.about, ''), '"voids":') = 0`;

const listStatement = statement(
  'usage_line.list',
  `select ${COLUMNS} from ${CHOSEN} order by line.account, line.seq limit $12`,
);
const countStatement = statement('usage_line.count', `select count(*) as lines from ${CHOSEN}`);

const START: LineKey = { account: 0n, seq: 0n };

const valuesOf = (filter: LineFilter, after: LineKey): unknown[] => [
  filter.walletSid,
  filter.nodeSid,
  filter.category,
  filter.resourceKind,
  filter.priceSid,
  filter.occurredFrom,
  filter.occurredUntil,
  filter.recordedFrom,
  filter.recordedUntil,
  after.account,
  after.seq,
];

/** Lines that were not taken back, by account and seq. Wallets must be folded first, see `foldUsage`. */
export async function listUsageLines(
  tx: Tx,
  filter: LineFilter,
  page: { readonly after: LineKey | null; readonly limit: number },
): Promise<UsageLineRow[]> {
  const rows = await tx.query<LineRecord>(listStatement, [...valuesOf(filter, page.after ?? START), page.limit]);
  return rows.map(fromRow);
}

/** How many lines {@link listUsageLines} lists. */
export async function countUsageLines(tx: Tx, filter: LineFilter): Promise<bigint> {
  const [row] = await tx.query<{ lines: bigint }>(countStatement, valuesOf(filter, START));
  return row?.lines ?? 0n;
}

const correctionsStatement = statement(
  'usage_line.corrections',
  `select entry.seq, entry.idem, entry.amount, entry.about, entry.recorded_at from (select $1::int8 as account, $2::int8 as seq) as line,
   lateral (select * from ${CORRECTIONS_OF_LINE}) as entry order by entry.seq`,
);

/** One posting that corrects a line. */
export interface LineCorrectionRow {
  readonly seq: bigint;
  readonly idem: string;
  readonly amount: Micros;
  readonly about: string;
  readonly recordedAt: Date;
}

/** Everything that corrects a line, in the order of posting. */
export async function listLineCorrections(tx: Tx, { account, seq }: LineKey): Promise<LineCorrectionRow[]> {
  const rows = await tx.query<{ seq: bigint; idem: string; amount: bigint; about: string; recorded_at: Date }>(
    correctionsStatement,
    [account, seq],
  );
  return rows.map((row) => ({
    seq: row.seq,
    idem: row.idem,
    amount: micros(row.amount),
    about: row.about,
    recordedAt: row.recorded_at,
  }));
}

const correctionIdemsStatement = statement(
  'usage_line.correction_idems',
  `select line.account, line.seq, entry.idem from unnest($1::int8[], $2::int8[]) as line (account, seq),
   lateral (select * from ${CORRECTIONS_OF_LINE}) as entry order by line.account, line.seq, entry.seq`,
);

/** The identities of everything that corrects the lines. */
export async function listCorrectionIdems(
  tx: Tx,
  keys: readonly LineKey[],
): Promise<(LineKey & { readonly idem: string })[]> {
  const values = [keys.map(({ account }) => account), keys.map(({ seq }) => seq)];
  return await tx.query<{ account: bigint; seq: bigint; idem: string }>(correctionIdemsStatement, values);
}

const findStatement = statement(
  'usage_line.find',
  `select idem, account, seq, about from entry where idem = any($1::uuid[]) and kind = ${USAGE}`,
);

/** Entries of usage by their identity: charges, and postings that correct one. */
export async function findUsageEntries(
  tx: Tx,
  idems: readonly string[],
): Promise<(LineKey & { readonly idem: string; readonly about: string })[]> {
  return await tx.query<{ idem: string; account: bigint; seq: bigint; about: string }>(findStatement, [idems]);
}

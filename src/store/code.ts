import type { CodeTerms } from '../domain/code/judge.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';
import { likePattern } from './search.ts';

/** A promo code, with how often it was redeemed. */
export interface CodeRow extends CodeTerms {
  readonly sid: string;
  /** As it is shown. */
  readonly word: string;
  /** As it is compared. */
  readonly letters: string;
  readonly description: string;
  readonly amount: Micros;
  /** How long its credit lasts; null: it does not end. */
  readonly creditDays: number | null;
  readonly lifetimePaidMin: Micros;
  readonly createdAt: Date;
  readonly createdBy: string;
}

interface CodeRecord extends Row {
  sid: string;
  word: string;
  letters: string;
  description: string;
  amount: bigint;
  credit_days: number | null;
  valid_from: Date;
  valid_until: Date | null;
  uses_max: number;
  uses_per_user_max: number;
  uses: number;
  is_for_new_customers: boolean;
  lifetime_paid_min: bigint;
  created_at: Date;
  created_by: string;
  closed_at: Date | null;
}

const fromRow = (row: CodeRecord): CodeRow => ({
  sid: row.sid,
  word: row.word,
  letters: row.letters,
  description: row.description,
  amount: micros(row.amount),
  creditDays: row.credit_days,
  validFrom: row.valid_from,
  validUntil: row.valid_until,
  usesMax: row.uses_max,
  usesPerUserMax: row.uses_per_user_max,
  uses: row.uses,
  isForNewCustomers: row.is_for_new_customers,
  lifetimePaidMin: micros(row.lifetime_paid_min),
  createdAt: row.created_at,
  createdBy: row.created_by,
  closedAt: row.closed_at,
});

const COLUMNS = `sid, word, letters, description, amount, credit_days, valid_from, valid_until, uses_max, uses_per_user_max, uses,
  is_for_new_customers, lifetime_paid_min, created_at, created_by, closed_at`;

const insertStatement = statement(
  'code.insert',
  `insert into code (sid, word, letters, description, amount, credit_days, valid_from, valid_until, uses_max, uses_per_user_max,
                     is_for_new_customers, lifetime_paid_min, created_at, created_by)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict on constraint code__one_per_letters do nothing returning sid`,
);

/** False when there is a code already that is read as this one. */
export async function insertCode(tx: Tx, code: Omit<CodeRow, 'uses' | 'closedAt'>): Promise<boolean> {
  const rows = await tx.query(insertStatement, [
    code.sid,
    code.word,
    code.letters,
    code.description,
    code.amount,
    code.creditDays,
    code.validFrom,
    code.validUntil,
    code.usesMax,
    code.usesPerUserMax,
    code.isForNewCustomers,
    code.lifetimePaidMin,
    code.createdAt,
    code.createdBy,
  ]);
  return rows.length === 1;
}

const readStatement = statement('code.read', `select ${COLUMNS} from code where sid = $1`);

export async function readCodeRow(tx: Tx, sid: string): Promise<CodeRow | null> {
  const [row] = await tx.query<CodeRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockStatement = statement('code.lock', `select ${COLUMNS} from code where letters = $1 for no key update`);

/** Locks a code by what was typed: uses of one code are decided one after the other. */
export async function lockCode(tx: Tx, letters: string): Promise<CodeRow | null> {
  const [row] = await tx.query<CodeRecord>(lockStatement, [letters]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'code.list',
  `select ${COLUMNS} from code
   where ($1::text is null or sid < $1) and ($2::text is null or word ilike $2 or description ilike $2) order by sid desc limit $3`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listCodes(
  tx: Tx,
  page: { readonly before: string | null; readonly search: string | null; readonly limit: number },
): Promise<CodeRow[]> {
  const rows = await tx.query<CodeRecord>(listStatement, [page.before, likePattern(page.search), page.limit]);
  return rows.map(fromRow);
}

const closeStatement = statement(
  'code.close',
  `update code set closed_at = $2, closed_by = $3 where sid = $1 and closed_at is null returning sid`,
);

/** False when there is none, or it is closed already. */
export async function closeCode(
  tx: Tx,
  { sid, at, by }: { readonly sid: string; readonly at: Date; readonly by: string },
): Promise<boolean> {
  return (await tx.query(closeStatement, [sid, at, by])).length === 1;
}

export interface CodeUse {
  readonly code: string;
  /** 1, 2, 3, … of this code. */
  readonly number: number;
  /** The person who redeemed it. */
  readonly userSid: string;
  readonly wallet: bigint;
  readonly amount: Micros;
  readonly grantSid: string;
  readonly redeemedAt: Date;
}

const countUsesStatement = statement(
  'code.count_uses',
  `select (select count(*)::int4 from code_use where code = $1 and user_sid = $2) as by_user,
          (select count(*)::int4 from code_use where code = $1 and wallet = $3) as by_wallet`,
);

/** How often a code was redeemed by somebody, and for a wallet. Final while the code is locked. */
export async function countCodeUses(
  tx: Tx,
  of: Pick<CodeUse, 'code' | 'userSid' | 'wallet'>,
): Promise<{ readonly byUser: number; readonly byWallet: number }> {
  const [row] = await tx.query<{ by_user: number; by_wallet: number }>(countUsesStatement, [
    of.code,
    of.userSid,
    of.wallet,
  ]);
  return { byUser: row?.by_user ?? 0, byWallet: row?.by_wallet ?? 0 };
}

const useStatement = statement(
  'code.use',
  `with counted as (update code set uses = $2 where sid = $1 and uses = $2 - 1 returning sid)
   insert into code_use (code, number, user_sid, wallet, amount, grant_sid, redeemed_at)
   select sid, $2, $3, $4, $5, $6, $7 from counted returning number`,
);

/** Counts a use of a locked code and keeps whose it is. False: another one has its number, which the lock keeps from happening. */
export async function insertCodeUse(tx: Tx, use: CodeUse): Promise<boolean> {
  const rows = await tx.query(useStatement, [
    use.code,
    use.number,
    use.userSid,
    use.wallet,
    use.amount,
    use.grantSid,
    use.redeemedAt,
  ]);
  return rows.length === 1;
}

/** A use as it is listed. */
export interface ListedCodeUse extends CodeUse {
  readonly word: string;
  readonly walletSid: string;
}

interface UseRecord extends Row {
  code: string;
  word: string;
  number: number;
  user_sid: string;
  wallet: bigint;
  wallet_sid: string;
  amount: bigint;
  grant_sid: string;
  redeemed_at: Date;
}

const toListed = (row: UseRecord): ListedCodeUse => ({
  code: row.code,
  word: row.word,
  number: row.number,
  userSid: row.user_sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  amount: micros(row.amount),
  grantSid: row.grant_sid,
  redeemedAt: row.redeemed_at,
});

const selectUse = statement(
  'code.select_use',
  `select code_use.code, code.word, code_use.number, code_use.user_sid, code_use.wallet, wallet.sid as wallet_sid, code_use.amount,
          code_use.grant_sid, code_use.redeemed_at
   from code_use join code on code.sid = code_use.code join wallet on wallet.id = code_use.wallet`,
).text;

const listUsesStatement = statement(
  'code.list_uses',
  `${selectUse} where code_use.code = $1 and ($2::int4 is null or code_use.number < $2) order by code_use.number desc limit $3`,
);

/** The uses of a code, newest first. `before` is the number of the last row of the page before. */
export async function listCodeUses(
  tx: Tx,
  page: { readonly code: string; readonly before: number | null; readonly limit: number },
): Promise<ListedCodeUse[]> {
  return (await tx.query<UseRecord>(listUsesStatement, [page.code, page.before, page.limit])).map(toListed);
}

const usesOfUserStatement = statement(
  'code.uses_of_user',
  `${selectUse} where code_use.user_sid = $1 and ($2::text is null or code_use.grant_sid < $2) order by code_use.grant_sid desc limit $3`,
);

/** What somebody has redeemed, newest first. `before` is the sid of the credit of the last row of the page before. */
export async function listCodeUsesOf(
  tx: Tx,
  page: { readonly userSid: string; readonly before: string | null; readonly limit: number },
): Promise<ListedCodeUse[]> {
  return (await tx.query<UseRecord>(usesOfUserStatement, [page.userSid, page.before, page.limit])).map(toListed);
}

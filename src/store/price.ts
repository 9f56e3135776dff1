import type { Price, PriceKind } from '../domain/usage/price.ts';
import { statement, type Tx } from './db.ts';

interface PriceRecord extends Record<string, unknown> {
  sid: string;
  category: string;
  resource_kind: string | null;
  kind: PriceKind;
  unit: string;
  amount: bigint;
  margin: number;
  active_from: Date;
  created_at: Date;
}

/** A price with when it was made. */
export interface PriceRow extends Price {
  readonly createdAt: Date;
}

const fromRow = (row: PriceRecord): PriceRow => ({
  sid: row.sid,
  category: row.category,
  resourceKind: row.resource_kind,
  kind: row.kind,
  unit: row.unit,
  amount: row.amount,
  margin: BigInt(row.margin),
  activeFrom: row.active_from,
  createdAt: row.created_at,
});

const COLUMNS = 'sid, category, resource_kind, kind, unit, amount, margin, active_from, created_at';

const listForStatement = statement('price.list_for', `select ${COLUMNS} from price where category = any($1::text[])`);

/** Every price the categories ever had: few, and the record's own instant says which counts. */
export async function listPricesFor(tx: Tx, categories: readonly string[]): Promise<PriceRow[]> {
  return (await tx.query<PriceRecord>(listForStatement, [categories])).map(fromRow);
}

const readStatement = statement('price.read', `select ${COLUMNS} from price where sid = $1`);

export async function readPrice(tx: Tx, sid: string): Promise<PriceRow | null> {
  const [row] = await tx.query<PriceRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'price.list',
  `select ${COLUMNS} from price where ($1::text is null or sid < $1) and ($2::text is null or category = $2)
   order by sid desc limit $3`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listPrices(
  tx: Tx,
  page: { readonly before: string | null; readonly category: string | null; readonly limit: number },
): Promise<PriceRow[]> {
  return (await tx.query<PriceRecord>(listStatement, [page.before, page.category, page.limit])).map(fromRow);
}

const insertStatement = statement(
  'price.insert',
  `insert into price (sid, category, resource_kind, kind, unit, amount, margin, active_from, created_at, created_by)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning sid`,
);

/** False when the category, or the resource, has a price from this very instant on. */
export async function insertPrice(tx: Tx, price: PriceRow, createdBy: string): Promise<boolean> {
  const rows = await tx.query(insertStatement, [
    price.sid,
    price.category,
    price.resourceKind,
    price.kind,
    price.unit,
    price.amount,
    price.margin,
    price.activeFrom,
    price.createdAt,
    createdBy,
  ]);
  return rows.length === 1;
}

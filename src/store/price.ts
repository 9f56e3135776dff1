import { z } from 'zod';
import type { Price, PriceKind, Tier } from '../domain/usage/price.ts';
import { statement, type Tx } from './db.ts';

interface PriceRecord extends Record<string, unknown> {
  sid: string;
  category: string;
  resource_kind: string | null;
  kind: PriceKind;
  unit: string;
  amount: bigint;
  margin: number;
  tiers: unknown;
  package_size: bigint | null;
  active_from: Date;
  created_at: Date;
  is_backdated: boolean;
}

/** As the column holds them: we wrote it, and a restore or a hand may have too. */
const Tiers = z.array(
  z.object({
    up_to: z
      .string()
      .regex(/^[0-9]+$/)
      .nullable(),
    amount: z.string().regex(/^[0-9]+$/),
  }),
);

/** A price with when it was made. */
export interface PriceRow extends Price {
  readonly createdAt: Date;
  /** Whether it began before it was made, to put another one right. */
  readonly isBackdated: boolean;
}

const fromRow = (row: PriceRecord): PriceRow => ({
  sid: row.sid,
  category: row.category,
  resourceKind: row.resource_kind,
  kind: row.kind,
  unit: row.unit,
  amount: row.amount,
  margin: BigInt(row.margin),
  tiers: Tiers.parse(row.tiers ?? []).map(({ up_to: upTo, amount }): Tier => ({
    upTo: upTo === null ? null : BigInt(upTo),
    amount: BigInt(amount),
  })),
  packageSize: row.package_size,
  activeFrom: row.active_from,
  createdAt: row.created_at,
  isBackdated: row.is_backdated,
});

const toColumn = (tiers: readonly Tier[]): string | null =>
  tiers.length === 0
    ? null
    : JSON.stringify(tiers.map(({ upTo, amount }) => ({ up_to: upTo?.toString() ?? null, amount: amount.toString() })));

const COLUMNS =
  'sid, category, resource_kind, kind, unit, amount, margin, tiers, package_size, active_from, created_at, is_backdated';

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
  `insert into price (sid, category, resource_kind, kind, unit, amount, margin, tiers, package_size, active_from, created_at, created_by, is_backdated)
   values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13) on conflict do nothing returning sid`,
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
    toColumn(price.tiers),
    price.packageSize,
    price.activeFrom,
    price.createdAt,
    createdBy,
    price.isBackdated,
  ]);
  return rows.length === 1;
}

const lockCategoryStatement = statement(
  'price.lock_category',
  `select pg_advisory_xact_lock(hashtextextended('price ' || $1, 0))`,
);

/**
 * Holds a category's prices and ladder until the end of the transaction, for whoever makes one of them and must know the other:
 * each would else look before the other has written.
 */
export async function lockCategory(tx: Tx, category: string): Promise<void> {
  await tx.query(lockCategoryStatement, [category]);
}

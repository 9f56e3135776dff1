import type { ModelPrice } from '../domain/usage/model-price.ts';
import { statement, type Tx } from './db.ts';

interface ModelPriceRecord extends Record<string, unknown> {
  sid: string;
  provider: string;
  model: string;
  input_amount: bigint;
  cached_input_amount: bigint;
  output_amount: bigint;
  active_from: Date;
  created_at: Date;
}

/** A model's price with when it was made. */
export interface ModelPriceRow extends ModelPrice {
  readonly createdAt: Date;
}

const fromRow = (row: ModelPriceRecord): ModelPriceRow => ({
  sid: row.sid,
  provider: row.provider,
  model: row.model,
  input: row.input_amount,
  cachedInput: row.cached_input_amount,
  output: row.output_amount,
  activeFrom: row.active_from,
  createdAt: row.created_at,
});

const COLUMNS = 'sid, provider, model, input_amount, cached_input_amount, output_amount, active_from, created_at';

const listForStatement = statement(
  'model_price.list_for',
  `select ${COLUMNS} from model_price where model = any($1::text[])`,
);

/** Every price the models ever had, at whatever provider: few, and the record's own instant says which counts. */
export async function listModelPricesFor(tx: Tx, models: readonly string[]): Promise<ModelPriceRow[]> {
  return (await tx.query<ModelPriceRecord>(listForStatement, [models])).map(fromRow);
}

const readStatement = statement('model_price.read', `select ${COLUMNS} from model_price where sid = $1`);

export async function readModelPrice(tx: Tx, sid: string): Promise<ModelPriceRow | null> {
  const [row] = await tx.query<ModelPriceRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'model_price.list',
  `select ${COLUMNS} from model_price
   where ($1::text is null or sid < $1) and ($2::text is null or provider = $2) and ($3::text is null or model = $3)
   order by sid desc limit $4`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listModelPrices(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly provider: string | null;
    readonly model: string | null;
    readonly limit: number;
  },
): Promise<ModelPriceRow[]> {
  const values = [page.before, page.provider, page.model, page.limit];
  return (await tx.query<ModelPriceRecord>(listStatement, values)).map(fromRow);
}

const insertStatement = statement(
  'model_price.insert',
  `insert into model_price (sid, provider, model, input_amount, cached_input_amount, output_amount, active_from, created_at, created_by)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning sid`,
);

/** False when the model has a price at this provider from this very instant on. */
export async function insertModelPrice(tx: Tx, price: ModelPriceRow, createdBy: string): Promise<boolean> {
  const rows = await tx.query(insertStatement, [
    price.sid,
    price.provider,
    price.model,
    price.input,
    price.cachedInput,
    price.output,
    price.activeFrom,
    price.createdAt,
    createdBy,
  ]);
  return rows.length === 1;
}

const lockStatement = statement(
  'model_price.lock',
  `select pg_advisory_xact_lock(hashtextextended('model price ' || $1 || ' ' || $2, 0))`,
);
const isFirstStatement = statement(
  'model_price.is_first',
  `select not exists (select from model_price where provider = $1 and model = $2) as is_first`,
);

/**
 * Whether a model has no price at this provider yet; nobody else makes a first one until the end of the transaction. Nothing was
 * charged by the table then, so the first may begin in the past.
 */
export async function lockFirst(tx: Tx, { provider, model }: Pick<ModelPrice, 'provider' | 'model'>): Promise<boolean> {
  await tx.query(lockStatement, [provider, model]);
  const [row] = await tx.query<{ is_first: boolean }>(isFirstStatement, [provider, model]);
  return row?.is_first === true;
}

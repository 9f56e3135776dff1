import type { Plan } from '../domain/plan/plan.ts';
import type { PeriodLength } from '../domain/plan/period.ts';
import { micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';

/** A version with who made it, and when. */
export interface PlanRow extends Plan {
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** The columns of a plan, under names that other statements may select beside their own. */
export interface PlanColumns extends Row {
  plan_sid: string;
  plan_code: string;
  plan_version: number;
  plan_name: string;
  plan_price: bigint;
  plan_period_unit: PeriodLength['unit'];
  plan_period_count: number;
  plan_vm_count: number;
  plan_vm_size: string;
  plan_includes: string[];
  plan_is_for_sale: boolean;
  plan_active_from: Date;
}

export const PLAN_COLUMNS = `plan.sid as plan_sid, plan.code as plan_code, plan.version as plan_version, plan.name as plan_name,
  plan.price as plan_price, plan.period_unit as plan_period_unit, plan.period_count as plan_period_count, plan.vm_count as plan_vm_count,
  plan.vm_size as plan_vm_size, plan.includes as plan_includes, plan.is_for_sale as plan_is_for_sale, plan.active_from as plan_active_from`;

export const planFromColumns = (row: PlanColumns): Plan => ({
  sid: row.plan_sid,
  code: row.plan_code,
  version: row.plan_version,
  name: row.plan_name,
  price: micros(row.plan_price),
  period: { unit: row.plan_period_unit, count: row.plan_period_count },
  vmCount: row.plan_vm_count,
  vmSize: row.plan_vm_size,
  includes: row.plan_includes,
  isForSale: row.plan_is_for_sale,
  activeFrom: row.plan_active_from,
});

const fromRow = (row: PlanColumns & { created_at: Date; created_by: string }): PlanRow => ({
  ...planFromColumns(row),
  createdAt: row.created_at,
  createdBy: row.created_by,
});

const allStatement = statement(
  'plan.all',
  `select ${PLAN_COLUMNS}, plan.created_at, plan.created_by from plan order by plan.code, plan.version`,
);

/** Every version that there ever was: few, and an instant says which counts. By code, then by version. */
export async function readPlans(tx: Tx): Promise<PlanRow[]> {
  return (await tx.query<PlanColumns & { created_at: Date; created_by: string }>(allStatement)).map(fromRow);
}

const listStatement = statement(
  'plan.list',
  `select ${PLAN_COLUMNS}, plan.created_at, plan.created_by from plan
   where ($1::text is null or plan.sid < $1) and ($2::text is null or plan.code = $2) order by plan.sid desc limit $3`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listPlans(
  tx: Tx,
  page: { readonly before: string | null; readonly code: string | null; readonly limit: number },
): Promise<PlanRow[]> {
  const rows = await tx.query<PlanColumns & { created_at: Date; created_by: string }>(listStatement, [
    page.before,
    page.code,
    page.limit,
  ]);
  return rows.map(fromRow);
}

const lockCodeStatement = statement(
  'plan.lock_code',
  `select pg_advisory_xact_lock(hashtextextended('plan ' || $1, 0))`,
);

/** Holds a plan's versions until the end of the transaction, for whoever adds one: its number follows from the others. */
export async function lockPlanCode(tx: Tx, code: string): Promise<void> {
  await tx.query(lockCodeStatement, [code]);
}

const insertStatement = statement(
  'plan.insert',
  `insert into plan (sid, code, version, name, price, period_unit, period_count, vm_count, vm_size, includes, is_for_sale, active_from,
                     created_at, created_by)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
);

export async function insertPlan(tx: Tx, plan: PlanRow): Promise<void> {
  await tx.query(insertStatement, [
    plan.sid,
    plan.code,
    plan.version,
    plan.name,
    plan.price,
    plan.period.unit,
    plan.period.count,
    plan.vmCount,
    plan.vmSize,
    plan.includes,
    plan.isForSale,
    plan.activeFrom,
    plan.createdAt,
    plan.createdBy,
  ]);
}

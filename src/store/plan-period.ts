import { micros, type Micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';

/** A stretch of time that was paid. */
export interface PeriodRow extends Row {
  readonly subscription: bigint;
  readonly number: number;
  readonly part: number;
  readonly wallet: bigint;
  readonly planSid: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly paid: Micros;
  readonly idem: string | null;
}

const insertPeriodsStatement = statement(
  'plan_period.insert',
  `insert into plan_period (subscription, number, part, wallet, plan_sid, starts_at, ends_at, paid, idem, created_at)
   select period.*, $10::timestamptz
   from unnest($1::int8[], $2::int4[], $3::int4[], $4::int8[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::int8[], $9::uuid[]) as period`,
);

/** The key (subscription, number, part) refuses to have a period paid twice. */
export async function insertPeriods(tx: Tx, periods: readonly PeriodRow[], now: Date): Promise<void> {
  if (periods.length === 0) return;
  await tx.query(insertPeriodsStatement, [
    periods.map(({ subscription }) => subscription),
    periods.map(({ number }) => number),
    periods.map(({ part }) => part),
    periods.map(({ wallet }) => wallet),
    periods.map(({ planSid }) => planSid),
    periods.map(({ startsAt }) => startsAt.toISOString()),
    periods.map(({ endsAt }) => endsAt.toISOString()),
    periods.map(({ paid }) => paid),
    periods.map(({ idem }) => idem),
    now,
  ]);
}

const closePartStatement = statement(
  'plan_period.close_part',
  `update plan_period set ends_at = $4 where subscription = $1 and number = $2 and part = $3`,
);

/** Ends the part of a period that a change of plan cuts off. */
export async function closePart(
  tx: Tx,
  part: { readonly subscription: bigint; readonly number: number; readonly part: number; readonly endsAt: Date },
): Promise<void> {
  await tx.query(closePartStatement, [part.subscription, part.number, part.part, part.endsAt]);
}

/** A period as it is shown, with the plan that it was paid at. */
export interface ShownPeriod {
  readonly number: number;
  readonly part: number;
  readonly planCode: string;
  readonly planVersion: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly paid: Micros;
}

const listPeriodsStatement = statement(
  'plan_period.list',
  `select plan_period.number, plan_period.part, plan.code, plan.version, plan_period.starts_at, plan_period.ends_at, plan_period.paid
   from plan_period join plan on plan.sid = plan_period.plan_sid
   where plan_period.subscription = $1 order by plan_period.number desc, plan_period.part desc limit $2`,
);

/** Newest first. */
export async function listPeriods(tx: Tx, subscription: bigint, limit: number): Promise<ShownPeriod[]> {
  const rows = await tx.query<{
    number: number;
    part: number;
    code: string;
    version: number;
    starts_at: Date;
    ends_at: Date;
    paid: bigint;
  }>(listPeriodsStatement, [subscription, limit]);
  return rows.map((row) => ({
    number: row.number,
    part: row.part,
    planCode: row.code,
    planVersion: row.version,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    paid: micros(row.paid),
  }));
}

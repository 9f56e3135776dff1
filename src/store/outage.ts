import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import type { OutageSource, OutageState, OutageSubject, Span } from '../domain/outage/outage.ts';
import type { PaidTime } from '../domain/outage/share.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

/** Time in which something was down. */
export interface OutageRow {
  readonly sid: string;
  readonly subject: OutageSubject;
  /** The sid of the node, machine or allocation, or the name of the host. */
  readonly subjectRef: string;
  readonly state: OutageState;
  readonly fromAt: Date;
  /** Null: it goes on. */
  readonly untilAt: Date | null;
  readonly reason: string;
  readonly source: OutageSource;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** The correction that takes back what a node was charged for. */
  readonly correction: string | null;
  /** The last allocation that was looked at. */
  readonly cursor: bigint;
  readonly vms: number;
  readonly returned: Micros;
  readonly cancelledAt: Date | null;
}

interface OutageRecord extends Record<string, unknown> {
  sid: string;
  subject: OutageSubject;
  subject_ref: string;
  state: OutageState;
  from_at: Date;
  until_at: Date | null;
  reason: string;
  source: OutageSource;
  created_at: Date;
  created_by: string;
  correction: string | null;
  cursor: bigint;
  vms: number;
  returned: bigint;
  cancelled_at: Date | null;
}

const fromRow = (row: OutageRecord): OutageRow => ({
  sid: row.sid,
  subject: row.subject,
  subjectRef: row.subject_ref,
  state: row.state,
  fromAt: row.from_at,
  untilAt: row.until_at,
  reason: row.reason,
  source: row.source,
  createdAt: row.created_at,
  createdBy: row.created_by,
  correction: row.correction,
  cursor: row.cursor,
  vms: row.vms,
  returned: micros(row.returned),
  cancelledAt: row.cancelled_at,
});

const COLUMNS = `sid, subject, subject_ref, state, from_at, until_at, reason, source, created_at, created_by, correction, cursor, vms, returned,
     cancelled_at`;

const insertStatement = statement(
  'outage.insert',
  `insert into outage (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict do nothing returning sid`,
);

/** False: there is one of this subject that goes on. */
export async function insertOutage(tx: Tx, row: OutageRow): Promise<boolean> {
  const made = await tx.query(insertStatement, [
    row.sid,
    row.subject,
    row.subjectRef,
    row.state,
    row.fromAt,
    row.untilAt,
    row.reason,
    row.source,
    row.createdAt,
    row.createdBy,
    row.correction,
    row.cursor,
    row.vms,
    row.returned,
    row.cancelledAt,
  ]);
  return made.length > 0;
}

const readStatement = statement('outage.read', `select ${COLUMNS} from outage where sid = $1`);

export async function readOutage(tx: Tx, sid: string): Promise<OutageRow | null> {
  const [row] = await tx.query<OutageRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockStatement = statement('outage.lock', `select ${COLUMNS} from outage where sid = $1 for no key update`);

/** Locked until the transaction ends: before any account. */
export async function lockOutage(tx: Tx, sid: string): Promise<OutageRow | null> {
  const [row] = await tx.query<OutageRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const updateStatement = statement(
  'outage.update',
  `update outage set state = $2, until_at = $3, correction = $4, cursor = $5, vms = $6, returned = $7, cancelled_at = $8 where sid = $1`,
);

/** Writes what has become of a locked outage. */
export async function updateOutage(tx: Tx, row: OutageRow): Promise<void> {
  const { sid, state, untilAt, correction, cursor, vms, returned, cancelledAt } = row;
  await tx.query(updateStatement, [sid, state, untilAt, correction, cursor, vms, returned, cancelledAt]);
}

const listStatement = statement(
  'outage.list',
  `select ${COLUMNS} from outage where ($1::text is null or sid < $1) and ($2::text is null or state = $2)
     and ($3::text is null or subject = $3) order by sid desc limit $4`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listOutages(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly state: OutageState | null;
    readonly subject: OutageSubject | null;
    readonly limit: number;
  },
): Promise<OutageRow[]> {
  const { before, state, subject, limit } = page;
  return (await tx.query<OutageRecord>(listStatement, [before, state, subject, limit])).map(fromRow);
}

const settlingStatement = statement(
  'outage.settling',
  `select sid from outage where state = 'settling' order by sid limit $1`,
);

/** Those whose VMs are being given back for, oldest first. */
export async function settlingOutages(tx: Tx, limit: number): Promise<string[]> {
  return (await tx.query<{ sid: string }>(settlingStatement, [limit])).map(({ sid }) => sid);
}

/** A VM within an outage, and the wallet that pays for it. */
export interface DownVm extends Span {
  readonly id: bigint;
  readonly sid: string;
  readonly name: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  /** Whose wallet it is. */
  readonly userSid: string;
  readonly currency: string;
  readonly subscription: bigint;
}

interface DownRecord extends Record<string, unknown> {
  id: bigint;
  sid: string;
  name: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  currency: string;
  subscription: bigint;
  from_at: Date;
  until_at: Date;
}

const downStatement = statement(
  'outage.down_vms',
  // A VM was had from when it first ran until it was to go, or until it was stopped for good. Which machine of the pool it was on is what that was
  // called: a machine that cleans itself is not its own any more once it is gone.
  `select * from (
     select allocation.id, allocation.sid, allocation.name, allocation.wallet, wallet.sid as wallet_sid, wallet.user_sid, wallet.currency,
            allocation.subscription, greatest(allocation.active_at, $3) as from_at,
            least(coalesce(allocation.releasing_at, allocation.released_at, case when allocation.state = 'suspended' then allocation.suspended_at end, $4), $4)
              as until_at
     from allocation join wallet on wallet.id = allocation.wallet
     where allocation.id > $5 and allocation.active_at is not null
       and case $1 when 'machine' then allocation.provisioner = 'pool' and allocation.external_ref = $2
                   when 'host' then allocation.host = $2 else allocation.sid = $2 end
   ) as down where from_at < until_at order by id limit $6`,
);

/** The VMs of a subject that were had within a span, in the order of their numbers. */
export async function listDownVms(
  tx: Tx,
  down: Pick<OutageRow, 'subject' | 'subjectRef'> & Span,
  page: { readonly after: bigint; readonly limit: number },
): Promise<DownVm[]> {
  const values = [down.subject, down.subjectRef, down.from, down.until, page.after, page.limit];
  const rows = await tx.query<DownRecord>(downStatement, values);
  return rows.map((row) => ({
    id: row.id,
    sid: row.sid,
    name: row.name,
    wallet: row.wallet,
    walletSid: row.wallet_sid,
    userSid: row.user_sid,
    currency: row.currency,
    subscription: row.subscription,
    from: row.from_at,
    until: row.until_at,
  }));
}

const paidStatement = statement(
  'outage.paid_time',
  // The parts of a period have one length together, and each the price of its plan.
  `select part.subscription, part.starts_at, part.ends_at, plan.price, plan.vm_count,
          (extract(epoch from (select max(whole.ends_at) - min(whole.starts_at) from plan_period as whole
             where whole.subscription = part.subscription and whole.number = part.number)) * 1000)::int8 as whole_ms
   from plan_period as part join plan on plan.sid = part.plan_sid
   where part.subscription = any($1::int8[]) and part.starts_at < $3 and part.ends_at > $2 order by part.subscription, part.starts_at`,
);

/** What was paid for, by subscription. */
export async function listPaidTime(
  tx: Tx,
  subscriptions: readonly bigint[],
  { from, until }: Span,
): Promise<ReadonlyMap<bigint, readonly PaidTime[]>> {
  const rows = await tx.query<{
    subscription: bigint;
    starts_at: Date;
    ends_at: Date;
    price: bigint;
    vm_count: number;
    whole_ms: bigint;
  }>(paidStatement, [subscriptions, from, until]);
  const times = new Map<bigint, PaidTime[]>();
  for (const row of rows) {
    const { starts_at: startsAt, ends_at: endsAt, whole_ms: wholeMs, vm_count: vmCount } = row;
    const known = times.get(row.subscription) ?? [];
    known.push({ from: startsAt, until: endsAt, price: micros(row.price), wholeMs, vmCount });
    times.set(row.subscription, known);
  }
  return times;
}

const creditedStatement = statement(
  'outage.credited',
  `select allocation, unnest(from_at) as from_at, unnest(until_at) as until_at from outage_credit where allocation = any($1::int8[])`,
);

/** The times that were given back for, by allocation. Decide by them with the wallets' accounts locked. */
export async function listCredited(
  tx: Tx,
  allocations: readonly bigint[],
): Promise<ReadonlyMap<bigint, readonly Span[]>> {
  const rows = await tx.query<{ allocation: bigint; from_at: Date; until_at: Date }>(creditedStatement, [allocations]);
  const spans = new Map<bigint, Span[]>();
  for (const { allocation, from_at: from, until_at: until } of rows)
    spans.set(allocation, [...(spans.get(allocation) ?? []), { from, until }]);
  return spans;
}

export interface OutageCredit {
  readonly allocation: bigint;
  readonly wallet: bigint;
  readonly idem: string;
  readonly amount: Micros;
  readonly spans: readonly Span[];
}

const creditStatement = statement(
  'outage.credit',
  `insert into outage_credit (outage, allocation, wallet, idem, amount, from_at, until_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

export async function insertOutageCredit(tx: Tx, outage: string, credit: OutageCredit, now: Date): Promise<void> {
  const { allocation, wallet, idem, amount, spans } = credit;
  const [from, until] = [spans.map((span) => span.from), spans.map((span) => span.until)];
  await tx.query(creditStatement, [outage, allocation, wallet, idem, amount, from, until, now]);
}

/** In the text of the statement, so that the partial index of such rows serves it. */
const USAGE = POSTING_KINDS.usage;

const unbilledStatement = statement(
  'outage.unbilled',
  `select declined.idem, declined.wallet from declined_posting as declined
   where declined.kind = ${USAGE} and coalesce(declined.occurred_at, declined.recorded_at) >= $2
     and coalesce(declined.occurred_at, declined.recorded_at) < $3 and declined.about::json ->> 'node' = $1
     and not exists (select from unbilled_outcome as unbilled where unbilled.idem = declined.idem) order by declined.wallet, declined.idem`,
);

/** What a node reported of a time and nobody has paid. */
export async function listUnbilledOf(
  tx: Tx,
  nodeSid: string,
  { from, until }: Span,
): Promise<{ readonly idem: string; readonly wallet: bigint }[]> {
  return await tx.query<{ idem: string; wallet: bigint }>(unbilledStatement, [nodeSid, from, until]);
}

import { statement, type Statement, type Tx } from './db.ts';

/** What is due at an instant that a row names: each statement answers how much is overdue at $1, and when the next of it is due. */
const DUE: readonly Statement[] = [
  statement(
    'due.holds',
    `select count(*) filter (where expires_at <= $1) as overdue, min(expires_at) filter (where expires_at > $1) as next from hold where state = 'open'`,
  ),
  statement(
    'due.mails',
    `select count(*) filter (where due_at <= $1) as overdue, min(due_at) filter (where due_at > $1) as next from mail where due_at is not null`,
  ),
  statement(
    'due.deliveries',
    `select count(*) filter (where due_at <= $1) as overdue, min(due_at) filter (where due_at > $1) as next from delivery where due_at is not null`,
  ),
  statement(
    'due.plans',
    `select count(*) filter (where period_ends_at <= $1) as overdue, min(period_ends_at) filter (where period_ends_at > $1) as next from subscription where state = 'active'`,
  ),
  statement(
    'due.reminders',
    `select count(*) filter (where reminds_at <= $1) as overdue, min(reminds_at) filter (where reminds_at > $1) as next from subscription where reminds_at is not null`,
  ),
  statement(
    'due.grants',
    `select count(*) filter (where expires_at <= $1) as overdue, min(expires_at) filter (where expires_at > $1) as next from grant_credit where state = 'open' and closed_at is null`,
  ),
  statement(
    'due.allocations',
    `select count(*) filter (where expires_at <= $1) as overdue, min(expires_at) filter (where expires_at > $1) as next from allocation where state in ('requested', 'active', 'suspended')`,
  ),
  statement(
    'due.answers',
    `select count(*) filter (where check_at <= $1) as overdue, min(check_at) filter (where check_at > $1) as next from allocation where check_at is not null`,
  ),
  statement(
    'due.standings',
    `select count(*) filter (where deadline_at <= $1) as overdue, min(deadline_at) filter (where deadline_at > $1) as next from wallet_standing where deadline_at is not null`,
  ),
  statement(
    'due.runways',
    `select count(*) filter (where look_at <= $1) as overdue, min(look_at) filter (where look_at > $1) as next from wallet_standing where look_at is not null`,
  ),
];

export interface Due {
  readonly overdue: bigint;
  /** Null: nothing waits for an instant. */
  readonly next: Date | null;
  /** What is due then, by the names above. */
  readonly nextOf: readonly string[];
}

/**
 * How much is overdue, and the next instant at which something is due, as far as rows say: what is only found by looking (a provider's answer, a
 * balance) is not here.
 */
export async function readDue(tx: Tx, now: Date): Promise<Due> {
  let overdue = 0n;
  let next: Date | null = null;
  let nextOf: readonly string[] = [];
  for (const source of DUE) {
    const [row] = await tx.query<{ overdue: bigint; next: Date | null }>(source, [now]);
    overdue += row?.overdue ?? 0n;
    const at = row?.next ?? null;
    if (at === null || (next !== null && at > next)) continue;
    nextOf = next !== null && at.getTime() === next.getTime() ? [...nextOf, source.name] : [source.name];
    next = at;
  }
  return { overdue, next, nextOf };
}

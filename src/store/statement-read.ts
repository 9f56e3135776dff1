import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

/** How far a provider's statement was read. */
export interface StatementRead {
  readonly provider: string;
  readonly account: string;
  readonly fromAt: Date;
  readonly upTo: Date;
}

const readStatement = statement(
  'statement_read.read',
  `select from_at, up_to from statement_read where provider = $1 and provider_account = $2`,
);
const saveStatement = statement(
  'statement_read.save',
  `insert into statement_read (provider, provider_account, from_at, up_to) values ($1, $2, $3, $4)
   on conflict (provider, provider_account) do update set up_to = greatest(statement_read.up_to, excluded.up_to)`,
);
const listStatement = statement(
  'statement_read.list',
  `select provider, provider_account, from_at, up_to from statement_read order by provider, provider_account`,
);
const firstPaymentStatement = statement(
  'statement_read.first_payment',
  `select min(created_at) as first_at from payment where provider = $1 and provider_account = $2`,
);

/** Null before the first reading. */
export async function readStatementRead(tx: Tx, provider: string, account: string): Promise<StatementRead | null> {
  const [row] = await tx.query<{ from_at: Date; up_to: Date }>(readStatement, [provider, account]);
  return row ? { provider, account, fromAt: row.from_at, upTo: row.up_to } : null;
}

export async function saveStatementRead(tx: Tx, read: StatementRead): Promise<void> {
  await tx.query(saveStatement, [read.provider, read.account, read.fromAt, read.upTo]);
}

export async function listStatementReads(tx: Tx): Promise<StatementRead[]> {
  const rows = await tx.query<{ provider: string; provider_account: string; from_at: Date; up_to: Date }>(
    listStatement,
    [],
  );
  return rows.map((row) => ({
    provider: row.provider,
    account: row.provider_account,
    fromAt: row.from_at,
    upTo: row.up_to,
  }));
}

/** When the first payment through a provider account was made; null: none was. */
export async function firstPaymentAt(tx: Tx, provider: string, account: string): Promise<Date | null> {
  const [row] = await tx.query<{ first_at: Date | null }>(firstPaymentStatement, [provider, account]);
  return row?.first_at ?? null;
}

const sumsStatement = statement(
  'statement_read.sums',
  `select coalesce(sum(amount), 0)::int8 as moved, coalesce(sum(fee), 0)::int8 as fees, count(*) as lines
   from provider_movement where provider = $1 and provider_account = $2 and currency = 'USD'`,
);
const clearingStatement = statement(
  'statement_read.clearing',
  `select coalesce(sum(leg.amount), 0)::int8 as balance
   from system_account join batch_leg as leg on leg.account = system_account.id where code = $1 and currency = 'USD'`,
);

/** What the lines that were read come to, in US dollars. */
export async function sumStatement(
  tx: Tx,
  { provider, account }: StatementRead,
): Promise<{ readonly moved: Micros; readonly fees: Micros; readonly lines: bigint }> {
  const [row] = await tx.query<{ moved: bigint; fees: bigint; lines: bigint }>(sumsStatement, [provider, account]);
  return { moved: micros(row?.moved ?? 0n), fees: micros(row?.fees ?? 0n), lines: row?.lines ?? 0n };
}

/** The balance of a provider's clearing account: minus what our books say the provider holds for us. */
export async function clearingBalance(tx: Tx, provider: string): Promise<Micros> {
  const [row] = await tx.query<{ balance: bigint }>(clearingStatement, [`provider:${provider}:clearing`]);
  return micros(row?.balance ?? 0n);
}

/** Something that one side has and the other has not, or not as much of. */
export interface Unexplained {
  readonly side: 'statement' | 'books';
  /** The line's, or the payment event's. */
  readonly sid: string;
  readonly kind: string;
  readonly ref: string;
  /** Signed as it makes the statement differ from our books. */
  readonly difference: Micros;
  readonly at: Date;
  readonly reason: string | null;
}

const unexplainedStatement = statement(
  'statement_read.unexplained',
  // Our side: movements of our books that no line of the statement names, as far back as the statement was read. A dispute may have
  // several of both, in other steps: there the sums are compared, unless an operator has decided about one of its lines.
  `select * from (
     select 'statement' as side, sid, kind, movement_ref as ref, amount - booked as difference, moved_at as at, reason
     from provider_movement
     where provider = $1 and provider_account = $2 and state in ('new', 'unmatched') and currency = 'USD' and amount <> booked
     union all
     select 'books', event.sid, event.kind, event.external_ref, -event.amount, event.created_at, null
     from payment_event as event
     where event.provider = $1 and event.provider_account = $2 and event.created_at >= $3
       and event.kind not in ('dispute_opened', 'dispute_won', 'dispute_lost')
       and not exists (
         select from provider_movement as line
         where line.provider = $1 and line.provider_account = $2 and (
           (event.kind = 'top_up' and line.kind = 'payment' and line.payment_ref = event.external_ref)
           or (event.kind in ('refund', 'reversal') and line.kind = 'refund' and line.refund_ref = event.external_ref)
           or (event.kind = 'refund_returned' and line.kind = 'refund_returned' and line.refund_ref = event.external_ref)))
     union all
     select 'books', max(event.sid), event.kind, event.ref, (max(line.booked) - sum(event.amount))::int8, max(event.created_at), null
     from (
       select sid, kind, amount, created_at, split_part(external_ref, '#', 1) as ref from payment_event
       where provider = $1 and provider_account = $2 and created_at >= $3 and kind in ('dispute_opened', 'dispute_won')
     ) as event
     cross join lateral (
       select coalesce(sum(booked), 0) as booked, coalesce(bool_or(state = 'suspended'), false) as is_decided
       from provider_movement
       where provider = $1 and provider_account = $2 and dispute_ref = event.ref
         and kind = case event.kind when 'dispute_opened' then 'dispute' else 'dispute_returned' end
     ) as line
     where not line.is_decided
     group by event.kind, event.ref having max(line.booked) <> sum(event.amount)
   ) as item order by at, sid limit $4`,
);

interface UnexplainedRecord extends Record<string, unknown> {
  side: 'statement' | 'books';
  sid: string;
  kind: string;
  ref: string;
  difference: bigint;
  at: Date;
  reason: string | null;
}

/** What does not agree, oldest first. */
export async function listUnexplained(tx: Tx, read: StatementRead, limit: number): Promise<Unexplained[]> {
  const { provider, account, fromAt } = read;
  const rows = await tx.query<UnexplainedRecord>(unexplainedStatement, [provider, account, fromAt, limit]);
  return rows.map((row) => ({ ...row, difference: micros(row.difference) }));
}

import { FRACTIONS_PER_MICRO, POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** Entries whose charge was decided by a counter, with what they added to it. Looked for as text first: few entries have it. */
const COUNTED_ENTRIES = `
  select account / 16 as wallet, about::json ->> 'price' as counter, date_trunc('month', occurred_at, 'UTC') as period_start, seq,
         (about::json ->> 'quantity')::numeric * 1000000 as quantity, (about::json ->> 'parts')::numeric as parts,
         (about::json #>> '{volume,before}')::numeric * 1000000 as before, (about::json #>> '{volume,after}')::numeric * 1000000 as after
  from entry where kind = $1 and about like '%"volume":%' and about::jsonb ? 'volume'`;

/** What holds of charged usage: days, carries, volumes, corrections, and records that could not be billed. */
export const USAGE_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L14',
    promise: 'the usage by day of each wallet is the sum of its usage entries up to where they are folded',
    violations: statement(
      'ledger_check.usage_days',
      `select coalesce(days.wallet, charged.wallet) as wallet, days.charge as charge_of_days, charged.charge as charge_of_entries,
              days.records, charged.entries
       from (select wallet, sum(charge) as charge, sum(records) as records from usage_day group by wallet) as days
       full join (
         select fold.wallet, -sum(entry.amount) as charge,
                sum(case when entry.about::jsonb ? 'voids' then -1 when entry.about::jsonb ? 'corrects' then 0 else 1 end) as entries
         from usage_fold as fold join entry on entry.account = fold.wallet * 16 and entry.seq <= fold.seq and entry.kind = $1
         group by fold.wallet
       ) as charged on charged.wallet = days.wallet
       where days.charge is distinct from charged.charge or days.records is distinct from charged.entries limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.usage],
  },
  {
    id: 'L15',
    promise: 'what a wallet has paid for usage, with what it carries, is the exact sum of its charges',
    violations: statement(
      'ledger_check.carry',
      `select account.id as account, account.carry, -sum(entry.amount) as paid, sum((entry.about::json ->> 'parts')::numeric) as parts
       from account left join entry on entry.account = account.id and entry.kind = $1
       group by account.id
       having coalesce(-sum(entry.amount), 0) * $2::numeric + account.carry <> coalesce(sum((entry.about::json ->> 'parts')::numeric), 0)
       limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.usage, FRACTIONS_PER_MICRO.toString()],
  },
  {
    id: 'L16',
    promise: 'a counter of volume is the sum of its records, each of which begins where the one before it ended',
    violations: statement(
      'ledger_check.volume',
      `with counted as (${COUNTED_ENTRIES}), chain as (
         select counted.*, lag(after, 1, 0) over (partition by wallet, counter, period_start order by seq) as stood from counted
       )
       select coalesce(held.wallet, summed.wallet) as wallet, coalesce(held.counter, summed.counter) as counter,
              coalesce(held.period_start, summed.period_start) as period_start, held.quantity as counter_stands_at,
              summed.quantity as sum_of_records, null as seq
       from posting_volume as held
       full join (
         select wallet, counter, period_start, sum(quantity) as quantity from counted group by wallet, counter, period_start
       ) as summed on summed.wallet = held.wallet and summed.counter = held.counter and summed.period_start = held.period_start
       where coalesce(held.quantity, 0) <> coalesce(summed.quantity, 0)
       union all
       select wallet, counter, period_start, before, stood, seq from chain where before <> stood or after <> before + quantity
       limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.usage],
  },
  {
    id: 'L17',
    promise: 'what a wallet was charged for the volume of a month is what its price says of the whole volume',
    violations: statement(
      'ledger_check.volume_charge',
      // 9e12 parts to a pico-dollar; the amount of a tier is for a unit, its volume in millionths.
      `with counted as (${COUNTED_ENTRIES}), month as (
         select wallet, counter, period_start, sum(quantity) as quantity, sum(parts) as parts from counted
         group by wallet, counter, period_start
       ), tier as (
         select price.sid, tier.amount::numeric * (10000 + price.margin) / 10000 * 9000000 as parts, tier.up_to::numeric as up_to,
                coalesce(lag(tier.up_to::numeric) over (partition by price.sid order by tier.place), 0) as from_volume
         from price cross join rows from (jsonb_to_recordset(price.tiers) as (up_to text, amount text)) with ordinality
           as tier (up_to, amount, place)
       ), owed as (
         select month.*,
                case price.kind
                  when 'package' then div(month.quantity + price.package_size - 1, price.package_size)
                    * price.amount * (10000 + price.margin) / 10000 * 9000000000000
                  else (select sum(greatest(0, least(month.quantity, tier.up_to) - tier.from_volume) * tier.parts) from tier
                        where tier.sid = price.sid) end as parts_by_price
         from month left join price on price.sid = month.counter
       )
       select wallet, counter, period_start, quantity, parts, parts_by_price from owed where parts is distinct from parts_by_price
       limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.usage],
  },
  {
    id: 'L18',
    promise:
      'what corrects a charge names one of its own wallet, leaves it at what it says, and nothing corrects it once it was taken back',
    violations: statement(
      'ledger_check.corrections',
      `select account, seq, line, problem from (
         select entry.account, entry.seq, line.seq as line,
           case
             when charge.seq is null then 'names no charge'
             when lag(entry.about) over by_line like '%"voids":%' then 'after a void'
             when entry.about::json -> 'volume' is null and (charge.about::json ->> 'parts')::numeric
                  + sum((entry.about::json ->> 'parts')::numeric) over by_line <> coalesce((entry.about::json -> 'now' ->> 'parts')::numeric, 0)
               then 'does not leave what it says'
           end as problem
         from entry
         cross join lateral (select coalesce((entry.about::json ->> 'corrects')::int8, (entry.about::json ->> 'voids')::int8) as seq) as line
         left join entry as charge on charge.account = entry.account and charge.seq = line.seq and charge.kind = $1
           and strpos(charge.about, '"corrects":') = 0 and strpos(charge.about, '"voids":') = 0
         where entry.kind = $1 and (strpos(entry.about, '"corrects":') > 0 or strpos(entry.about, '"voids":') > 0)
         window by_line as (partition by entry.account, line.seq order by entry.seq)
       ) as correction where problem is not null limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.usage],
  },
  {
    id: 'L19',
    promise:
      'every unbilled record that was billed or replaced names the posting, or the record, that did it; no other has an outcome',
    violations: statement(
      'ledger_check.unbilled',
      `select unbilled.idem, unbilled.outcome, unbilled.by_idem from unbilled_outcome as unbilled
       left join declined_posting as declined on declined.idem = unbilled.idem and declined.kind = $1
       where declined.idem is null or (unbilled.by_idem is not null
         and not exists (select from entry where entry.idem = unbilled.by_idem and entry.account = declined.wallet * 16)
         and not exists (select from declined_posting as later where later.idem = unbilled.by_idem and later.wallet = declined.wallet))
       limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.usage],
  },
];

import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

const ROWS_MAX = 20;

/** What a payment's disputes must always add up to. */
export const DISPUTE_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L21',
    promise: 'what the open disputes of a wallet have set aside sums to the balance of its frozen account',
    violations: statement(
      'ledger_check.frozen',
      `select account.id / 16 as wallet, account.balance as frozen, coalesce(open.sum, 0) as open_disputes
       from account
       left join (select wallet, sum(frozen) as sum from dispute where state = 'open' group by wallet) as open on open.wallet = account.id / 16
       where account.id % 16 = 2 and account.balance <> coalesce(open.sum, 0) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L22',
    promise: 'each movement of a dispute at a provider has exactly one posting of the same amount in the same wallet',
    violations: statement(
      'ledger_check.dispute_events',
      // What is set aside and given back is an entry of the wallet; what is lost is one of its frozen account.
      `select coalesce(events.wallet, posted.wallet) as wallet, coalesce(events.kind, posted.kind) as kind,
              events.sum as sum_of_payment_events, posted.sum as sum_of_postings, events.count as payment_events, posted.count as postings
       from (
         select wallet, kind, sum(amount) as sum, count(*) as count from payment_event
         where kind in ('dispute_opened', 'dispute_won', 'dispute_lost') group by wallet, kind
       ) as events
       full join (
         select account / 16 as wallet, case kind when $1 then 'dispute_opened' when $2 then 'dispute_won' else 'dispute_lost' end as kind,
                sum(amount) as sum, count(*) as count
         from entry where kind in ($1, $2, $3) and account % 16 = case kind when $3 then 2 else 0 end group by 1, 2
       ) as posted on posted.wallet = events.wallet and posted.kind = events.kind
       where events.sum is distinct from posted.sum or events.count is distinct from posted.count limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.dispute_open, POSTING_KINDS.dispute_won, POSTING_KINDS.dispute_lost],
  },
  {
    id: 'L23',
    promise: 'a dispute holds what its movements at the provider have left with it, and has lost what they say',
    violations: statement(
      'ledger_check.disputes',
      `select dispute.sid as dispute, dispute.frozen, dispute.lost, moved.taken, moved.lost as lost_by_movements
       from dispute
       left join lateral (
         select -sum(amount) filter (where kind <> 'dispute_lost') as taken, -sum(amount) filter (where kind = 'dispute_lost') as lost
         from payment_event as event
         where event.payment_sid = dispute.payment_sid and event.kind in ('dispute_opened', 'dispute_won', 'dispute_lost')
           and (event.external_ref = dispute.dispute_ref or starts_with(event.external_ref, dispute.dispute_ref || '#'))
       ) as moved on true
       where dispute.frozen + dispute.lost <> coalesce(moved.taken, 0) or dispute.lost <> coalesce(moved.lost, 0) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L24',
    promise: 'refunds and disputes of a payment together have taken at most what was received',
    violations: statement(
      'ledger_check.taken_of_payments',
      `select dispute.payment_sid as payment, dispute.taken as taken_by_disputes, event.left_by_refunds
       from (select payment_sid, sum(frozen + lost) as taken from dispute group by payment_sid) as dispute
       cross join lateral (
         select sum(amount) as left_by_refunds from payment_event
         where payment_event.payment_sid = dispute.payment_sid and kind in ('top_up', 'refund', 'refund_returned', 'reversal')
       ) as event
       where dispute.taken > 0 and dispute.taken > coalesce(event.left_by_refunds, 0) limit ${ROWS_MAX}`,
    ),
  },
];

import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** The promises about wallets that people share. */
export const ORGANISATION_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L28',
    promise:
      "what is counted against a member's cap in a month is what their postings took out of the organisation's wallet, less what came back",
    violations: statement(
      'ledger_check.member_spending',
      // Both the debits and the holds of a member say whose they are and in which month they count.
      `with spent as (
         select -membership.id as owner, about.month as window_start, -sum(entry.amount) as spent
         from wallet
         join app_user on app_user.sid = wallet.user_sid and app_user.kind = 'organisation'
         join entry on entry.account = wallet.id * 16 and strpos(entry.about, '"member_sid":') > 0
         cross join lateral (
           select entry.about::json ->> 'member_sid' as user_sid, (entry.about::json ->> 'member_month' || '-01T00:00:00Z')::timestamptz as month
         ) as about
         left join membership on membership.organisation_sid = wallet.user_sid and membership.user_sid = about.user_sid
         group by membership.id, about.month
       )
       select coalesce(budget.owner, spent.owner) as owner, coalesce(budget.window_start, spent.window_start) as month,
              budget.spent as counted, spent.spent as posted
       from (select * from posting_budget where owner < 0) as budget
       full join spent on spent.owner = budget.owner and spent.window_start = budget.window_start
       where coalesce(budget.spent, 0) <> coalesce(spent.spent, 0) limit ${ROWS_MAX}`,
    ),
  },
];

import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

const GRANT = POSTING_KINDS.grant;
const EXPIRE = POSTING_KINDS.grant_expire;
const REVOKE = POSTING_KINDS.grant_revoke;
const USE = POSTING_KINDS.grant_use;
const RETURN = POSTING_KINDS.grant_return;

/** Each grant with what its account's entries say of it: from its first one to the one before the next grant of the same place. */
const GRANTS_AND_ENTRIES = `
  select place.sid, place.account, place.amount, place.taken_back, place.state, place.closed_at,
         coalesce(sum(entry.amount), 0) as remaining,
         coalesce(sum(entry.amount) filter (where entry.kind = ${GRANT}), 0) as given,
         coalesce(-sum(entry.amount) filter (where entry.kind in (${EXPIRE}, ${REVOKE})), 0) as taken,
         min(entry.balance_after) as lowest
  from (
    select *, lead(from_seq) over (partition by account order by from_seq) as until_seq from grant_credit
  ) as place
  left join entry on entry.account = place.account and entry.seq >= place.from_seq
    and entry.seq < coalesce(place.until_seq, 9223372036854775807)
  group by place.sid, place.account, place.amount, place.taken_back, place.state, place.closed_at`;

/** The promises about credit that was given. */
export const GRANT_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L31',
    promise:
      "a grant's account has what was given, less what was used and taken back; it is never below zero, and empty once the grant is closed",
    violations: statement(
      'ledger_check.grants',
      `select sid as grant_sid, account, amount, given, taken_back, taken, remaining, state from (${GRANTS_AND_ENTRIES}) as told
       where given <> amount or taken <> taken_back or lowest < 0 or (closed_at is not null and remaining <> 0)
       union all
       select null, account.id, null, null, null, null, account.balance, null from account
       where account.id % 16 > 2 and account.seq > 0
         and not exists (select from grant_credit where grant_credit.account = account.id and from_seq = 1)
       limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L34',
    promise: "a wallet's row names exactly the places of its open grants",
    violations: statement(
      'ledger_check.given_slots',
      `select account.id as account, account.given_slots, coalesce(open.slots, 0) as open_grants from account
       left join (
         select wallet, sum(1 << (account % 16 - 3)::int4) as slots from grant_credit where closed_at is null and state = 'open' group by wallet
       ) as open on account.id = open.wallet * 16
       where account.given_slots <> coalesce(open.slots, 0) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L35',
    promise:
      'what a use takes of grants comes to their wallet, and what returns to them comes from it: each sums to zero within one wallet',
    violations: statement(
      'ledger_check.grant_uses',
      `select left(idem::text, 35) || '0' as idem, sum(amount) as sum, count(distinct account / 16) as wallets from entry
       where kind in (${USE}, ${RETURN}) group by left(idem::text, 35)
       having sum(amount) <> 0 or count(distinct account / 16) <> 1 limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L36',
    promise: 'what was given and not taken back is what the house has given, for each kind',
    violations: statement(
      'ledger_check.promo',
      `select coalesce(posted.code, told.code) as code, posted.sum as posted, told.sum as told
       from (
         select code, sum(amount) as sum from batch_leg join system_account on id = account where code like 'promo:%' group by code
       ) as posted
       full join (select 'promo:' || kind as code, sum(taken_back - amount) as sum from grant_credit group by kind) as told on told.code = posted.code
       where coalesce(posted.sum, 0) <> coalesce(told.sum, 0) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L37',
    promise:
      'what an open hold has set aside of grants is of grants of its wallet that keep their places for it, and not more than the hold',
    violations: statement(
      'ledger_check.held_grants',
      `select hold.sid as hold, hold.amount, sum(source.amount) as given, count(grant_credit.sid) as grants from hold
       cross join lateral unnest(hold.given_accounts, hold.given_amounts) as source (account, amount)
       left join grant_credit on grant_credit.account = source.account and grant_credit.wallet = hold.wallet and grant_credit.closed_at is null
       where hold.state = 'open' and hold.given_accounts <> '{}'
       group by hold.sid
       having sum(source.amount) > hold.amount or min(source.amount) <= 0
         or (count(grant_credit.sid) <> count(*) and hold.drawn = 0) limit ${ROWS_MAX}`,
    ),
  },
];

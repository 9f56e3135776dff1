import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** The promises about money that went back. */
export const REFUND_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L25',
    promise: 'no payment at a provider has given back more than it was credited with',
    violations: statement(
      'ledger_check.refunds_of_payment',
      `select away.payment_sid as payment, away.payment_ref, away.sum as given_back, credit.amount as credited
       from (
         select payment_sid, provider, provider_account, payment_ref, sum(posted) as sum from refund
         where state in ('pending', 'succeeded') group by payment_sid, provider, provider_account, payment_ref
       ) as away
       left join payment_event as credit on credit.kind = 'top_up' and credit.provider = away.provider
         and credit.provider_account = away.provider_account and credit.external_ref = away.payment_ref
       where away.sum > coalesce(credit.amount, 0) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L26',
    promise:
      'every refund has the payment events that its state says, and no payment event of a refund is without its refund',
    violations: statement(
      'ledger_check.refund_events',
      `with event as (
         select provider, provider_account, external_ref, sum(-amount) filter (where kind in ('refund', 'reversal')) as gone,
                sum(amount) filter (where kind = 'refund_returned') as back
         from payment_event where kind in ('refund', 'reversal', 'refund_returned') group by provider, provider_account, external_ref
       )
       select refund.sid as refund, refund.state, refund.posted, event.external_ref, event.gone, event.back
       from refund
       full join event on event.provider = refund.provider and event.provider_account = refund.provider_account
         and event.external_ref = refund.refund_ref
       where refund.posted is distinct from event.gone
         or (case when refund.state = 'returned' then refund.posted end) is distinct from event.back
       limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L27',
    promise: 'the postings of refunds in a wallet sum to its payment events of refunds',
    violations: statement(
      'ledger_check.refund_postings',
      `select coalesce(posted.wallet, told.wallet) as wallet, posted.sum as sum_of_postings, told.sum as sum_of_payment_events
       from (select account / 16 as wallet, sum(amount) as sum from entry where kind in ($1, $2, $3, $4) group by account / 16) as posted
       full join (
         select wallet, sum(amount) as sum from payment_event where kind in ('refund', 'reversal', 'refund_returned') group by wallet
       ) as told on told.wallet = posted.wallet
       where coalesce(posted.sum, 0) <> coalesce(told.sum, 0) limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.refund_reserve, POSTING_KINDS.refund, POSTING_KINDS.refund_return, POSTING_KINDS.reversal],
  },
];

import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** The promises about what outages give back. */
export const OUTAGE_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L60',
    promise:
      'what an outage gave back for a VM has one posting of its wallet and amount, and each such posting its outage',
    violations: statement(
      'ledger_check.outage_credits',
      `with posted as (
         select entry.idem, entry.account / 16 as wallet, entry.amount from entry
         where entry.kind = $1 and strpos(entry.about, '"outage_sid":') > 0
       )
       select credit.outage, credit.allocation, credit.amount, posted.idem, posted.wallet, posted.amount as posted
       from posted full join outage_credit as credit on credit.idem = posted.idem and credit.wallet = posted.wallet
       where credit.amount is distinct from posted.amount limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.plan_return],
  },
  {
    id: 'L61',
    promise: 'an outage has given back what its VMs were given back',
    violations: statement(
      'ledger_check.outages',
      `select outage.sid, outage.vms, outage.returned, count(credit.outage) as credits, coalesce(sum(credit.amount), 0) as sum
       from outage left join outage_credit as credit on credit.outage = outage.sid group by outage.sid
       having outage.returned <> coalesce(sum(credit.amount), 0) or outage.vms <> count(credit.outage) limit ${ROWS_MAX}`,
    ),
  },
];

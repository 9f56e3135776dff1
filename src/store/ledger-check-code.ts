import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** The promises about what codes and the bonus of a first top-up have given. */
export const CODE_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L40',
    promise:
      'the uses of each code are numbered 1…n and are as many as it counts, none is above its limits for a person or a wallet, and each has a grant of its amount',
    violations: statement(
      'ledger_check.code_uses',
      `select code.sid as code, null::int4 as number, 'the count' as problem from code left join code_use on code_use.code = code.sid
       group by code.sid having count(code_use.number) <> code.uses or coalesce(max(code_use.number), 0) <> code.uses
       union all
       select code_use.code, null, 'a person' from code_use join code on code.sid = code_use.code
       group by code_use.code, code.uses_per_user_max, code_use.user_sid having count(*) > code.uses_per_user_max
       union all
       select code_use.code, null, 'a wallet' from code_use join code on code.sid = code_use.code
       group by code_use.code, code.uses_per_user_max, code_use.wallet having count(*) > code.uses_per_user_max
       union all
       select code_use.code, code_use.number, 'the grant' from code_use left join grant_credit on grant_credit.sid = code_use.grant_sid
       where (grant_credit.wallet, grant_credit.amount, grant_credit.kind) is distinct from (code_use.wallet, code_use.amount, 'promo')
       limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L41',
    promise:
      'each bonus is of a payment that was credited to the wallet of its person, has a grant, and stands exactly while nothing of the payment is away, on its way out or disputed',
    violations: statement(
      'ledger_check.bonuses',
      `select bonus.user_sid, bonus.payment_sid, bonus.is_standing from bonus
       join payment on payment.sid = bonus.payment_sid
       join wallet on wallet.id = bonus.wallet
       left join grant_credit on grant_credit.sid = bonus.grant_sid
       where payment.state <> 'credited' or payment.wallet <> bonus.wallet or wallet.user_sid <> bonus.user_sid
          or (grant_credit.wallet, grant_credit.kind) is distinct from (bonus.wallet, 'bonus') or grant_credit.amount > bonus.amount
          or bonus.is_standing = (
            exists (select from refund where refund.payment_sid = bonus.payment_sid
                      and refund.state in ('awaiting_approval', 'requested', 'unknown', 'pending', 'succeeded'))
            or exists (select from dispute where dispute.payment_sid = bonus.payment_sid and dispute.state in ('open', 'lost')))
       limit ${ROWS_MAX}`,
    ),
  },
];

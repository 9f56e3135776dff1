import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** The promises about how wallets stand. */
export const STANDING_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L62',
    promise:
      'the moves of each wallet are numbered 1…n, each begins where the one before ended, and the last one is how it stands',
    violations: statement(
      'ledger_check.standing_moves',
      `select wallet, number, from_state, to_state, state, moves
       from (
         select move.wallet, move.number, move.from_state, move.to_state, standing.state, standing.moves,
                lag(move.number) over each_wallet as number_before, lag(move.to_state) over each_wallet as state_before,
                lead(move.number) over each_wallet is null as is_last
         from standing_move as move left join wallet_standing as standing on standing.wallet = move.wallet
         window each_wallet as (partition by move.wallet order by move.number)
       ) as chain
       where number <> coalesce(number_before, 0) + 1 or from_state <> coalesce(state_before, from_state)
          or state is null or (is_last and (to_state <> state or number <> moves))
       union all
       select wallet, moves, null, null, state, moves from wallet_standing
       where moves > 0 and not exists (select from standing_move as move where move.wallet = wallet_standing.wallet)
       limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L63',
    promise:
      'no wallet is suspended but out of its grace, unless an operator had frozen it, and none is released that was not suspended',
    violations: statement(
      'ledger_check.standing_order',
      `select wallet, number, from_state, to_state, reason, at from standing_move
       where (to_state = 'suspended' and from_state <> 'empty' and reason <> 'operator') or (to_state = 'released' and from_state <> 'suspended')
       limit ${ROWS_MAX}`,
    ),
  },
];

import type { Mutant } from './mutant.ts';

/** Bugs of postings, balances and answers. */
export const LEDGER_MUTANTS: readonly Mutant[] = [
  {
    name: 'check_then_debit',
    lesson: 'The balance is checked before the lock: two debits that both saw enough overdraw together.',
    patches: [
      {
        file: 'src/operations/billing/debit.ts',
        find: "import { findPostingParties } from '../../store/wallet.ts';",
        replace: "import { findPostingParties, readWalletBySid } from '../../store/wallet.ts';",
      },
      {
        file: 'src/operations/billing/debit.ts',
        find: '    const revenue = parties.contra',
        replace: '    const seen = await readWalletBySid(house.db, input.sid);\n    const revenue = parties.contra',
      },
      {
        file: 'src/operations/billing/debit.ts',
        find: '      mayOverdraw: false,\n',
        replace: '      mayOverdraw: (seen?.balance ?? 0n) >= amount,\n',
      },
    ],
  },
  {
    name: 'floor_check_off',
    lesson: 'Nobody asks whether there is enough, and the database is told that it may be so.',
    patches: [
      {
        file: 'src/domain/ledger/decide.ts',
        find: 'balance + this.#usableOf(record, id) < account.creditFloor - (record.owedMax ?? 0n)',
        replace: 'balance < account.creditFloor - 100_000_000n',
      },
      {
        file: 'src/store/ledger.ts',
        find: 'case when t.overdraws then t.balance else greatest(floor, t.balance) end',
        replace: 't.balance',
      },
    ],
  },
  {
    name: 'debit_key_of_the_attempt',
    lesson: 'Each attempt of a debit is a new posting: a repetition after a lost answer charges twice.',
    patches: [
      {
        file: 'src/operations/billing/debit.ts',
        find: '      idem: call.idem,\n',
        replace: '      idem: `${call.idem.slice(0, -12)}${now.getTime().toString(16).padStart(11, "0")}0`,\n',
      },
    ],
  },
  {
    name: 'declined_forgotten',
    lesson: 'A refused key is not stored: the same key succeeds after a top-up, although its caller was told no.',
    patches: [
      {
        file: 'src/store/ledger.ts',
        find: 'if (decision.declined.length > 0) await writeDeclined',
        replace: 'if (decision.declined.length > 1_000_000) await writeDeclined',
      },
    ],
  },
  {
    name: 'outage_told_as_refusal',
    lesson: 'A commit whose fate is unknown is told as "not enough": the caller gives up, and the money is gone.',
    patches: [
      {
        file: 'src/store/posting-lanes.ts',
        find: '      for (const { call } of batch) call.reject(error);\n',
        replace:
          "      for (const { call } of batch) call.resolve(call.outcomes.map(() => ({ kind: 'declined', code: 'insufficient_balance', about: null })));\n",
      },
    ],
  },
  {
    name: 'lost_commit_told_as_done',
    lesson: 'The connection died at the commit, and that is taken for success.',
    patches: [
      {
        file: 'src/store/transaction.ts',
        find: "const answer = await this.#connection.run({ text: 'commit' });",
        replace:
          "const answer = await this.#connection.run({ text: 'commit' }).catch(() => ({ rows: [], command: 'COMMIT' }));",
      },
    ],
  },
  {
    name: 'reused_key_answers_the_first',
    lesson: 'The same key with another body gets the first answer: a caller believes that the second request happened.',
    patches: [
      {
        file: 'src/operations/execute.ts',
        find: 'if (answered.answer.fingerprint === fingerprint) return',
        replace: 'if (answered.answer.fingerprint !== "") return',
      },
    ],
  },
  {
    name: 'reused_key_of_a_debit_is_accepted',
    lesson: 'As before, in the ledger: the fingerprint of a posting is not compared.',
    patches: [
      {
        file: 'src/domain/ledger/decide.ts',
        find: 'return prior.fingerprint === record.fingerprint\n',
        replace: 'return prior.fingerprint !== ""\n',
      },
    ],
  },
  {
    name: 'answers_are_forgotten',
    lesson: 'First answers are written and never looked up: a repetition runs again.',
    patches: [
      {
        file: 'src/store/idempotency.ts',
        find: '  return row ?? null;\n',
        replace: '  return row && row.body === "" ? row : null;\n',
      },
      {
        file: 'src/store/idempotency.ts',
        find: 'values ($1, $2, $3, $4, $5, $6)`',
        replace: 'values ($1, $2, $3, $4, $5, $6) on conflict do nothing`',
      },
    ],
  },
  {
    name: 'adjustment_from_an_early_balance',
    lesson: 'The difference is taken from a balance that was read before the lock: what came between is paid twice.',
    patches: [
      {
        file: 'src/operations/billing/adjust.ts',
        find: '    const answer = await call.commit(async (tx) => {\n',
        replace:
          '    const early = await planAdjustment(call.house.db, request, "look");\n    const answer = await call.commit(async (tx) => {\n',
      },
      {
        file: 'src/operations/billing/adjust.ts',
        find: 'const adjusted = await adjustBalance(tx, call, request);',
        replace: 'const adjusted = await adjustBalance(tx, call, request, "kind" in early ? undefined : early.before);',
      },
      {
        file: 'src/operations/billing/adjust-balance.ts',
        find: 'export async function adjustBalance(tx: Tx, call: Call, request: AdjustRequest): Promise<Adjustment | Refusal> {',
        replace:
          'export async function adjustBalance(tx: Tx, call: Call, request: AdjustRequest, early?: Micros): Promise<Adjustment | Refusal> {',
      },
      {
        file: 'src/operations/billing/adjust-balance.ts',
        find: '  const { before, after, wallet } = planned;\n',
        replace:
          '  const before = early ?? planned.before;\n  const { after, wallet } = planned;\n  Object.assign(planned, { before });\n',
      },
    ],
  },
  {
    name: 'adjustment_without_audit',
    lesson: 'Somebody set a balance, and nobody can say who.',
    patches: [
      {
        file: 'src/operations/billing/adjust-balance.ts',
        find: '  await recordAudit(tx, call, {',
        replace: '  if (after > before) await recordAudit(tx, call, {',
      },
    ],
  },
  {
    name: 'balance_cached_in_each_process',
    lesson: 'A process shows the balance that it remembers: what another one posted is not there.',
    patches: [
      {
        file: 'src/operations/billing/get.ts',
        find: '    const wallet = await visibleWallet(call.house.db, call.actor, input.sid);\n',
        replace: `    const at = call.house.ports.clock.monotonicMs();
    const kept = remembered.get(call.house)?.get(call.actor.id + input.sid);
    const isFresh = kept !== undefined && at - kept.at < 5_000;
    const wallet = isFresh ? kept.wallet : await visibleWallet(call.house.db, call.actor, input.sid);
    if (!isFresh && !('kind' in wallet)) remembered.set(call.house, (remembered.get(call.house) ?? new Map()).set(call.actor.id + input.sid, { at, wallet }));
`,
      },
      {
        file: 'src/operations/billing/get.ts',
        find: 'export const billingGet =',
        replace: 'const remembered = new WeakMap();\nexport const billingGet =',
      },
    ],
  },
  {
    name: 'cents_rounded_up',
    lesson: 'A balance shows a cent that is not there.',
    patches: [
      {
        file: 'src/domain/money.ts',
        find: 'amount < 0n && amount % MICROS_PER_CENT !== 0n ? quotient - 1n : quotient',
        replace: 'amount > 0n && amount % MICROS_PER_CENT !== 0n ? quotient + 1n : quotient',
      },
    ],
  },
  {
    name: 'frozen_wallet_pays',
    lesson: 'The freeze is stored, shown, and not looked at.',
    patches: [
      {
        file: 'src/domain/ledger/decide.ts',
        find: '!record.passesFreeze && this.#known',
        replace: "!record.passesFreeze && record.kind !== 'debit' && this.#known",
      },
    ],
  },
  {
    name: 'hold_captured_twice',
    lesson: 'A second capture takes what other holds have set aside.',
    patches: [
      {
        file: 'src/domain/hold/decide.ts',
        find: "if (hold.state !== 'open' && hold.state !== 'expired') return",
        replace: "if (hold.state === 'released') return",
      },
    ],
  },
  {
    name: 'capture_above_the_hold',
    lesson: 'More is taken than was set aside.',
    patches: [
      {
        file: 'src/domain/hold/decide.ts',
        find: '  if (amount > hold.amount) {\n',
        replace: '  if (amount > hold.amount * 2n) {\n',
      },
      {
        file: 'src/domain/hold/decide.ts',
        find: 'amount: micros(-hold.amount) },\n    { account: revenue, amount },',
        replace: 'amount: micros(amount > hold.amount ? -amount : -hold.amount) },\n    { account: revenue, amount },',
      },
    ],
  },
  {
    name: 'hold_expires_without_a_look',
    lesson:
      'The job that returns holds looks at the time and not at the state: a hold that was captured is returned too.',
    patches: [
      {
        file: 'src/operations/hold/expire.ts',
        find: "if (hold?.state !== 'open' || hold.expiresAt > ports.clock.now()) return false;",
        replace: "if (!hold || hold.state === 'expired' || hold.state === 'released') return false;",
      },
      {
        file: 'src/store/hold.ts',
        find: "where state = 'open' and expires_at <= $1",
        replace: "where state in ('open', 'captured') and expires_at <= $1",
      },
    ],
  },
  {
    name: 'hold_never_expires',
    lesson: 'Money lies in holds that nobody will ever capture.',
    patches: [
      {
        file: 'src/operations/hold/expire.ts',
        find: '  for (const sid of due) {\n',
        replace: '  for (const sid of due.slice(0, 0)) {\n',
      },
    ],
  },
  {
    name: 'capture_of_an_expired_hold_from_the_reserved',
    lesson: 'The hold is gone, and its money is taken again from what others have reserved.',
    patches: [
      {
        file: 'src/domain/hold/decide.ts',
        find: "  if (hold.state === 'expired') {\n",
        replace: "  if (hold.state === 'expired' && hold.amount < 0n) {\n",
      },
    ],
  },
  {
    name: 'statement_skips_a_line',
    lesson: 'The first line of each further page is lost.',
    patches: [
      {
        file: 'src/store/wallet.ts',
        find: '($2::int8 is null or seq < $2)',
        replace: '($2::int8 is null or seq < $2 - 1)',
      },
    ],
  },
  {
    name: 'lifetime_paid_counts_adjustments',
    lesson: 'A present by an operator counts as a payment.',
    patches: [
      {
        file: 'src/store/wallet.ts',
        find: 'coalesce(paid.total, 0)::int8 as lifetime_paid',
        replace:
          '(coalesce(paid.total, 0) + coalesce((select sum(amount) from entry where account = main.id and kind = 2 and amount > 0), 0))::int8 as lifetime_paid',
      },
    ],
  },
  {
    name: 'everybody_sees_everything',
    lesson: 'The sid is the only secret: whoever knows it reads another one’s wallet.',
    patches: [
      {
        file: 'src/operations/visible.ts',
        find: "(actor.kind === 'user' && (actor.userSid === ownerSid ||",
        replace: "(actor.kind === 'user' && (ownerSid !== '' ||",
      },
    ],
  },
  {
    name: 'nobody_may_do_everything',
    lesson: 'Calls without a credential pass.',
    patches: [
      {
        file: 'src/operations/admission.ts',
        find: "if (actor.kind === 'anonymous') return",
        replace: "if (actor.kind === 'anonymous' && operation.access === 'user') return",
      },
    ],
  },
];

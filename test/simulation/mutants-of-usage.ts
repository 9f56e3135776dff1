import type { Mutant } from './mutant.ts';

/** Bugs of metering, pricing and what nodes may do. */
export const USAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'carry_is_forgotten',
    lesson: 'What is less than a micro-dollar is dropped at each commit: many small records cost too little.',
    patches: [
      {
        file: 'src/store/ledger.ts',
        find: 'set balance = t.balance, seq = t.seq, carry = t.carry,',
        replace: 'set balance = t.balance, seq = t.seq, carry = 0,',
      },
    ],
  },
  {
    name: 'each_record_is_rounded_up',
    lesson: 'Each record is rounded by itself, upwards: a million small ones cost many times too much.',
    patches: [
      {
        file: 'src/domain/usage/charge.ts',
        find: '  const whole = wholeOf(parts);\n',
        replace:
          '  const whole = wholeOf(parts) + (parts % FRACTIONS_PER_MICRO === 0n ? 0n : 1n);\n  parts = whole * FRACTIONS_PER_MICRO;\n',
      },
    ],
  },
  {
    name: 'usage_key_of_the_moment',
    lesson: 'A record that is told again is another one: what was not answered is charged twice.',
    patches: [
      {
        file: 'src/operations/usage/charge-records.ts',
        find: 'idem: usageIdem(house.node.sid, input.idempotency_key),',
        replace: 'idem: usageIdem(house.node.sid, `${input.idempotency_key} ${house.budget.windowStart.getTime()}`),',
      },
    ],
  },
  {
    name: 'usage_is_owed_without_limit',
    lesson: 'Delivered usage takes a wallet below zero as far as it likes: whoever pays nothing is lent everything.',
    patches: [
      {
        file: 'src/operations/usage/charge-records.ts',
        find: 'owedMax: micros(house.owedMax),',
        replace: 'owedMax: micros(house.owedMax * 1_000n),',
      },
    ],
  },
  {
    name: 'frozen_usage_is_lost',
    lesson: 'A frozen wallet refuses usage like a purchase: what was delivered is charged to nobody.',
    patches: [
      {
        file: 'src/operations/usage/charge-records.ts',
        find: '    passesFreeze: true,\n    budget',
        replace: '    passesFreeze: false,\n    budget',
      },
    ],
  },
  {
    name: 'hours_are_not_spent',
    lesson: 'The limit of an hour is looked at and never counted: a stolen key may charge without end.',
    patches: [{ file: 'src/store/ledger.ts', find: '  await writeSpendings(tx, decision);\n', replace: '' }],
  },
  {
    name: 'cost_goes_to_revenue',
    lesson: 'What is passed through is booked as our own: the books show a profit that belongs to the provider.',
    patches: [
      {
        file: 'src/domain/usage/charge.ts',
        find: 'const owed = payable === null ? 0n : cost;',
        replace: 'const owed = payable === null ? 0n : cost / 2n;',
      },
    ],
  },
  {
    name: 'rung_by_when_it_came',
    lesson: 'The discount is taken from when a record came, not from when it was used: late records are too cheap.',
    patches: [
      {
        file: 'src/operations/usage/charge-records.ts',
        find: 'const multiplier = multiplierAt(ladder, streak, occurredAt);',
        replace: 'const multiplier = multiplierAt(ladder, streak, this.#now);',
      },
    ],
  },
  {
    name: 'prices_are_kept_for_ever',
    lesson: 'A server goes on with the prices that it has read, whatever was added since.',
    patches: [
      {
        file: 'src/operations/usage/rule-book.ts',
        find: 'if (edition > this.#edition || ',
        replace: 'if (',
      },
    ],
  },
  {
    name: 'no_floor_at_cost',
    lesson: 'The ladder sells below what the provider charges: each call loses money.',
    patches: [
      {
        file: 'src/operations/usage/charge-records.ts',
        find: 'isFloorAtCost: ladder.isFloorAtCost } };',
        replace: 'isFloorAtCost: false } };',
      },
    ],
  },
  {
    name: 'any_node_for_any_user',
    lesson: 'A node of one customer may charge another.',
    patches: [
      {
        file: 'src/operations/usage/charge-records.ts',
        find: 'if (node.userSids?.includes(input.user_sid) === false)',
        replace: 'if (node.userSids?.length === 0)',
      },
    ],
  },
];

import type { Mutant } from './mutant.ts';

/** Bugs of plans, which take weeks to show: for the simulated years (`npm run simulate:years -- --mutant <name>`). */
export const PLAN_MUTANTS: readonly Mutant[] = [
  {
    name: 'anchor_is_lost',
    lesson:
      'Each period is counted from the one before: what was bought on the 31st is for ever on the 28th after a February.',
    patches: [
      {
        file: 'src/domain/plan/renew.ts',
        find: 'const isAnchored = isSameLength(plan.period, standing.plan.period);',
        replace: 'const isAnchored = false;',
      },
    ],
  },
  {
    name: 'renewed_from_today',
    lesson:
      'A late renewal begins when it is late: the days in between are given away, and every later period moves with them.',
    patches: [
      {
        file: 'src/operations/subscription/settle-due.ts',
        find: 'const next = nextPeriodOf(row, versions, { now, isMissedCharged });',
        replace: 'const next = nextPeriodOf({ ...row, periodEndsAt: now }, versions, { now, isMissedCharged });',
      },
    ],
  },
  {
    name: 'price_of_the_day_of_buying',
    lesson: 'A new price never reaches whoever has the plan already.',
    patches: [
      {
        file: 'src/domain/plan/renew.ts',
        find: 'const plan = planToRenew(versions, standing.nextPlanCode ?? standing.planCode, startsAt);',
        replace: 'const plan = planToRenew(versions, standing.nextPlanCode ?? standing.planCode, standing.anchorAt);',
      },
    ],
  },
  {
    name: 'withdrawn_is_sold',
    lesson: 'What is sold no more is sold: the end of selling is only shown.',
    patches: [
      {
        file: 'src/domain/plan/plan.ts',
        find: 'return newest?.isForSale === true ? newest : null;',
        replace: 'return newest;',
      },
    ],
  },
  {
    name: 'cancelled_renews',
    lesson: 'A plan that was cancelled renews once more: the most disputed charge there is.',
    patches: [
      {
        file: 'src/domain/plan/renew.ts',
        find: "if (!standing.isRenewing) return { kind: 'end' };",
        replace: "if (!standing.isRenewing && standing.periodNumber > 0) return { kind: 'end' };",
      },
    ],
  },
  {
    name: 'rounded_for_the_house',
    lesson: 'What is left of a period is charged rounded up: a micro-dollar that nobody owes.',
    patches: [
      {
        file: 'src/domain/plan/change.ts',
        find: "shareOf(plan.price, part, 'down')",
        replace: "shareOf(plan.price, part, 'up')",
      },
    ],
  },
  {
    name: 'missed_periods_are_charged',
    lesson: 'Who comes back after weeks pays for periods in which nothing ran.',
    patches: [
      {
        file: 'src/domain/plan/renew.ts',
        find: "(state !== 'past_due' || vmsRunning > 0)",
        replace: "(state !== 'ended' || vmsRunning > 0)",
      },
    ],
  },
  {
    name: 'downgrade_is_forgotten',
    lesson: 'The smaller plan that somebody chose for the next period never comes: they pay for the larger one.',
    patches: [
      {
        file: 'src/domain/plan/renew.ts',
        find: 'standing.nextPlanCode ?? standing.planCode, startsAt',
        replace: 'standing.planCode, startsAt',
      },
    ],
  },
  {
    name: 'taken_back_and_still_due',
    lesson:
      'A change that was taken back while a period was due leaves the dearer price due: with enough for their plan people stay without it.',
    patches: [
      {
        file: 'src/operations/subscription/change.ts',
        find: '  await catchUp(tx, call.house, kept);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'due_price_never_falls',
    lesson: 'What is due keeps its first price when its period is over and the next one costs less.',
    patches: [
      {
        file: 'src/operations/subscription/renew.ts',
        find: '[...(await claimDue(tx, due)), ...(await claimDueLooks(tx, due))]',
        replace: 'await claimDue(tx, due)',
      },
    ],
  },
];

import type { Mutant } from './mutant.ts';

/** Bugs of what puts charges right, and of prices that look at more than one record. */
export const CORRECTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'correction_of_what_was_charged',
    lesson:
      'A correction counts from the first charge, not from what stands: the second one moves the money of the first again.',
    patches: [
      {
        file: 'src/operations/usage/correct-lines.ts',
        find: '? differenceOf(line, line.now, target, known.accounts, facts)',
        replace: '? differenceOf(line, line.about, target, known.accounts, facts)',
      },
    ],
  },
  {
    name: 'true_up_comes_on_top',
    lesson: 'The real figure is charged as well as the estimate.',
    patches: [
      {
        file: 'src/operations/usage/true-up.ts',
        find: '...differenceOf(line, line.now, target.about, accounts, facts),',
        replace: "...differenceOf(line, { ...line.now, parts: '0' }, target.about, accounts, facts),",
      },
    ],
  },
  {
    name: 'repriced_at_the_price_of_today',
    lesson: 'Lines are charged anew at the price that counts now, not at the one of their day.',
    patches: [
      {
        file: 'src/operations/usage/price-again.ts',
        find: 'const price = priceFor(prices, { category, resourceKind, occurredAt });',
        replace: 'const price = priceFor(prices, { category, resourceKind, occurredAt: new Date(8_000_000_000_000) });',
      },
    ],
  },
  {
    name: 'bulk_leaves_the_first_out',
    lesson: 'A step begins behind its page instead of behind the one before: a line of each is never corrected.',
    patches: [
      {
        file: 'src/operations/correction/run.ts',
        find: 'correctLines(house, tx, page, correcting,',
        replace: 'correctLines(house, tx, page.slice(1), correcting,',
      },
    ],
  },
  {
    name: 'late_use_moves_no_rung',
    lesson:
      'Lines that stand on a wrong rung are found and left there: what a day costs depends on the order of arrival.',
    patches: [
      {
        file: 'src/operations/ladder/recompute.ts',
        find: 'if (found.length === 0) return { lines: 0, moved: 0n };',
        replace: 'if (found.length >= 0) return { lines: 0, moved: 0n };',
      },
    ],
  },
  {
    name: 'all_at_the_last_tier',
    lesson:
      'A tier is taken for the price of the whole volume: what was cheap before becomes dear with the next record.',
    patches: [
      {
        file: 'src/domain/ledger/volume.ts',
        find: 'parts += (until - from) * tier.parts;',
        replace: 'parts = until * tier.parts;',
      },
    ],
  },
  {
    name: 'packages_by_the_piece',
    lesson: 'A package that was begun is paid by what was used of it.',
    patches: [
      {
        file: 'src/domain/ledger/volume.ts',
        find: 'return ((quantity + rate.size - 1n) / rate.size) * rate.parts;',
        replace: 'return (quantity * rate.parts) / rate.size;',
      },
    ],
  },
  {
    name: 'cached_tokens_are_paid_twice',
    lesson: 'Cached tokens are some of the input; counted beside it they are paid once at each price.',
    patches: [
      {
        file: 'src/domain/usage/model-price.ts',
        find: 'BigInt(input - cachedInput) * price.input',
        replace: 'BigInt(input) * price.input',
      },
    ],
  },
];

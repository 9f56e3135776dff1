import type { Chance } from './random.ts';

/** Mostly a few dollars; sometimes fractions of a cent, sometimes more than anybody has. */
export function amountOf(chance: Chance): string {
  return chance.weighted([
    [`${chance.between(0, 9)}.${String(chance.between(1, 99)).padStart(2, '0')}`, 8],
    [`0.00${String(chance.between(1, 9_999)).padStart(4, '0')}`, 2],
    [`${chance.between(100, 400)}.00`, 1],
  ]);
}

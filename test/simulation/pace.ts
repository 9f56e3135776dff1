import { Chance } from './random.ts';

/** Milliseconds between two operations, on average. */
export const paceOf = (seed: number): number =>
  new Chance(seed, 'pace').weighted([
    [20, 3],
    [300, 4],
    [3_000, 2],
    [120_000, 1],
  ]);

import { describe, expect, inject, it } from 'vitest';
import { TEMPLATE } from '../support/global-setup.ts';
import { runSeed } from './run-seed.ts';

describe('the house under a seed', () => {
  const run = (seed: number, operations = 150) =>
    runSeed({ seed, operations, postgresUrl: inject('postgresUrl'), template: TEMPLATE });

  it('the same seed lives the same life', async () => {
    const [first, second] = [await run(4), await run(4)];
    expect([second.traceHash, second.steps]).toEqual([first.traceHash, first.steps]);
  }, 60_000);

  it('a few seeds break no promise', async () => {
    for (let seed = 1; seed <= 6; seed += 1) expect([seed, (await run(seed)).violations]).toEqual([seed, []]);
  }, 120_000);
});

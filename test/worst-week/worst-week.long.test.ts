import { expect, it } from 'vitest';
import { Week } from './week.ts';

/** `npm run worst-week` lives a thousand payments, as CI does; another seed is another week. */
const PAYMENTS = Number(process.env['WORST_WEEK_PAYMENTS'] ?? 80);
const SEED = Number(process.env['WORST_WEEK_SEED'] ?? 1);
const KILLS = 20;

it(`B08 B09 C01 after the worst week, with ${PAYMENTS} payments of seed ${SEED}, our books are the providers' own to the cent`, async () => {
  const report = await Week.live({ payments: PAYMENTS, kills: KILLS, seed: SEED });
  expect(report.broken).toEqual([]);
  expect(report.wrong).toEqual([]);
  for (const { provider, ours, theirs } of [...report.sums, ...report.held])
    expect([provider, ours]).toEqual([provider, theirs]);
  expect(
    report.reports.map(({ provider, unexplained, remainder, items }) => [provider, unexplained, remainder, items]),
  ).toEqual(report.reports.map(({ provider }) => [provider, '0.00', '0.00', []]));
  // The week was as bad as it is said to be.
  expect(report.payments).toBe(PAYMENTS);
  expect(report.kills).toBeGreaterThanOrEqual(KILLS);
  const { posted, lost, duplicated, late } = report.post;
  expect(lost / posted).toBeGreaterThan(0.2);
  expect(duplicated / (posted - lost)).toBeGreaterThan(0.2);
  expect(late).toBeGreaterThan(0);
}, 600_000);

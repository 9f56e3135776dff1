import { expect, it } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { liveAndJudge } from './years/run-years.ts';
import { SHORT_YEARS } from './years/years.ts';

const YEARS_MS = 240_000;

it(
  'years of a thousand users end with a clean ledger, and with the quotas, periods and balances of an independent calculation',
  async () => {
    const database = await testDatabase();
    try {
      const { verdict, text } = await liveAndJudge({ ...SHORT_YEARS, url: database.url });
      console.info(text);
      expect(verdict.breaks.slice(0, 20)).toEqual([]);
      // Years in which nothing happened prove nothing.
      expect(verdict.periods).toBeGreaterThan(5_000);
      expect(verdict.changes).toBeGreaterThan(10);
      expect(verdict.ends).toBeGreaterThan(100);
      expect(verdict.pastDue).toBeGreaterThan(10);
    } finally {
      await database.close();
    }
  },
  YEARS_MS,
);

import { expect, it } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { SHORT_MONTH } from './month/month.ts';
import { liveAndJudge } from './month/run-month.ts';

const MONTH_MS = 240_000;

it(
  'a month of usage with outages, crashes and wrong clocks comes to what an independent calculation says',
  async () => {
    const database = await testDatabase();
    try {
      const { verdict, text } = await liveAndJudge({ ...SHORT_MONTH, url: database.url });
      console.info(text);
      expect(verdict.breaks.slice(0, 20)).toEqual([]);
      // A month in which nothing happened proves nothing.
      expect(verdict.records).toBe(20 * 31 * 24 * SHORT_MONTH.recordsPerNodeHour);
      expect(verdict.unbilled).toBeGreaterThan(20);
    } finally {
      await database.close();
    }
  },
  MONTH_MS,
);

import { afterAll, beforeAll, expect, it } from 'vitest';
import { planStory, type PlanStory } from '../plan/plan-story.ts';

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(2_039);
});
afterAll(() => told.close());

it('a ledger goes on after 2039, when the positive numbers of batches are used up, and in 2060', async () => {
  const wallet = await told.wallet(1n);
  for (const day of ['2039-09-06', '2039-09-07', '2039-09-08', '2060-02-29']) {
    told.ports.clock.setWallClock(new Date(`${day}T20:00:00Z`));
    await told.fund(wallet, 10n);
    expect((await told.buy(await told.wallet(10n))).state).toBe('active');
  }
  const text =
    'select count(distinct batch)::int4 as batches, bool_or(batch < 0) as some, bool_and(batch < 0) as all from entry';
  const [row] = await told.database.owner.query({ name: 'test.batches', text });
  // A wallet's first dollar, then three postings each time.
  expect(row).toEqual({ batches: 13, some: true, all: false });
  expect(await told.balance(wallet)).toBe('41.00');
  await told.sound();
});

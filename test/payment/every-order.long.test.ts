import { afterAll, beforeAll, expect, it } from 'vitest';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { DEEDS } from './bank-deeds.ts';
import { readingsWithin } from './bank-stories.ts';
import { liveLooks } from './look-tree.ts';

/** Deeds of the bank in one story, at most. `TRUTH_EVENTS=6` is the whole of it, a minute and a half; four take the tests some seconds. */
const asked = process.env['TRUTH_EVENTS'];
const deedsMax = Number(asked ?? 4);
/** An inquiry moves no money. In the short run `truth.test.ts` alone has it, with every step that it is part of. */
const deeds = DEEDS.filter((deed) => asked !== undefined || deed !== 'inquiry');

let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory();
});
afterAll(() => told.close());

it(`B07 B08 C08 every story of up to ${deedsMax} events, their news in every order, each twice, ends at the bank’s truth`, async () => {
  const { stories, timings, first } = readingsWithin(deedsMax, deeds);
  const looked = await liveLooks(told, first, { isTwice: true });
  console.info(`B08 ${stories} stories, ${timings} timings: ${looked} looks, each of them twice`);
  expect(looked).toBeGreaterThan(stories);
  expect(await told.brokenPromises()).toEqual([]);
}, 300_000);

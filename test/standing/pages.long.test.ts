import { expect, it } from 'vitest';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import type { House } from '../../src/operations/house.ts';
import { settleStanding } from '../../src/operations/standing/settle.ts';
import { watchStandings } from '../../src/operations/standing/watch.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { findDueLooks, findMovedWallets } from '../../src/store/standing-facts.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { DAY_MS, DOLLAR, planStory, type PlanStory } from '../plan/plan-story.ts';
import { testDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { seededRandom, testPorts } from '../support/ports.ts';
import { inMs, use } from './using.ts';

const HOUR_MS = 3_600_000;
const STEPS = 20;
const WAITS_MS = [HOUR_MS, 13 * HOUR_MS, 3 * DAY_MS, 8 * DAY_MS];

/** All that a look may write. */
const WRITTEN = `
  select told.*, (select array_agg(type order by sequence) from event where event.wallet = told.wallet) as news
  from wallet_standing as told order by told.wallet`;

/** What a release has ended is seen by the look behind it. */
async function comeToRest(house: House): Promise<void> {
  for (let looks = 0; looks < 3; looks += 1) await watchStandings(house);
}

/** Every wallet that is to be looked at has a transaction of its own; then the ticks find what else is due. */
async function lookAlone(story: PlanStory, seed: number): Promise<unknown[]> {
  const alone = await testDatabase({ copyOf: story.database });
  const { db } = alone;
  const house = testHouse({ db, ports: testPorts({ seed, now: story.ports.clock.now() }) });
  const wallets = new Set([
    ...(await findMovedWallets(db, { lowBalance: house.settings.lowBalance, after: 0n, limit: 100 })),
    ...(await findDueLooks(db, house.ports.clock.now(), 100)),
  ]);
  for (const wallet of wallets) await settleStanding(house, wallet);
  await comeToRest(house);
  const rows = await alone.owner.query({ name: 'test.written', text: WRITTEN });
  await house.lanes.close();
  await alone.close();
  return rows;
}

it('a look at a page of wallets comes to what a look at each under its lock comes to', async () => {
  const story = await planStory(7_201);
  const random = seededRandom(7_202);
  const below = (most: number): number => Buffer.from(random.bytes(2)).readUInt16BE() % most;
  const wallets: WalletRow[] = [];
  for (const dollars of [0n, 1n, 3n, 11n, 12n, 25n, 40n, 1_000n]) {
    for (const isRenting of [true, false]) {
      const wallet = await story.wallet(dollars);
      wallets.push(wallet);
      if (isRenting && dollars > 10n) await story.buy(wallet);
    }
  }
  for (let step = 0; step < STEPS; step += 1) {
    for (const wallet of wallets) {
      // Who has not enough is declined.
      if (below(3) > 0) await use(story, wallet, BigInt(below(3) + 1) * DOLLAR);
      if (below(20) === 0) await story.fund(wallet, BigInt(below(30) + 1));
      if (below(25) === 0)
        await story.call(billingFreeze, { sid: wallet.sid, is_frozen: below(2) === 0, reason: 'a look' });
    }
    await story.at(inMs(story, WAITS_MS[below(WAITS_MS.length)] ?? HOUR_MS));
    await renewDue(story.house);
    const expected = await lookAlone(story, 7_400 + step);
    await comeToRest(story.house);
    expect(await story.database.owner.query({ name: 'test.written', text: WRITTEN })).toEqual(expected);
  }
  const text = `select distinct type from event where type like 'wallet.%' order by 1`;
  const told = await story.database.owner.query<{ type: string }>({ name: 'test.types', text });
  expect(told.map(({ type }) => type.replace('wallet.', ''))).toEqual([
    'empty',
    'grace',
    'low_balance',
    'released',
    'restored',
    'runway',
    'suspended',
  ]);
  await story.close();
}, 60_000);

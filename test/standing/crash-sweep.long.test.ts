import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchStandings } from '../../src/operations/standing/watch.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { findDueLooks, findMovedWallets } from '../../src/store/standing-facts.ts';
import { listMoves } from '../../src/store/standing.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { Crash, testPorts } from '../support/ports.ts';
import { DAY_MS, planStory, type PlanStory } from '../plan/plan-story.ts';
import { use } from './using.ts';

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(7_003);
});
afterAll(() => told.close());

const HOUR_MS = 3_600_000;
/** From one state to the next: what makes it due, and what has to come of it. */
const STEPS: readonly (readonly [waitMs: number, dollars: bigint, news: string, to: string])[] = [
  [30 * DAY_MS, 0n, 'grace', 'empty'],
  [72 * HOUR_MS, 0n, 'suspended', 'suspended'],
  [14 * DAY_MS, 0n, 'released', 'released'],
  [HOUR_MS, 20n, 'restored', 'active'],
];

async function newsOf({ id }: WalletRow): Promise<string[]> {
  const text = `select type from event where wallet = $1 and type like 'wallet.%' and type not in ('wallet.runway', 'wallet.low_balance', 'wallet.empty') order by sequence`;
  const rows = await told.database.owner.query<{ type: string }>({ name: 'test.news', text }, [id]);
  return rows.map(({ type }) => type.replace('wallet.', ''));
}

/** Dies at the place, then two others go on at once; answers how many places there were. */
async function dieWhileWatching(place: number | null): Promise<number> {
  const ports = testPorts({ seed: 9_000 + (place ?? 0), now: told.ports.clock.now() });
  const db = told.database.open({ ports });
  ports.crash.dieAfter(place);
  try {
    await watchStandings(told.another({ db, ports }));
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  const reached = ports.crash.reached.length;
  ports.crash.dieAfter(null);
  await gone(told);
  await db.close();
  await Promise.all([watchStandings(told.house), watchStandings(told.another())]);
  return reached;
}

/** Those of whom the look was lost: it is due, or their account has moved on, and nobody has seen it. */
async function unseen(): Promise<bigint[]> {
  const now = told.ports.clock.now();
  return [
    ...(await findDueLooks(told.database.db, now, 10)),
    ...(await findMovedWallets(told.database.db, { lowBalance: told.house.settings.lowBalance, after: 0n, limit: 10 })),
  ];
}

describe('G01 a process that dies anywhere while it goes on with how a wallet stands', () => {
  it('leaves each change made once and told once, and each wallet seen, whoever finishes it', async () => {
    let places = 0;
    // Of these nothing changes; the sweep goes through the page in which they are looked at as well.
    const others = [await told.wallet(1_000n), await told.wallet(1_000n)];
    const live = async (step: number, place: number | null): Promise<number> => {
      const wallet = await told.wallet(13n);
      await told.buy(wallet);
      await watchStandings(told.house);
      let reached = 0;
      for (const [index, [waitMs, dollars]] of STEPS.slice(0, step + 1).entries()) {
        await told.ports.clock.advance(waitMs);
        if (dollars > 0n) await told.fund(wallet, dollars);
        for (const other of others) await use(told, other, 1n);
        await renewDue(told.house);
        if (index === step) reached = await dieWhileWatching(place);
        else await watchStandings(told.house);
      }
      expect(await unseen()).toEqual([]);
      expect(await newsOf(wallet)).toEqual(STEPS.slice(0, step + 1).map(([, , news]) => news));
      const [last] = await listMoves(told.house.db, wallet.id, 1);
      expect(last?.to).toBe(STEPS[step]?.[3]);
      return reached;
    };
    for (const step of STEPS.keys()) {
      const count = await live(step, null);
      for (let place = 0; place < count; place += CRASH_EVERY) {
        await live(step, place);
        places += 1;
      }
    }
    console.info(`G01 standing: ${places} crash points, each survived`);
    expect(places).toBeGreaterThan(STEPS.length);
    await told.sound();
  }, 120_000);
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { watchDue, watchStandings } from '../../src/operations/standing/watch.ts';
import { POSTING_KINDS } from '../../src/domain/ledger/posting.ts';
import type { Db } from '../../src/store/db.ts';
import { findDueLooks, findMovedWallets } from '../../src/store/standing-facts.ts';
import { lockStanding, saveLook } from '../../src/store/standing.ts';
import { chargedSince } from '../../src/store/usage-day.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { DAY_MS, DOLLAR, planStory, type PlanStory } from '../plan/plan-story.ts';
import { testPorts } from '../support/ports.ts';
import { inMs, use } from './using.ts';

const HOUR_MS = 3_600_000;
let story: PlanStory;
beforeAll(async () => {
  story = await planStory(7_200);
});
/** Who was here before is not to be looked at any more. */
const forget = () =>
  story.database.owner.query({
    name: 'test.forget',
    text: `update wallet_standing set look_at = null, seen_seq = 100000`,
  });
afterEach(forget);
afterAll(() => story.close());

interface Looked extends Record<string, unknown> {
  readonly look_at: Date | null;
  readonly seen_seq: bigint | null;
  readonly seq: bigint;
}
/** What the last look has left, and where the account is. */
async function looked({ id }: Pick<WalletRow, 'id'>): Promise<Looked> {
  const text = `select look_at, seen_seq, seq from wallet_standing join account on account.id = wallet * 16 where wallet = $1`;
  const [row] = await story.database.owner.query<Looked>({ name: 'test.looked', text }, [id]);
  if (!row) throw new Error('nobody has looked');
  return row;
}

/** The same database; before the named statement something else happens. */
function before(name: string, happens: () => Promise<unknown>): Db {
  const { db } = story.database;
  return {
    ...db,
    query: async (statement, values) => {
      if (statement.name === name) await happens();
      return db.query(statement, values);
    },
  };
}

/** One whose runway is looked at every hour; and one whom nothing uses up, looked at once its account moves on. */
async function inUse(): Promise<WalletRow> {
  const wallet = await story.wallet(1_000n);
  await use(story, wallet, DOLLAR);
  await watchStandings(story.house);
  return wallet;
}
async function unused(): Promise<WalletRow> {
  const wallet = await story.wallet(1_000n);
  await watchStandings(story.house);
  return wallet;
}

describe('wallets of which nothing changes', () => {
  it('are looked at together: as many statements for fifty as for one', async () => {
    const asked: string[] = [];
    const db = story.database.open({ observe: (name) => asked.push(name) });
    const house = story.another({ db });
    const count = async (wallets: number): Promise<string[]> => {
      for (let index = 0; index < wallets; index += 1) await use(story, await story.wallet(1_000n), DOLLAR);
      await watchStandings(story.house);
      await story.at(inMs(story, HOUR_MS));
      asked.length = 0;
      expect(await watchDue(house)).toBe(wallets);
      return asked.filter((name) => !name.startsWith('standing.find_'));
    };
    const ofOne = await count(1);
    expect(ofOne).toEqual(['standing.facts', 'usage_day.charged_since', 'standing.mark_looked']);
    await forget();
    expect(await count(50)).toEqual(ofOne);
    expect(await findDueLooks(db, story.ports.clock.now(), 10)).toEqual([]);
  });

  it('are looked at again when they have paid between the reading and the mark', async () => {
    const wallet = await inUse();
    await story.at(inMs(story, HOUR_MS));
    const { look_at: due } = await looked(wallet);
    const house = story.another({ db: before('standing.mark_looked', () => use(story, wallet, 350n * DOLLAR)) });
    expect(await watchDue(house)).toBe(0);
    expect((await looked(wallet)).look_at).toEqual(due);
    // What was not marked is read anew, and now it lasts for less than two days.
    expect(await watchDue(story.house)).toBe(1);
    expect((await looked(wallet)).look_at).toEqual(inMs(story, HOUR_MS));
    const text = `select state, warned_hours from wallet_standing where wallet = $1`;
    expect(await story.database.owner.query({ name: 'test.warned', text }, [wallet.id])).toEqual([
      { state: 'low', warned_hours: 72 },
    ]);
  });

  it('that nothing used up are found again by the line that came behind the one that was seen', async () => {
    const wallet = await unused();
    const quiet = await looked(wallet);
    expect(quiet).toMatchObject({ look_at: null, seen_seq: quiet.seq });
    await story.fund(wallet, 1n);
    const house = story.another({ db: before('standing.mark_looked', () => story.fund(wallet, 1n)) });
    await watchStandings(house);
    expect(await looked(wallet)).toEqual({ look_at: null, seen_seq: quiet.seq, seq: quiet.seq + 2n });
    await watchStandings(story.house);
    expect(await looked(wallet)).toEqual({ look_at: null, seen_seq: quiet.seq + 2n, seq: quiet.seq + 2n });
  });

  it('keep what another process has written down since they were read', async () => {
    const wallet = await inUse();
    await story.at(inMs(story, HOUR_MS));
    const sooner = inMs(story, 5 * 60_000);
    const house = story.another({
      db: before('standing.mark_looked', () =>
        saveLook(story.database.db, { wallet: wallet.id, lookAt: sooner, seq: 0n }),
      ),
    });
    expect(await watchDue(house)).toBe(0);
    expect((await looked(wallet)).look_at).toEqual(sooner);
  });

  it('are not waited for while somebody else holds them', async () => {
    const [held, free] = [await inUse(), await inUse()];
    await story.at(inMs(story, HOUR_MS));
    const other = story.database.open();
    const { look_at: due } = await looked(held);
    await other.transaction('test.hold', async (tx) => {
      await lockStanding(tx, held.id);
      expect(await watchDue(story.house)).toBeGreaterThanOrEqual(1);
      expect((await looked(held)).look_at).toEqual(due);
      expect((await looked(free)).look_at).toEqual(inMs(story, HOUR_MS));
    });
    expect(await watchDue(story.house)).toBe(1);
    expect((await looked(held)).look_at).toEqual(inMs(story, HOUR_MS));
  });

  it('are each looked at, by two processes at once while everybody pays', async () => {
    const wallets: WalletRow[] = [];
    for (let index = 0; index < 40; index += 1) wallets.push(await story.wallet(100n));
    const others = [story.database.open(), story.database.open()];
    const [first, second] = others.map((db, index) =>
      story.another({ db, ports: testPorts({ seed: 7_300 + index, now: story.ports.clock.now() }) }),
    );
    if (!first || !second) throw new Error('two processes');
    for (let round = 0; round < 3; round += 1) {
      const ticks = [first, second].flatMap((house) => [watchStandings(house), watchDue(house)]);
      await Promise.all([...ticks, ...wallets.map((wallet) => use(story, wallet, 1n))]);
      await story.at(inMs(story, HOUR_MS));
      for (const { ports } of [first, second]) await (ports as typeof story.ports).clock.advance(HOUR_MS);
    }
    await watchStandings(story.house);
    const now = story.ports.clock.now();
    expect(await findDueLooks(story.database.db, now, 10)).toEqual([]);
    expect(await findMovedWallets(story.database.db, { lowBalance: 2n * DOLLAR, after: 0n, limit: 10 })).toEqual([]);
    const text = `select count(*) from standing_move where wallet = any($1) and number > 1`;
    const ids = wallets.map(({ id }) => id);
    expect(await story.database.owner.query({ name: 'test.moves', text }, [ids])).toEqual([{ count: 0n }]);
  });
});

describe('what was charged since an instant', () => {
  it('is the sum of the last day, however much there is before and within it', async () => {
    const insert = `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
      select $1::int8 * 16, number, -1, -number, 0, 1, gen_random_uuid(), gen_random_uuid(), at, at, case when number % 11 = 0 then ${POSTING_KINDS.hold_reserve} else ${POSTING_KINDS.usage} end,
             case when number % 7 = 0 then '{"voids":1}' when number % 5 = 0 then '{"corrects":1}' else '{}' end
      from generate_series(1, $2::int) as number, lateral (select $3::timestamptz - make_interval(secs => ($2 - number) * $4::float8) as at) as moment`;
    const plain = `select coalesce(-sum(amount), 0)::int8 as charge from entry where account = $1::int8 * 16 and kind = ${POSTING_KINDS.usage} and recorded_at > $2
      and about not like '%"voids":%' and about not like '%"corrects":%' and seq > $3::int8 - $4::int8`;
    const { owner, db } = story.database;
    const now = story.ports.clock.now();
    const since = new Date(now.getTime() - DAY_MS);
    const entriesMax = 2_080;
    const expected = new Map<bigint, bigint>();
    for (const count of [0, 1, 31, 32, 33, 34, 257, 2_100]) {
      for (const seconds of [1, 60, 3_600]) {
        const { id } = await story.wallet(0n);
        await owner.query({ name: 'test.entries', text: insert }, [id, count, now, seconds]);
        await owner.query({ name: 'test.seq', text: `update account set seq = $2 where id = $1::int8 * 16` }, [
          id,
          count,
        ]);
        const [row] = await owner.query<{ charge: bigint }>({ name: 'test.plain', text: plain }, [
          id,
          since,
          count,
          entriesMax,
        ]);
        expected.set(id, row?.charge ?? -1n);
      }
    }
    expect(await chargedSince(db, { wallets: [...expected.keys()], since, entriesMax })).toEqual(expected);
    expect(new Set(expected.values()).size).toBeGreaterThan(10);
  });
});

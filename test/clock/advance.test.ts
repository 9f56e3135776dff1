import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockAdvance } from '../../src/operations/clock/advance.ts';
import { followClock, takeOverTime } from '../../src/operations/clock/follow.ts';
import { clockGet } from '../../src/operations/clock/get.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import type { House } from '../../src/operations/house.ts';
import { sessionGet } from '../../src/operations/session/get.ts';
import type { Tick } from '../../src/operations/tick.ts';
import { listAudit } from '../../src/store/audit.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { beginMove } from '../../src/store/sandbox-clock.ts';
import { findDueLooks } from '../../src/store/standing-facts.ts';
import { lockStanding, saveLook } from '../../src/store/standing.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { OPERATOR, openStages, type Stage, type Stages } from './stage.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Notes when it runs. */
const noting = (name: string, waitMs: number, more: Partial<Tick> = {}) => {
  const at: string[] = [];
  const run = (house: House): Promise<void> => {
    at.push(house.ports.clock.now().toISOString());
    return Promise.resolve();
  };
  const tick: Tick = { name, waitMs: () => waitMs, run, ...more };
  return { at, tick };
};

describe('the clock of a sandbox', () => {
  let stages: Stages;
  let stage: Stage;

  beforeAll(async () => {
    stages = await openStages();
    stage = stages.open();
  });
  afterAll(() => stages.close());

  const isoNow = (of: Stage = stage): string => of.clock.now().toISOString();

  it('goes forwards, and says where it is and how far ahead', async () => {
    const before = stage.clock.now();
    const { status, json } = await stage.call(clockAdvance, { by: '30h' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ is_movable: true, ahead_seconds: 30 * 3_600, goal: null });
    expect(json['now']).toBe(new Date(before.getTime() + 30 * HOUR_MS).toISOString());
    expect(json['last_move']).toMatchObject({ from: before.toISOString(), failures: 0 });
    expect((await stage.call(sessionGet, {})).json['clock_ahead_seconds']).toBe(30 * 3_600);
    const [row] = await listAudit(stage.house.db, { before: null, subject: 'clock', limit: 1 });
    expect(row).toMatchObject({ actor: OPERATOR.id, action: 'clock.advance', after: { goal: json['now'] } });
  });

  it('stops at each midnight and at each instant where something is due, and runs there what has its time', async () => {
    const [hourly, daily, end] = [
      noting('hourly', HOUR_MS),
      noting('daily', DAY_MS),
      noting('end', HOUR_MS, { catchesUp: true }),
    ];
    const own = stages.open({ ticks: [hourly.tick, daily.tick, end.tick] });
    await takeOverTime(own.house);
    const [wallet] = await openWallets(own.house.db, own.house.ports, 1);
    if (wallet === undefined) throw new Error('no wallet');
    await fund(own.house.db, own.house.ports, wallet, 10_000_000n);
    const from = own.clock.now();
    const hold = { wallet_sid: wallet.sid, amount: '1.00', description: 'x', expires_in_seconds: 3 * 3_600 };
    expect((await own.call(holdReserve, hold)).status).toBe(201);
    await own.call(clockAdvance, { by: '2d' });
    const midnights = [1, 2].map((day) => new Date(Math.floor(from.getTime() / DAY_MS) * DAY_MS + day * DAY_MS));
    const expected = [new Date(from.getTime() + 3 * HOUR_MS), ...midnights, new Date(from.getTime() + 2 * DAY_MS)]
      .toSorted((a, b) => a.getTime() - b.getTime())
      .map((at) => at.toISOString());
    // The hold stays overdue, because nothing here expires it: it is tried once more, and holds nothing up.
    expect([...new Set(hourly.at)]).toEqual(expected);
    expect([...new Set(daily.at)]).toEqual([expected[0], expected[2]]);
    expect(end.at).toEqual([expected[3]]);
  });

  it('does what is due seconds behind a midnight there, and not at the next stop', async () => {
    const expiring = noting('holds.expire', 30_000);
    const own = stages.open({ ticks: [expiring.tick] });
    await takeOverTime(own.house);
    const [wallet] = await openWallets(own.house.db, own.house.ports, 1);
    if (wallet === undefined) throw new Error('no wallet');
    await fund(own.house.db, own.house.ports, wallet, 10_000_000n);
    const midnight = Math.ceil(own.clock.now().getTime() / DAY_MS) * DAY_MS;
    const seconds = Math.round((midnight - own.clock.now().getTime()) / 1_000) + 3;
    const hold = { wallet_sid: wallet.sid, amount: '1.00', description: 'x', expires_in_seconds: seconds };
    const opened = await own.call(holdReserve, hold);
    await own.call(clockAdvance, { by: '2d' });
    expect(expiring.at).toContain(opened.json['expires_at']);
  });

  it('asks others seldom on its way, and leaves a look at a runway to the tick that looks', async () => {
    const looked: string[] = [];
    const look: Tick = {
      name: 'standings.due',
      waitMs: () => HOUR_MS,
      run: async ({ db, ports }) => {
        looked.push(ports.clock.now().toISOString());
        for (const wallet of await findDueLooks(db, ports.clock.now(), 10))
          await saveLook(db, { wallet, lookAt: null, seq: 0n });
      },
    };
    const outside = noting('outside', HOUR_MS, { whileMovedMs: 3 * DAY_MS });
    const rest = noting('rest', HOUR_MS);
    const own = stages.open({ ticks: [outside.tick, look, rest.tick] });
    await takeOverTime(own.house);
    const [wallet] = await openWallets(own.house.db, own.house.ports, 1);
    if (wallet === undefined) throw new Error('no wallet');
    const from = own.clock.now();
    const lookAt = new Date(from.getTime() + 90 * 60_000);
    await lockStanding(own.house.db, wallet.id);
    await saveLook(own.house.db, { wallet: wallet.id, lookAt, seq: 0n });
    await own.call(clockAdvance, { by: '8d' });
    expect(looked).toContain(lookAt.toISOString());
    expect(rest.at).not.toContain(lookAt.toISOString());
    expect(rest.at.length).toBeGreaterThan(8);
    expect(outside.at).toHaveLength(2);
    expect(Date.parse(outside.at[0] ?? '')).toBeGreaterThanOrEqual(from.getTime() + 3 * DAY_MS);
  });

  it('of forty days at once comes to the same as of forty single days', async () => {
    const lived = await Promise.all(
      [['40d'], Array.from({ length: 40 }, () => '1d')].map(async (moves) => {
        const world = await openStages();
        try {
          const own = world.open();
          const [wallet] = await openWallets(own.house.db, own.house.ports, 1);
          if (wallet === undefined) throw new Error('no wallet');
          await fund(own.house.db, own.house.ports, wallet, 60_000_000n);
          for (const hours of [1, 23, 23, 24]) {
            const hold = {
              wallet_sid: wallet.sid,
              amount: '1.00',
              description: 'x',
              expires_in_seconds: hours * 3_600,
            };
            expect((await own.call(holdReserve, hold)).status).toBe(201);
          }
          for (const by of moves) expect((await own.call(clockAdvance, { by })).status).toBe(200);
          expect((await checkLedger(own.house.db)).isSound).toBe(true);
          return await own.house.db.query({
            name: 'test.lived',
            text: `select seq, amount, kind, recorded_at, balance_after from entry order by account, seq`,
          });
        } finally {
          await world.close();
        }
      }),
    );
    expect(lived[0]).not.toHaveLength(0);
    expect(lived[0]).toEqual(lived[1]);
  });

  it('is where it was after a restart, and in every process within a second', async () => {
    const before = isoNow();
    const reborn = stages.open();
    expect(isoNow(reborn)).not.toBe(before);
    await takeOverTime(reborn.house);
    await takeOverTime(stage.house);
    expect(isoNow(reborn)).toBe(isoNow());
    await stage.call(clockAdvance, { by: '5m' });
    await followClock(reborn.house);
    expect(isoNow(reborn)).toBe(isoNow());
  });

  it('goes on with a move that nobody goes on with, and leaves alone one that somebody does', async () => {
    await takeOverTime(stage.house);
    const [from, other] = [stage.clock.now(), stages.open()];
    const goal = new Date(from.getTime() + 3 * DAY_MS);
    expect(await stage.house.db.transaction('test.begin', (tx) => beginMove(tx, goal, from))).toBe(true);
    await followClock(other.house);
    expect(isoNow(other)).toBe(from.toISOString());
    const refused = await stage.call(clockAdvance, { by: '1d' });
    expect([refused.status, refused.json['code']]).toEqual([409, 'state_conflict']);
    expect((await stage.call(clockGet, {})).json['goal']).toBe(goal.toISOString());
    await stages.database.owner.query({
      name: 'test.die',
      text: `update sandbox_clock set beat_at = beat_at - interval '2 minutes'`,
    });
    await followClock(other.house);
    expect(isoNow(other)).toBe(goal.toISOString());
    expect((await other.call(clockGet, {})).json['goal']).toBeNull();
  });

  it('two processes that would both move it, move it once', async () => {
    const racers = [stages.open(), stages.open()];
    for (const one of racers) await takeOverTime(one.house);
    const from = racers[0]?.clock.now().getTime() ?? Number.NaN;
    const answers = await Promise.all(racers.map((one) => one.call(clockAdvance, { by: '10d' })));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409']);
    for (const one of racers) await takeOverTime(one.house);
    expect(racers.map(({ clock }) => clock.now().getTime())).toEqual([from + 10 * DAY_MS, from + 10 * DAY_MS]);
  });

  it('goes on when something that it does fails, and says how often', async () => {
    const breaking: Tick = { name: 'breaks', waitMs: () => DAY_MS, run: () => Promise.reject(new Error('away')) };
    const own = stages.open({ ticks: [breaking] });
    const { json } = await own.call(clockAdvance, { by: '1d' });
    expect(json['last_move']).toMatchObject({ failures: 1 });
    expect(own.machine.log.lines.map(({ message }) => message)).toContain('a tick failed while the clock was moved');
  });

  it('goes nowhere outside a sandbox, nor back, nor for others than operators who configure', async () => {
    const { house } = stage;
    const solid = testHouse({ db: house.db, ports: house.ports, settings: { mode: 'production' } });
    const refused = await stage.call(clockAdvance, { by: '1d' }, { ...OPERATOR, role: 'finance' });
    expect(refused.status).toBe(403);
    expect((await stage.call(clockAdvance, { to: '2020-01-01T00:00:00Z' })).status).toBe(400);
    expect((await stage.call(clockAdvance, { by: '-1d' })).status).toBe(400);
    const answer = await clockAdvance.run(
      // What the operation asks of its call.
      { house: solid, actor: OPERATOR, requestId: 'req_1' } as unknown as Parameters<typeof clockAdvance.run>[0],
      { by: '1d' },
    );
    expect(answer).toMatchObject({ kind: 'refusal', code: 'state_conflict' });
    await solid.lanes.close();
    await expect(
      stages.database.owner.query({ name: 'test.back', text: 'update sandbox_clock set ahead_ms = ahead_ms - 1' }),
    ).rejects.toThrow('forwards only');
  });
});

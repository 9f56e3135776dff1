import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aheadOf, CLOCKS_APART_MAX_MS } from '../../src/domain/clock/apart.ts';
import { JOBS } from '../../src/jobs/tasks.ts';
import { keepTicking, TICKS } from '../../src/jobs/ticks.ts';
import { allocationAutoRelease } from '../../src/operations/allocation/auto-release.ts';
import { Clocks } from '../../src/operations/clock/clocks.ts';
import { compareClocks, doClocksAgree } from '../../src/operations/clock/compare.ts';
import { clockGet } from '../../src/operations/clock/get.ts';
import type { House } from '../../src/operations/house.ts';
import { ladderTick } from '../../src/operations/ladder/tick.ts';
import { sessionGet } from '../../src/operations/session/get.ts';
import { subscriptionChange } from '../../src/operations/subscription/change.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import type { SubscriptionRow } from '../../src/store/subscription.ts';
import { movableClock } from '../../src/ports/movable-clock.ts';
import { DAY_MS, ownerOf, planStory, type PlanStory } from '../plan/plan-story.ts';
import { testPorts, VirtualClock } from '../support/ports.ts';
import { testSite } from '../transport/site.ts';

const HOUR_MS = 3_600_000;

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(2_201);
});
afterAll(async () => {
  await told.sound();
  await told.close();
});

/** The database's own time is the real one. */
const setClock = (aheadMs: number): void => told.ports.clock.setWallClock(new Date(Date.now() + aheadMs));

/** Bought so that its period ends so much later than now. */
async function endingIn(ms: number): Promise<SubscriptionRow> {
  setClock(ms - 30 * DAY_MS);
  const row = await told.buy(await told.wallet(40n));
  setClock(0);
  return row;
}

/** A process of its own that has compared its clock, and whose plans renew by themselves until the test is over. */
async function ticking(work: (house: House) => Promise<void>): Promise<void> {
  const house = told.another();
  await compareClocks(house);
  const tick = TICKS.find(({ name }) => name === 'plans.renew');
  if (!tick) throw new Error('plans renew by the clock');
  const over = new AbortController();
  const ends = keepTicking(house, tick, over.signal);
  try {
    await work(house);
  } finally {
    over.abort();
    await ends;
    await house.lanes.close();
  }
}

const numberOf = async (row: SubscriptionRow): Promise<number> => (await told.again(row)).periodNumber;
const isAsleep = (): Promise<void> => vi.waitFor(() => expect(told.ports.clock.sleeping).toBe(1));

describe('H01 a server whose clock is set a day ahead', () => {
  it('renews no plan before its time or after it, says so, and goes on by itself once its clock is right', async () => {
    const [due, tomorrow] = [await endingIn(-HOUR_MS), await endingIn(HOUR_MS)];
    await ticking(async (house) => {
      await vi.waitFor(async () => expect(await numberOf(due)).toBe(1));
      const late = await endingIn(-HOUR_MS);
      setClock(DAY_MS);
      for (let wakes = 0; wakes < 3; wakes += 1) {
        await isAsleep();
        await told.ports.clock.advance(6_000);
      }
      await isAsleep();
      expect([await numberOf(late), await numberOf(tomorrow)]).toEqual([0, 0]);
      const lines = told.ports.log.lines.filter(({ message }) => message.includes('its database’s'));
      expect(lines.map(({ level, message }) => [level, message])).toEqual([
        ['error', expect.stringContaining('The clock of this server is 1 d 0 h ahead of its database’s')],
      ]);
      expect(house.clocks.areApart).toBe(true);
      setClock(0);
      await told.ports.clock.advance(6_000);
      await vi.waitFor(async () => expect(await numberOf(late)).toBe(1));
      expect(await numberOf(tomorrow)).toBe(0);
    });
  });

  it('as much behind does nothing by the date either', async () => {
    const late = await endingIn(-3 * DAY_MS);
    setClock(-DAY_MS);
    await ticking(async () => {
      await isAsleep();
      await told.ports.clock.advance(6_000);
      await isAsleep();
      expect(await numberOf(late)).toBe(0);
    });
    setClock(0);
    await renewDue(told.house);
    expect(await numberOf(late)).toBe(1);
  });

  it('in the middle of a run ends the run', async () => {
    const [due, tomorrow] = [await endingIn(-HOUR_MS), await endingIn(HOUR_MS)];
    const ports = testPorts({ seed: 2_202, now: new Date() });
    const db = told.database.open({ ports });
    const house = told.another({ db, ports });
    await compareClocks(house);
    ports.crash.on((label) => {
      if (label === 'commit:before:plan.renew') ports.clock.setWallClock(new Date(Date.now() + DAY_MS));
    });
    await renewDue(house);
    expect(house.clocks.areApart).toBe(true);
    await house.lanes.close();
    await db.close();
    expect([await numberOf(due), await numberOf(tomorrow)]).toEqual([1, 0]);
  });

  it('refuses what would renew early on the way, does not follow money, and tells operators', async () => {
    const tomorrow = await endingIn(HOUR_MS);
    await compareClocks(told.house);
    setClock(DAY_MS);
    try {
      const up = await told.call(subscriptionChange, { sid: tomorrow.sid, plan: 'vm-10' });
      expect([up.status, up.json['code']]).toEqual([503, 'unavailable']);
      expect((await told.call(allocationAutoRelease, {})).status).toBe(503);
      expect((await told.call(ladderTick, {})).status).toBe(503);
      await JOBS['standing.watch'](told.house, { sid: tomorrow.walletSid });
      await JOBS['auto-recharge.run'](told.house, { sid: tomorrow.walletSid });
      expect(await numberOf(tomorrow)).toBe(0);
      const apart = Number((await told.call(clockGet, {})).json['apart_seconds']);
      expect(Math.abs(apart - 86_400)).toBeLessThan(60);
      expect((await told.call(sessionGet, {})).json['clock_apart_seconds']).toBe(apart);
      const user = ownerOf({ userSid: tomorrow.userSid });
      expect((await told.call(sessionGet, {}, user)).json['clock_apart_seconds']).toBeNull();
    } finally {
      setClock(0);
    }
    const up = await told.call(subscriptionChange, { sid: tomorrow.sid, plan: 'vm-10' });
    expect(up.status).toBe(200);
    expect((await told.call(clockGet, {})).json['apart_seconds']).toBeNull();
  });

  it('is ready all the same, with a warning', async () => {
    const site = await testSite();
    try {
      expect((await site.call('GET', '/health/ready')).json).toEqual({ status: 'ready' });
      await site.house.clocks.compare(() => Promise.resolve(new Date(site.ports.clock.now().getTime() + DAY_MS)));
      const ready = await site.call('GET', '/health/ready');
      expect(ready.status).toBe(200);
      expect(ready.json['warnings']).toEqual(['The clock of this server is 1 d 0 h behind its database’s.']);
    } finally {
      await site.close();
    }
  });
});

describe('H01 two clocks', () => {
  const clock = new VirtualClock(new Date('2026-03-01T12:00:00Z'));
  const theirs = (apartMs: number) => () => Promise.resolve(new Date(clock.now().getTime() - apartMs));

  it('that nobody has compared are taken to agree; those that were are apart beyond two minutes', async () => {
    const clocks = new Clocks(clock, null);
    expect(clocks.areApart).toBe(false);
    for (const [aheadMs, areApart] of [
      [CLOCKS_APART_MAX_MS, false],
      [CLOCKS_APART_MAX_MS + 1, true],
      [-CLOCKS_APART_MAX_MS, false],
      [-CLOCKS_APART_MAX_MS - 1, true],
    ] as const) {
      await clocks.compare(theirs(aheadMs));
      expect([clocks.aheadMs, clocks.areApart]).toEqual([aheadMs, areApart]);
    }
  });

  it('of a sandbox agree however far an operator has moved its time', async () => {
    const moved = movableClock(clock);
    const clocks = new Clocks(moved, moved);
    await clocks.compare(theirs(0));
    moved.moveTo(40 * DAY_MS);
    expect(clocks.aheadMs).toBe(0);
    await clocks.compare(theirs(0));
    expect(clocks.areApart).toBe(false);
  });

  it('of a machine that has slept are compared anew, and agree', async () => {
    setClock(-HOUR_MS);
    const house = told.another();
    await house.clocks.compare(() => Promise.resolve(told.ports.clock.now()));
    // The time that passes stood still with the machine.
    setClock(0);
    expect(house.clocks.areApart).toBe(true);
    expect(await doClocksAgree(house)).toBe(true);
    expect(house.clocks.areApart).toBe(false);
    await house.lanes.close();
  });

  it('are not apart for the time that an answer took', () => {
    const look = { beforeMs: 1_000, tookMs: 200 };
    expect([900, 1_000, 1_100, 1_200, 1_300].map((at) => aheadOf(at, look))).toEqual([100, 0, 0, 0, -100]);
  });

  it('whoever does something by the clock has decided whether it is by the date', () => {
    // None of these takes money or anything else because an instant has passed: they ask, send, tell, or go on with what was begun.
    expect(TICKS.filter(({ isByDate }) => isByDate !== true).map(({ name }) => name)).toEqual([
      'payments.poll',
      'disputes.poll',
      'disputes.answer',
      'refunds.look',
      'webhooks.sweep',
      'webhooks.undelivered',
      'payments.reconcile',
      'statements.reconcile',
      'movements.refund',
      'deliveries.send',
      'secrets.reseal',
      'mails.send',
      'gaps.tell',
      'allocations.check',
      'allocations.steer',
      'allocations.release-excess',
      'corrections.resume',
      'outages.resume',
      'usage.bill',
      'usage.push',
      'usage.aggregate',
      'ledger.check',
    ]);
  });
});

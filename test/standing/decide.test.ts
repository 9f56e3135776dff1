import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesNothing, decideStanding, type StandingMoment } from '../../src/domain/standing/decide.ts';
import {
  DAY_MS,
  HOUR_MS,
  mayRescue,
  mayRun,
  unmoved,
  type Standing,
  type StandingFacts,
  type StandingPolicy,
} from '../../src/domain/standing/state.ts';
import { propertySeed } from '../support/property-seed.ts';

const policy: StandingPolicy = { warningHours: [72, 24, 4], graceHours: 72, suspendedDays: 14 };
const START = new Date('2026-03-01T12:00:00.000Z');
const after = (ms: number, from = START): Date => new Date(from.getTime() + ms);
const at = (now: Date, noticeAt = now): StandingMoment => ({ now, noticeAt });

const WELL: StandingFacts = {
  held: 10_000_000n,
  lowBalance: 2_000_000n,
  freeze: null,
  isPastDue: false,
  hasPlan: true,
  vms: 2,
  stoppedVms: 0,
  isMoneyComing: false,
};
const active: Standing = { ...unmoved(START), state: 'active', level: 'ok' };

/** Lives through steps and says after each the state and what was told. */
function live(start: Standing, steps: readonly (readonly [atMs: number, facts: Partial<StandingFacts>])[]): string[] {
  let standing = start;
  return steps.map(([ms, facts]) => {
    const decided = decideStanding(standing, { ...WELL, ...facts }, policy, at(after(ms)));
    standing = decided.after;
    return [standing.state, ...decided.news.map(({ type }) => type.replace('wallet.', ''))].join(' ');
  });
}

describe('the table of states', () => {
  it('goes from active to released, one notice each, and back with new money', () => {
    const past = { isPastDue: true, held: 3_000_000n };
    expect(
      live(active, [
        [0, {}],
        [HOUR_MS, { msLeft: 72 * HOUR_MS }],
        [2 * HOUR_MS, { msLeft: 71 * HOUR_MS }],
        [3 * HOUR_MS, { msLeft: 24 * HOUR_MS }],
        [4 * HOUR_MS, { msLeft: 3 * HOUR_MS }],
        [5 * HOUR_MS, { ...past, msLeft: 0 }],
        [77 * HOUR_MS - 1, past],
        [77 * HOUR_MS, past],
        [77 * HOUR_MS + 14 * DAY_MS - 1, { ...past, stoppedVms: 2 }],
        [77 * HOUR_MS + 14 * DAY_MS, { ...past, stoppedVms: 2 }],
        [92 * DAY_MS, { hasPlan: false, vms: 0, held: 3_000_000n }],
        [93 * DAY_MS, { hasPlan: false, vms: 0, held: 5_000_000n, msLeft: null }],
      ]),
    ).toEqual([
      'active',
      'low runway',
      'low',
      'low runway',
      'low runway',
      'empty grace',
      'empty',
      'suspended suspended',
      'suspended',
      'released released',
      'released',
      'active restored',
    ]);
  });

  it('an empty wallet whose plan is paid is in no danger: no clock runs until something is due', () => {
    const { after: standing } = decideStanding(active, { ...WELL, held: 0n }, policy, at(START));
    expect(standing).toMatchObject({ state: 'empty', reason: null, deadlineAt: null });
    expect(live(standing, [[400 * DAY_MS, { held: 0n }]])).toEqual(['empty']);
  });

  it('a wallet that rents nothing may owe for ever: nothing can be stopped', () => {
    const facts = { held: -1n, hasPlan: false, vms: 0 };
    expect(
      live(active, [
        [0, facts],
        [400 * DAY_MS, facts],
      ]),
    ).toEqual(['empty low_balance empty', 'empty']);
  });

  it('a top-up in the grace ends it; one in the suspension is told once it is known what runs again', () => {
    const past = { isPastDue: true };
    expect(
      live(active, [
        [0, past],
        [HOUR_MS, {}],
      ]),
    ).toEqual(['empty grace', 'active restored']);
    const suspended = live(active, [
      [0, past],
      [72 * HOUR_MS, past],
      [73 * HOUR_MS, { stoppedVms: 2 }],
    ]);
    expect(suspended).toEqual(['empty grace', 'suspended suspended', 'active']);
  });

  it('an operator’s freeze suspends at once; a dispute’s has the grace; neither is ever released by itself', () => {
    expect(
      live(active, [
        [0, { freeze: 'operator' }],
        [400 * DAY_MS, { freeze: 'operator' }],
      ]),
    ).toEqual(['suspended suspended', 'suspended']);
    const dispute = { freeze: 'dispute' } as const;
    expect(
      live(active, [
        [0, dispute],
        [72 * HOUR_MS, dispute],
        [400 * DAY_MS, dispute],
      ]),
    ).toEqual(['empty grace', 'suspended suspended', 'suspended']);
  });

  it('when a freeze is over and money is missing, the clock to the release begins, and is told', () => {
    const frozen = decideStanding(active, { ...WELL, freeze: 'operator' }, policy, at(START)).after;
    expect(frozen.deadlineAt).toBeNull();
    const late = after(100 * DAY_MS);
    const thawed = decideStanding(frozen, { ...WELL, isPastDue: true }, policy, at(late));
    expect(thawed).toMatchObject({
      after: { state: 'suspended', reason: 'plan', deadlineAt: after(14 * DAY_MS, late) },
      news: [{ type: 'wallet.suspended' }],
    });
  });

  it('H08 H09 money on its way delays what its absence would bring, a day at most', () => {
    const past = { isPastDue: true };
    const coming = { ...past, isMoneyComing: true };
    expect(
      live(active, [
        [0, past],
        [72 * HOUR_MS, coming],
        [72 * HOUR_MS + DAY_MS - 1, coming],
        [72 * HOUR_MS + DAY_MS, coming],
      ]),
    ).toEqual(['empty grace', 'empty', 'empty', 'suspended suspended']);
  });

  it('a grace notice that quiet hours hold back comes an hour before the suspension at the latest', () => {
    const short = { ...policy, graceHours: 1 };
    const notice = after(9 * HOUR_MS);
    const { after: standing } = decideStanding(active, { ...WELL, isPastDue: true }, short, at(START, notice));
    expect(standing.deadlineAt).toEqual(after(10 * HOUR_MS));
  });

  it('nothing is released within the rescue window, and it comes once in a suspension', () => {
    const past = { ...WELL, isPastDue: true, stoppedVms: 2 };
    const suspended: Standing = {
      ...active,
      state: 'suspended',
      reason: 'plan',
      noticedAt: START,
      deadlineAt: after(HOUR_MS),
    };
    expect(mayRescue(suspended)).toBe(true);
    expect(mayRescue({ ...suspended, reason: 'operator' })).toBe(false);
    const rescued = { ...suspended, rescueUntil: after(DAY_MS) };
    expect([mayRescue(rescued), mayRun(rescued, after(DAY_MS - 1)), mayRun(rescued, after(DAY_MS))]).toEqual([
      false,
      true,
      false,
    ]);
    const decided = (ms: number) => decideStanding(rescued, past, policy, at(after(ms))).after.state;
    expect([decided(DAY_MS - 1), decided(DAY_MS)]).toEqual(['suspended', 'released']);
  });

  it('a warning is told again only after clearly more than its time was left', () => {
    const hours = (left: number) => ({ msLeft: left * HOUR_MS });
    expect(
      live(
        active,
        [24, 25, 24, 23, 200, 30, 24].map((left, index) => [index * HOUR_MS, hours(left)] as const),
      ),
    ).toEqual(['low runway', 'low', 'low', 'low', 'active', 'low runway', 'low runway']);
  });
});

const instant = fc.integer({ min: 0, max: 60 * 24 }).map((hours) => after(hours * HOUR_MS));
const factsArbitrary: fc.Arbitrary<StandingFacts> = fc.record({
  held: fc.bigInt(-5_000_000n, 20_000_000n),
  lowBalance: fc.constant(2_000_000n),
  freeze: fc.constantFrom(null, null, 'operator' as const, 'dispute' as const),
  isPastDue: fc.boolean(),
  hasPlan: fc.boolean(),
  vms: fc.integer({ min: 0, max: 3 }),
  stoppedVms: fc.integer({ min: 0, max: 3 }),
  isMoneyComing: fc.boolean(),
  msLeft: fc.option(fc.integer({ min: 0, max: 200 * HOUR_MS }), { nil: null }),
});

describe('any life of a wallet', () => {
  const seed = propertySeed('standing');

  it('tells everything once, suspends for money only after its notice, and releases only what was suspended', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(instant, factsArbitrary), { maxLength: 30 }), (steps) => {
        let standing = active;
        let noticed: Date | null = null;
        for (const [now, facts] of steps.toSorted(([a], [b]) => a.getTime() - b.getTime())) {
          const before = standing;
          const decided = decideStanding(before, facts, policy, at(now));
          standing = decided.after;
          const again = decideStanding(standing, facts, policy, at(now));
          expect(again.news).toEqual([]);
          expect(again.after).toEqual(standing);
          // Who looks without a lock knows what there is to write down, whenever a notice would come.
          expect(changesNothing(structuredClone(standing), again)).toBe(true);
          const isNothing = decided.news.length === 0 && isDeepStrictEqual(before, standing);
          const isHeldBack = decideStanding(before, facts, policy, at(now, after(DAY_MS, now)));
          expect([decided, isHeldBack].map((one) => changesNothing(structuredClone(before), one))).toEqual([
            isNothing,
            isNothing,
          ]);
          const types = decided.news.map(({ type }) => type);
          if (types.includes('wallet.grace')) noticed = now;
          const isMoney = standing.reason === 'plan' || standing.reason === 'balance';
          if (types.includes('wallet.suspended') && before.state !== 'suspended' && isMoney) {
            expect(noticed === null ? 0 : now.getTime() - noticed.getTime()).toBeGreaterThanOrEqual(72 * HOUR_MS);
          }
          if (types.includes('wallet.released')) {
            expect(before.state).toBe('suspended');
            expect(facts.freeze).toBeNull();
            expect(now.getTime()).toBeGreaterThanOrEqual(before.deadlineAt?.getTime() ?? Infinity);
          }
          // What the tables of the database hold.
          expect(standing.deadlineAt === null || standing.noticedAt !== null).toBe(true);
          expect(standing.state !== 'suspended' || standing.reason !== null).toBe(true);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

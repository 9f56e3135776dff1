import { assert, bigInt, boolean, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backOffUntil,
  conclude,
  decideRecharge,
  DECLINES_MAX,
  startOfNextMonth,
  type Conclusion,
  type RechargeFacts,
} from '../../src/domain/auto-recharge/decide.ts';
import { propertySeed } from '../support/property-seed.ts';

const NOW = new Date('2026-03-15T12:00:00.000Z');
const USD = 1_000_000n;
const FACTS: RechargeFacts = {
  state: 'on',
  notBefore: null,
  threshold: 10n * USD,
  target: 30n * USD,
  monthlyCap: 100n * USD,
  balance: 4n * USD,
  isFrozen: false,
  hasOpenCharge: false,
  charged: 0n,
  chargeMin: 5n * USD,
  chargeMax: 50n * USD,
};
const decided = (changes: Partial<RechargeFacts> = {}) => decideRecharge({ ...FACTS, ...changes }, NOW);

describe('whether a wallet is charged, and how much', () => {
  it.each([
    ['fills to the target', {}, 26n * USD],
    ['covers a debt, too', { balance: -5n * USD }, 35n * USD],
    ['is rounded up to whole cents', { balance: 4n * USD + 1n }, 26n * USD],
    ['is rounded up from a fraction owed', { balance: -1n }, 30n * USD + 10_000n],
    ['is at most the largest top-up', { balance: -200n * USD }, 50n * USD],
    ['is at least the smallest top-up', { target: 11n * USD, balance: 9_999_999n }, 5n * USD],
    ['is what the month leaves', { charged: 90n * USD }, 10n * USD],
    ['is whole cents of what the month leaves', { charged: 90n * USD + 1n }, 9_990_000n],
    ['comes again when its time has come', { notBefore: NOW }, 26n * USD],
  ] as const)('%s', (_, changes, amount) => {
    expect(decided(changes)).toEqual({ kind: 'charge', amount });
  });

  it.each([
    ['at the threshold', { balance: 10n * USD }],
    ['while a charge is under way', { hasOpenCharge: true }],
    ['of a frozen wallet', { isFrozen: true }],
    ['when it is off', { state: 'off' }],
    ['when the owner must act', { state: 'action_required' }],
    ['before its time', { notBefore: new Date(NOW.getTime() + 1) }],
  ] as const)('nothing happens %s', (_, changes) => {
    expect(decided(changes)).toEqual({ kind: 'nothing' });
  });

  it('a month that leaves less than the smallest top-up is over for it', () => {
    const until = new Date('2026-04-01T00:00:00.000Z');
    expect(decided({ charged: 96n * USD })).toEqual({ kind: 'capped', until });
    expect(decided({ charged: 200n * USD })).toEqual({ kind: 'capped', until });
    expect(startOfNextMonth(new Date('2026-12-31T23:59:59.999Z'))).toEqual(new Date('2027-01-01T00:00:00.000Z'));
  });

  it('no charge goes over the cap, over the limits, or into parts of a cent', () => {
    const seed = propertySeed('recharge');
    const amount = bigInt({ min: -1_000n * USD, max: 1_000n * USD });
    assert(
      property(record({ balance: amount, charged: amount, threshold: amount, isFrozen: boolean() }), (facts) => {
        const charged = facts.charged < 0n ? -facts.charged : facts.charged;
        const target = facts.threshold + 20n * USD;
        const decision = decided({ ...facts, charged, target });
        if (decision.kind !== 'charge') return;
        expect(decision.amount % 10_000n).toBe(0n);
        expect(decision.amount).toBeGreaterThanOrEqual(FACTS.chargeMin);
        expect(decision.amount).toBeLessThanOrEqual(FACTS.chargeMax);
        expect(charged + decision.amount).toBeLessThanOrEqual(FACTS.monthlyCap);
        expect(facts.balance).toBeLessThan(facts.threshold);
      }),
      { seed, numRuns: 300 },
    );
  });
});

describe('what the end of a charge means', () => {
  const ON: Conclusion = { state: 'on', reason: null, declines: 0, notBefore: null };
  const declined = { state: 'failed', decline: 'declined' } as const;

  it('a refusal waits an hour, then two, then four, and the fourth in a row switches off', () => {
    let at: Conclusion = ON;
    const waits: number[] = [];
    while (at.state === 'on') {
      const next = conclude(at, declined, NOW);
      if (next === null) throw new Error('a refusal is an end');
      if (next.notBefore) waits.push((next.notBefore.getTime() - NOW.getTime()) / 3_600_000);
      at = next;
    }
    expect(waits).toEqual([1, 2, 4]);
    expect(at).toEqual({ state: 'off', reason: 'declined', declines: DECLINES_MAX, notBefore: null });
    expect(backOffUntil(NOW, 1).getTime() - NOW.getTime()).toBeGreaterThanOrEqual(3_600_000);
  });

  it('money ends every wait, and what is off stays off', () => {
    const waiting: Conclusion = { state: 'on', reason: 'declined', declines: 3, notBefore: NOW };
    const paid = { state: 'credited', decline: null } as const;
    expect(conclude(waiting, paid, NOW)).toEqual(ON);
    expect(conclude({ ...waiting, state: 'action_required' }, paid, NOW)).toEqual(ON);
    const off: Conclusion = { ...waiting, state: 'off', reason: 'by_user' };
    expect(conclude(off, paid, NOW)).toEqual(off);
    expect(conclude(off, declined, NOW)).toEqual(off);
  });

  it('a bank that wants the owner, and a charge under review, stop it', () => {
    const authentication = { state: 'failed', decline: 'authentication_required' } as const;
    expect(conclude(ON, authentication, NOW)).toMatchObject({ state: 'action_required', reason: 'authentication' });
    expect(conclude(ON, { state: 'quarantined', decline: null }, NOW)).toMatchObject({
      state: 'off',
      reason: 'under_review',
    });
    expect(conclude(ON, { state: 'failed', decline: null }, NOW)).toMatchObject({
      state: 'on',
      reason: 'not_possible',
    });
    expect(conclude(ON, { state: 'processing', decline: null }, NOW)).toBeNull();
  });
});

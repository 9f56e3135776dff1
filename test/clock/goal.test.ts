import { describe, expect, it } from 'vitest';
import { goalOf, nextStop } from '../../src/domain/clock/goal.ts';
import { isRefusal } from '../../src/domain/refusal.ts';

const NOW = new Date('2027-02-28T22:30:00Z');
const DAY_MS = 86_400_000;

const goal = (by?: string, to?: string, aheadMs = 0): string => {
  const answer = goalOf({ by, to: to === undefined ? undefined : new Date(to) }, NOW, aheadMs);
  return isRefusal(answer) ? answer.code : answer.toISOString();
};

describe('where the clock is to go', () => {
  it.each([
    ['40d', '2027-04-09T22:30:00.000Z'],
    ['6h', '2027-03-01T04:30:00.000Z'],
    ['90m', '2027-03-01T00:00:00.000Z'],
    ['2w', '2027-03-14T22:30:00.000Z'],
  ])('%s from now is so many of 24 hours', (by, at) => expect(goal(by)).toBe(at));

  it('is an instant as well', () => expect(goal(undefined, '2028-01-01T00:00:00Z')).toBe('2028-01-01T00:00:00.000Z'));

  it('is not nowhere, not two places, not the past and not now', () => {
    expect(goal()).toBe('invalid_request');
    expect(goal('1d', '2028-01-01T00:00:00Z')).toBe('invalid_request');
    expect(goal(undefined, NOW.toISOString())).toBe('invalid_request');
    expect(goal(undefined, '2027-02-28T22:29:59Z')).toBe('invalid_request');
  });

  it('is at most five years ahead of the machine, however it gets there', () => {
    expect(goal('1830d')).toBe('2032-03-03T22:30:00.000Z');
    expect(goal('1831d')).toBe('invalid_request');
    expect(goal('1d', undefined, 1_829 * DAY_MS)).toBe('2027-03-01T22:30:00.000Z');
    expect(goal('1d', undefined, 1_830 * DAY_MS)).toBe('invalid_request');
  });
});

describe('where it stops on its way', () => {
  const far = new Date('2027-06-01T00:00:00Z');
  const stop = (due: string | null, end = far): string =>
    nextStop(NOW, end, due === null ? null : new Date(due)).toISOString();

  it('is where something is due, else the next midnight, else its goal', () => {
    expect(stop('2027-02-28T23:00:00Z')).toBe('2027-02-28T23:00:00.000Z');
    expect(stop('2027-03-05T00:00:00Z')).toBe('2027-03-01T00:00:00.000Z');
    expect(stop(null)).toBe('2027-03-01T00:00:00.000Z');
    expect(stop('2027-02-28T23:00:00Z', new Date('2027-02-28T22:45:00Z'))).toBe('2027-02-28T22:45:00.000Z');
  });

  it('is never where it stands: what stays due does not hold it up', () => {
    expect(stop(NOW.toISOString())).toBe('2027-03-01T00:00:00.000Z');
    expect(stop('2020-01-01T00:00:00Z')).toBe('2027-03-01T00:00:00.000Z');
  });
});

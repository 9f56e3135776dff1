import { describe, expect, it } from 'vitest';
import { SharedRead } from '../../src/store/shared-read.ts';
import { testPorts } from '../support/ports.ts';

/** A read that the test answers; what was asked for is in `asked`. */
function readByHand() {
  const asked: { readonly keys: readonly string[]; answer: (error?: Error) => void }[] = [];
  const read = (keys: readonly string[]): Promise<ReadonlyMap<string, string>> =>
    new Promise((resolve, reject) => {
      const found = new Map(keys.map((key) => [key, key.toUpperCase()]));
      asked.push({ keys, answer: (error) => (error ? reject(error) : resolve(found)) });
    });
  return { asked, shared: new SharedRead(testPorts({ seed: 1 }).clock, read) };
}

/** Until everything that can go on has gone on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a shared read', () => {
  it('serves those who ask at the same moment by one statement, each with its own', async () => {
    const { asked, shared } = readByHand();
    const answers = Promise.all([shared.load(['a', 'b']), shared.load(['b', 'c'])]);
    await settle();
    expect(asked.map(({ keys }) => keys)).toEqual([['a', 'b', 'c']]);
    asked[0]?.answer();
    const [first, second] = await answers;
    expect([first.get('a'), second.get('c')]).toEqual(['A', 'C']);
  });

  it('begins after it was asked for: nobody joins a read that is under way', async () => {
    const { asked, shared } = readByHand();
    const first = shared.load(['a']);
    await settle();
    const second = shared.load(['a']);
    await settle();
    expect(asked).toHaveLength(2);
    asked[1]?.answer();
    expect((await second).get('a')).toBe('A');
    asked[0]?.answer();
    expect((await first).get('a')).toBe('A');
  });

  it('lets the next ones gather while two are under way', async () => {
    const { asked, shared } = readByHand();
    const answers = [shared.load(['a'])];
    await settle();
    answers.push(shared.load(['b']));
    await settle();
    answers.push(shared.load(['c']));
    await settle();
    answers.push(shared.load(['d']));
    await settle();
    expect(asked.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
    asked[1]?.answer();
    await settle();
    expect(asked.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c', 'd']]);
    asked[0]?.answer();
    asked[2]?.answer();
    await Promise.all(answers);
  });

  it('fails for all who share it, and for nobody after them', async () => {
    const { asked, shared } = readByHand();
    const failing = Promise.allSettled([shared.load(['a']), shared.load(['b'])]);
    await settle();
    asked[0]?.answer(new Error('away'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = shared.load(['a']);
    await settle();
    asked[1]?.answer();
    expect((await next).get('a')).toBe('A');
  });
});

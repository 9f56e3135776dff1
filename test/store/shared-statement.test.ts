import { describe, expect, it } from 'vitest';
import { SharedStatement } from '../../src/store/shared-statement.ts';
import { testPorts } from '../support/ports.ts';

/** A read that the test answers; what was asked for is in `asked`. */
function readByHand() {
  const asked: { readonly keys: readonly string[]; answer: (error?: Error) => void }[] = [];
  const read = (keys: readonly string[]): Promise<ReadonlyMap<string, string>> =>
    new Promise((resolve, reject) => {
      const found = new Map(keys.map((key) => [key, key.toUpperCase()]));
      asked.push({ keys, answer: (error) => (error ? reject(error) : resolve(found)) });
    });
  return { asked, shared: new SharedStatement(testPorts({ seed: 1 }).clock, read) };
}

/** Until everything that can go on has gone on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a shared statement', () => {
  it('serves those who ask at the same moment by one statement, each with its own', async () => {
    const { asked, shared } = readByHand();
    const answers = Promise.all([shared.ask(['a', 'b']), shared.ask(['b', 'c'])]);
    await settle();
    expect(asked.map(({ keys }) => keys)).toEqual([['a', 'b', 'c']]);
    asked[0]?.answer();
    const [first, second] = await answers;
    expect([first.get('a'), second.get('c')]).toEqual(['A', 'C']);
  });

  it('begins after it was asked for: nobody joins one that is under way', async () => {
    const { asked, shared } = readByHand();
    const first = shared.ask(['a']);
    await settle();
    const second = shared.ask(['a']);
    await settle();
    expect(asked).toHaveLength(2);
    asked[1]?.answer();
    expect((await second).get('a')).toBe('A');
    asked[0]?.answer();
    expect((await first).get('a')).toBe('A');
  });

  it('lets the next ones gather while two are under way', async () => {
    const { asked, shared } = readByHand();
    const answers = [shared.ask(['a'])];
    await settle();
    answers.push(shared.ask(['b']));
    await settle();
    answers.push(shared.ask(['c']));
    await settle();
    answers.push(shared.ask(['d']));
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
    const failing = Promise.allSettled([shared.ask(['a']), shared.ask(['b'])]);
    await settle();
    asked[0]?.answer(new Error('away'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = shared.ask(['a']);
    await settle();
    asked[1]?.answer();
    expect((await next).get('a')).toBe('A');
  });
});

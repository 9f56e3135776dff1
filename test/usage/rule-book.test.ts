import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { RulePages } from '../../src/operations/usage/rule-book.ts';
import { SharedStatement } from '../../src/store/shared-statement.ts';
import { testPorts } from '../support/ports.ts';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound, itemsOf, openProcess, post, reporting, type OtherProcess } from './reporting.ts';

/** A table of rules that the test writes, and when its statements are answered. */
function tableByHand() {
  const rules = new Map<string, readonly string[]>();
  const asked: (readonly string[])[] = [];
  let held: (() => void)[] | null = null;
  const read = async (keys: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> => {
    asked.push(keys);
    const found = new Map(keys.flatMap((key) => (rules.has(key) ? [[key, rules.get(key) ?? []] as const] : [])));
    if (held) await new Promise<void>((resolve) => held?.push(resolve));
    return found;
  };
  return {
    rules,
    asked,
    pages: new RulePages(new SharedStatement(testPorts({ seed: 1 }).clock, read)),
    hold: () => void (held = []),
    letGo: () => {
      const waiting = held ?? [];
      held = null;
      for (const go of waiting) go();
    },
  };
}

/** Until everything that can go on has gone on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('rules that are kept', () => {
  it('are read once an edition, those that there are not as well', async () => {
    const { rules, asked, pages } = tableByHand();
    rules.set('llm', ['first']);
    expect(await pages.find(['llm', 'vm'], 1n)).toEqual(['first']);
    rules.set('llm', ['second']);
    rules.set('vm', ['new']);
    expect(await pages.find(['llm', 'vm'], 1n)).toEqual(['first']);
    expect(asked).toHaveLength(1);
    expect(await pages.find(['vm', 'llm'], 2n)).toEqual(['new', 'second']);
    expect(asked).toHaveLength(2);
  });

  it('are those of the newest edition that anybody saw', async () => {
    const { rules, pages } = tableByHand();
    rules.set('llm', ['first']);
    await pages.find(['llm'], 2n);
    expect(await pages.find(['llm'], 1n)).toEqual(['first']);
  });

  it('are not kept when the edition moved while they were read', async () => {
    const { rules, asked, pages, hold, letGo } = tableByHand();
    rules.set('llm', ['old']);
    hold();
    const first = pages.find(['llm'], 1n);
    await settle();
    rules.set('llm', ['new']);
    const second = pages.find(['llm'], 2n);
    await settle();
    letGo();
    expect([await first, await second]).toEqual([['old'], ['new']]);
    expect(await pages.find(['llm'], 2n)).toEqual(['new']);
    expect(asked).toHaveLength(2);
  });

  it('are not lost to a reader when the edition moves while it reads others', async () => {
    const { rules, pages, hold, letGo } = tableByHand();
    rules.set('llm', ['old']);
    rules.set('vm', ['vm']);
    await pages.find(['llm'], 1n);
    hold();
    const both = pages.find(['llm', 'vm'], 1n);
    await settle();
    void pages.find(['llm'], 2n);
    await settle();
    letGo();
    expect(await both).toEqual(['old', 'vm']);
  });

  it('do not grow with the names that somebody invents', async () => {
    const { asked, pages } = tableByHand();
    for (let number = 0; number < 1_100; number += 1) await pages.find([`category_${number}`], 1n);
    await pages.find(['category_0'], 1n);
    expect(asked).toHaveLength(1_101);
  });
});

describe('of two processes', () => {
  let site: TestSite;
  let other: OtherProcess;
  beforeAll(async () => {
    site = await testSite();
    other = openProcess(site);
  });
  afterAll(async () => {
    await other.lanes.close();
    await closeSound(site);
  });

  it('each charges by a price, a ladder and a price of a model that the other one has just made', async () => {
    const { usage, report } = reporting(site);
    const { userSid } = await site.wallet(10_000);
    const node = await site.node();
    const terms = { category: 'disk', unit: 'gib', kind: 'per_unit' };
    const charges = async (more: Record<string, unknown>): Promise<unknown[]> => {
      const record = () => usage(userSid, { applies_to: 'disk', resource_kind: 'ssd', ...more });
      const [ours, theirs] = [
        await report(node, [record()]),
        await post(other.app, '/v1/usage', { records: [record()] }, node.headers),
      ];
      return [...itemsOf(ours), ...itemsOf(theirs)].map(({ charge, code }) => charge ?? code);
    };
    expect(await charges({})).toEqual(['state_conflict', 'state_conflict']);
    expect((await site.operator('POST', '/v1/prices', { ...terms, amount: '1' })).status).toBe(201);
    expect(await charges({})).toEqual(['1.00', '1.00']);
    await site.ports.clock.advance(1);
    expect((await site.operator('POST', '/v1/prices', { ...terms, amount: '2' })).status).toBe(201);
    expect(await charges({})).toEqual(['2.00', '2.00']);
    const ladder = { category: 'disk', rungs: [{ after_days: 1, multiplier: '0.5' }], grace_days: 7 };
    expect((await site.operator('POST', '/v1/ladders', ladder)).status).toBe(201);
    expect(await charges({})).toEqual(['2.00', '2.00']);
    await site.ports.clock.advance(25 * 3_600_000);
    expect(await charges({})).toEqual(['1.00', '1.00']);
    const call = {
      applies_to: 'llm',
      resource_kind: 'm/new',
      provider: 'groq',
      tokens: { input: 1_000_000, output: 0 },
    };
    expect(await charges(call)).toEqual(['state_conflict', 'state_conflict']);
    const model = { provider: 'groq', model: 'm/new', input: '1', output: '1' };
    expect((await site.operator('POST', '/v1/model-prices', model)).status).toBe(201);
    expect(await charges(call)).toEqual(['1.10', '1.10']);
  });
});

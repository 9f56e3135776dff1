import { inspect } from 'node:util';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DIALECTS, type Fault } from '../../sandbox/forge/switches.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { pushUsage, pushUsageByClock, type Pushed } from '../../src/operations/usage/push-usage.ts';
import { pruneUsageQueue } from '../../src/operations/usage/prune-queue.ts';
import { readNode } from '../../src/store/node.ts';
import { markPushed } from '../../src/store/usage-queue.ts';
import type { House } from '../../src/operations/house.ts';
import { FORGE_TOKEN, hasty, otoml, testForge, type TestForge } from '../support/forge.ts';
import { testSite, type Answer, type TestSite } from '../transport/site.ts';
import { HOUR_MS, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

let forge: TestForge;
let site: TestSite;
let house: House;
let usage: Reporting['usage'];
let node: Node & { readonly name: string };

beforeAll(async () => {
  site = await testSite();
  ({ usage } = reporting(site));
});
afterAll(() => site.close());
beforeEach(async () => {
  forge = await testForge();
  house = hasty({ ...site.house, usageRepository: null });
  house = { ...house, usageRepository: forge.repository(house.ports) };
  const name = `node-${site.ports.ids.sid().toLowerCase()}`;
  node = { ...(await site.node({ name })), name };
});
afterEach(async () => {
  forge.running.switches.faults.length = 0;
  forge.running.switches.hasManyFiles = true;
  // What a test left in the queue is not the next one's.
  await push();
  await forge.close();
});

const NOBODY = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
const ago = (hours: number): string => new Date(site.ports.clock.now().getTime() - hours * HOUR_MS).toISOString();
const record = (hours = 0, more: Record<string, unknown> = {}): Record<string, unknown> =>
  usage(NOBODY, { occurred_at: ago(hours), ...more });
const queue = (records: readonly unknown[], headers = node.headers): Promise<Answer> =>
  site.call('POST', '/v1/usage/queue', { body: { records }, headers });
const pathOf = (hours: number): string => `nodes/${node.name}/usage_${ago(hours).slice(0, 13).replace('T', '-')}.otoml`;
const keysIn = (hours: number): string[] =>
  [...(forge.text(pathOf(hours)) ?? '').matchAll(/^idempotency_key = "(.*)"$/gm)].map(([, key]) => key ?? '');
const keyOf = (one: Record<string, unknown>): string => String(one['idempotency_key']);
const writes = (): number => forge.journal.filter(({ method }) => method !== 'GET').length;

async function push(with_: House = house): Promise<Pushed> {
  const pushed = await pushUsage(with_);
  if (isRefusal(pushed)) throw new Error(pushed.message);
  return pushed;
}
const outcomes = ({ files }: Pushed): unknown[] => files.map(({ outcome, added }) => [outcome, added]);

describe('the queue', () => {
  test('forgets what was pushed 90 days ago, and nothing that waits; a key that comes again is known by the file', async () => {
    const [old, waiting] = [record(2), record(1)];
    await queue([old]);
    await push();
    await queue([waiting]);
    await site.ports.clock.advance(90 * 24 * HOUR_MS - 60_000);
    expect(await pruneUsageQueue(house)).toEqual({ removed: 0 });
    await site.ports.clock.advance(120_000);
    expect(await Promise.all([pruneUsageQueue(house), pruneUsageQueue(house)])).toContainEqual({ removed: 1 });
    expect(await pruneUsageQueue(house)).toEqual({ removed: 0 });
    expect(outcomesOf(await queue([old, waiting]))).toEqual(['queued', 'queued']);
    expect(outcomes(await push())).toEqual([
      ['unchanged', 0],
      ['written', 1],
    ]);
  });

  test('keeps what is in conflict until people have looked', async () => {
    const one = record(2);
    await queue([one]);
    await push();
    const { id = 0n } = (await readNode(house.db, node.sid)) ?? {};
    await markPushed(house.db, id, {
      keys: [keyOf(one)],
      conflicts: [keyOf(one)],
      at: site.ports.clock.now(),
    });
    await site.ports.clock.advance(91 * 24 * HOUR_MS);
    await pruneUsageQueue(house);
    expect(outcomesOf(await queue([{ ...one, quantity: '9' }]))).toEqual(['idempotency_key_reused']);
  });
});

describe.each(DIALECTS)('a push to a Forge that speaks %s', (dialect) => {
  beforeEach(() => {
    forge.running.switches.dialect = dialect;
  });

  test('writes a file an hour in one commit, merges what comes later, and does nothing twice', async () => {
    const [a, b, c] = [record(2), record(2), record(1)];
    await queue([a, b, c]);
    expect(outcomes(await push())).toEqual([
      ['written', 2],
      ['written', 1],
    ]);
    expect(forge.commits()).toBe(1);
    expect(keysIn(2)).toEqual([keyOf(a), keyOf(b)].toSorted());
    expect(await push()).toEqual({ files: [], commits: 0, waiting: 0 });
    // A key stands for its record for ever, not only while it waits.
    expect(outcomesOf(await queue([a, { ...b, quantity: '7' }]))).toEqual(['queued', 'idempotency_key_reused']);
    const late = record(2);
    await queue([late]);
    expect(outcomes(await push())).toEqual([['written', 1]]);
    expect(keysIn(2)).toEqual([keyOf(a), keyOf(b), keyOf(late)].toSorted());
    expect(forge.commits()).toBe(2);
  });

  test.each([true, false])(
    'keeps what a rival wrote in between, new file or old (several files at once: %s)',
    async (hasManyFiles) => {
      forge.running.switches.hasManyFiles = hasManyFiles;
      const [a, b] = [record(2), record(1)];
      // The first answer tells an old release: 404. A rival that struck there would only be a file that is there already.
      const strike = (method: 'POST' | 'PUT'): void =>
        forge.fault({ kind: 'rival', method, path: hasManyFiles ? '/contents' : '/contents/nodes', times: 1 });
      strike('POST');
      await queue([a, b]);
      expect(outcomes(await push())).toEqual([
        ['written', 1],
        ['written', 1],
      ]);
      expect(keysIn(2)).toEqual([keyOf(a), expect.stringMatching(/^rival-/)]);
      const late = record(2);
      await queue([late]);
      strike(hasManyFiles ? 'POST' : 'PUT');
      await push();
      expect(keysIn(2)).toEqual([
        ...[keyOf(a), keyOf(late)].toSorted(),
        expect.stringMatching(/^rival-/),
        expect.stringMatching(/^rival-/),
      ]);
      expect(forge.journal.some(({ status }) => [400, 409, 422].includes(status ?? 0))).toBe(true);
    },
  );

  test('whose rival is always faster gives up, and everything waits', async () => {
    await queue([record(1)]);
    forge.fault({ kind: 'rival', method: 'POST' });
    const refused = await pushUsage(house);
    expect(isRefusal(refused) && refused.code).toBe('unavailable');
    expect(writes()).toBe(6);
    forge.running.switches.faults.length = 0;
    expect(outcomes(await push())).toEqual([['written', 1]]);
  });
});

describe('a push whose answer is lost', () => {
  const kinds: readonly Fault['kind'][] = [
    'error-after-effect',
    'reset-after-effect',
    'reset-in-body',
    'truncated',
    'html',
    'huge',
    'error-before-effect',
  ];
  test.each(kinds)('to %s finds by reading again what became of it', async (kind) => {
    const [a, b] = [record(2), record(1)];
    await queue([a, b]);
    forge.fault({ kind, method: 'POST', times: 1 });
    expect(await push()).toMatchObject({ waiting: 0 });
    expect([keysIn(2), keysIn(1)]).toEqual([[keyOf(a)], [keyOf(b)]]);
    expect(forge.commits()).toBe(1);
  });

  test.each(['timeout-before-effect', 'timeout-after-effect'] as const)(
    'to %s goes on after its deadline',
    async (kind) => {
      const a = record(1);
      await queue([a]);
      forge.fault({ kind, method: 'POST', times: 1 });
      const pushing = push();
      await expect.poll(() => forge.journal.filter(({ fault }) => fault === kind).length).toBe(1);
      await site.ports.clock.advance(30_000);
      expect(await pushing).toMatchObject({ waiting: 0 });
      expect(keysIn(1)).toEqual([keyOf(a)]);
      expect(forge.commits()).toBe(1);
    },
  );
});

describe('a Forge that is away or refuses', () => {
  test.each([
    'error-before-effect',
    'rate-limit',
    'redirect',
    'html',
    'empty-object',
    'truncated',
    'huge',
    'reset-after-effect',
  ] as const)('by %s loses nothing: the next push delivers', async (kind) => {
    const a = record(1);
    await queue([a]);
    forge.fault({ kind });
    const refused = await pushUsage(house);
    expect(refused).toMatchObject({ code: 'unavailable', retryAfterSeconds: 60 });
    expect(writes()).toBe(0);
    forge.running.switches.faults.length = 0;
    expect(outcomes(await push())).toEqual([['written', 1]]);
    expect(keysIn(1)).toEqual([keyOf(a)]);
  });

  test('passes by itself: a read is tried again', async () => {
    await queue([record(1)]);
    forge.fault({ kind: 'rate-limit', method: 'GET', times: 1, retryAfterSeconds: 2 });
    forge.fault({ kind: 'reset-after-effect', method: 'GET', times: 1 });
    expect(outcomes(await push())).toEqual([['written', 1]]);
  });

  test('is logged, without the token in any line, message or error', async () => {
    await queue([record(1)]);
    await forge.running.close();
    expect(await pushUsage(house)).toMatchObject({ code: 'unavailable' });
    const wrong = {
      ...house,
      usageRepository: (await import('../../src/providers/forge/index.ts')).forgeRepository({
        url: 'http://127.0.0.1:1',
        repository: 'org/usage',
        branch: 'main',
        token: FORGE_TOKEN,
        ports: house.ports,
      }),
    };
    const refused = await pushUsage(wrong);
    expect(refused).toMatchObject({ code: 'unavailable' });
    const said = inspect([site.ports.log.lines, refused], { depth: null, showHidden: true });
    expect(said).toContain('could not be pushed');
    expect(said).not.toContain(FORGE_TOKEN);
    forge = await testForge();
    house = { ...house, usageRepository: forge.repository(house.ports) };
  });

  test('a token that is refused, and a branch that is not there, are named', async () => {
    const { forgeRepository } = await import('../../src/providers/forge/index.ts');
    await queue([record(1)]);
    const options = {
      url: forge.running.url,
      repository: 'org/usage',
      branch: 'main',
      token: FORGE_TOKEN,
      ports: house.ports,
    };
    const asked = async (more: Partial<typeof options>): Promise<unknown> => {
      const refused = await pushUsage({ ...house, usageRepository: forgeRepository({ ...options, ...more }) });
      return isRefusal(refused) ? refused.message : refused;
    };
    expect(await asked({ token: 'wrong' })).toMatch(/401.*FORGE_USAGE_TOKEN/);
    expect(await asked({ branch: 'other' })).toMatch(/404.*FORGE_USAGE_BRANCH/);
    expect(await asked({ repository: 'org/other' })).toMatch(/404.*FORGE_USAGE_REPOSITORY/);
  });
});

describe('what is in the repository', () => {
  test('stays when it has a key with another content, and the conflict is told once', async () => {
    const [a, b] = [record(1), record(1)];
    forge.put(pathOf(1), otoml([{ ...a, quantity: '9' }]));
    await queue([a, b]);
    const { files } = await push();
    expect(files).toMatchObject([{ outcome: 'written', added: 1, conflicts: [keyOf(a)] }]);
    expect(forge.text(pathOf(1))).toContain('quantity = "9"');
    expect(keysIn(1)).toEqual([keyOf(a), keyOf(b)].toSorted());
    expect(await push()).toMatchObject({ files: [], waiting: 0 });
  });

  test('is not written over when it cannot be read; the other hours go on, and the clock calls for people', async () => {
    const [a, b] = [record(2), record(1)];
    forge.put(pathOf(2), '[[records]]\nidempotency_key = "cut');
    await queue([a, b]);
    await pushUsageByClock(house);
    expect(forge.text(pathOf(2))).toContain('cut');
    expect(keysIn(1)).toEqual([keyOf(b)]);
    expect(site.ports.log.lines.at(-1)).toMatchObject({
      level: 'error',
      facts: { outcome: 'malformed', path: pathOf(2) },
    });
    forge.put(pathOf(2), null);
    expect(await push()).toMatchObject({ waiting: 0 });
    expect(keysIn(2)).toEqual([keyOf(a)]);
  });

  test('is not made larger than what is read', async () => {
    forge.put(pathOf(1), otoml([{ idempotency_key: 'large', description: 'x'.repeat(8 * 1_048_576 - 200) }]));
    await queue([record(1)]);
    expect(await push()).toMatchObject({ files: [{ outcome: 'too_large', added: 0 }], waiting: 1 });
    forge.put(pathOf(1), null);
    expect(outcomes(await push())).toEqual([['written', 1]]);
  });

  test('counts, and not what we remember: a lost row of ours adds nothing, a lost file is made whole', async () => {
    const [a, b] = [record(1), record(1)];
    await queue([a, b]);
    await push();
    const forget = { name: 'test.forget', text: `update usage_queue set pushed_at = null where idempotency_key = $1` };
    await site.database.owner.query(forget, [keyOf(a)]);
    expect(outcomes(await push())).toEqual([['unchanged', 0]]);
    expect(forge.commits()).toBe(1);
    forge.put(pathOf(1), null);
    await site.database.owner.query(forget, [keyOf(a)]);
    expect(outcomes(await push())).toEqual([['written', 2]]);
    expect(keysIn(1)).toEqual([keyOf(a), keyOf(b)].toSorted());
  });

  test('is a repository that Git finds nothing wrong with', async () => {
    forge.put('README.md', 'usage');
    forge.put('nodes/x/link.otoml', '../y', '120000');
    for (const hours of [1, 2, 3]) {
      await queue([record(hours), record(hours)]);
      await push();
    }
    forge.put('nodes/x/link.otoml', null);
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'safe.directory=*', '-C', forge.folder, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    expect(git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(git('log', '--oneline').trim().split('\n')).toHaveLength(6);
    expect(git('show', `main:${pathOf(1)}`)).toBe(forge.text(pathOf(1)));
  });
});

describe('much at once', () => {
  test('1,500 records of an hour and three days of hours go in commits of 24 files', async () => {
    const many = Array.from({ length: 1_500 }, () => record(1));
    const days = Array.from({ length: 72 }, (_, hours) => record(hours + 2));
    for (const sent of [many.slice(0, 1_000), many.slice(1_000), days]) {
      expect(new Set(outcomesOf(await queue(sent)))).toEqual(new Set(['queued']));
    }
    const pushed = await push();
    expect(pushed).toMatchObject({ commits: 4, waiting: 0 });
    expect(pushed.files).toHaveLength(73);
    expect(forge.commits()).toBe(4);
    expect(keysIn(1)).toHaveLength(1_500);
  });

  test('large files do not share a commit', async () => {
    const large = { idempotency_key: 'large', description: 'x'.repeat(3 * 1_048_576) };
    for (const hours of [1, 2, 3]) forge.put(pathOf(hours), otoml([large]));
    await queue([1, 2, 3].map((hours) => record(hours)));
    expect(await push()).toMatchObject({ commits: 3, waiting: 0, files: [{ added: 1 }, { added: 1 }, { added: 1 }] });
    expect(forge.commits()).toBe(6);
  });

  test('two pushes at once write everything once', async () => {
    const sent = Array.from({ length: 30 }, (_, index) => record((index % 3) + 1));
    await queue(sent);
    const other = { ...house, usageRepository: forge.repository(house.ports) };
    await Promise.all([push(), push(other)]);
    expect([1, 2, 3].flatMap(keysIn).toSorted()).toEqual(sent.map(keyOf).toSorted());
    expect(forge.commits()).toBe(1);
    expect(await push()).toMatchObject({ files: [], waiting: 0 });
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { House } from '../../src/operations/house.ts';
import { aggregateUsage, type AggregatedFolder } from '../../src/operations/usage/aggregate-usage.ts';
import { pushUsage } from '../../src/operations/usage/push-usage.ts';
import { hasty, otoml, testForge, type TestForge } from '../support/forge.ts';
import { refusalOf, testSite, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

let forge: TestForge;
let site: TestSite;
let house: House;
let usage: Reporting['usage'];
let report: Reporting['report'];
let node: Node & { readonly name: string };
let wallet: { sid: string; userSid: string };

beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));
beforeEach(async () => {
  forge = await testForge();
  const unconnected = hasty(site.house);
  house = { ...unconnected, usageRepository: forge.repository(unconnected.ports) };
  node = await newNode();
  wallet = await site.wallet(1_000_000);
});
afterEach(() => forge.close());

async function newNode(
  asked: { readonly name?: string; readonly [field: string]: unknown } = {},
): Promise<Node & { readonly name: string }> {
  const given = { name: `node-${site.ports.ids.sid().toLowerCase()}`, ...asked };
  return { ...(await site.node(given)), name: given.name };
}

const ago = (hours: number): string => new Date(site.ports.clock.now().getTime() - hours * HOUR_MS).toISOString();
const record = (more: Record<string, unknown> = {}): Record<string, unknown> =>
  usage(wallet.userSid, { occurred_at: ago(1), ...more });
const pathOf = (hours = 1, name = node.name): string =>
  `nodes/${name}/usage_${ago(hours).slice(0, 13).replace('T', '-')}.otoml`;
const balance = async (): Promise<unknown> =>
  (await site.operator('GET', `/v1/billings/${wallet.sid}`)).json['credit_balance'];
const quarantine = async (query = ''): Promise<Record<string, unknown>[]> =>
  itemsOf(await site.operator('GET', `/v1/usage/quarantine?node_sid=${node.sid}${query}`));

async function aggregateAll(isFull = false, with_: House = house): Promise<AggregatedFolder[]> {
  const folders = await aggregateUsage(with_, { isFull });
  if (isRefusal(folders)) throw new Error(folders.message);
  return folders;
}
async function aggregate(isFull = false): Promise<AggregatedFolder> {
  const folder = (await aggregateAll(isFull)).find(({ name }) => name === node.name);
  if (!folder) throw new Error('the folder was not looked at');
  return folder;
}
/** What was asked of the Forge meanwhile. */
async function asked(of: () => Promise<unknown>): Promise<number> {
  const before = forge.journal.length;
  await of();
  return forge.journal.length - before;
}

describe('a folder', () => {
  test('is charged record by record, once, and skipped until it changes', async () => {
    forge.put(pathOf(2), otoml([record(), record({ quantity: '0.5' })]));
    forge.put(pathOf(1), otoml([record()]));
    expect(await aggregate()).toMatchObject({ outcome: 'read', files: 2, applied: 3, refused: 0, nodeSid: node.sid });
    expect(await balance()).toBe('9999.725');
    // The list of nodes and the newest commit of one.
    expect(await asked(aggregate)).toBe(2);
    expect(await aggregate()).toMatchObject({ outcome: 'unchanged', files: 0 });
    forge.put(pathOf(1), `${forge.text(pathOf(1)) ?? ''}\n${otoml([record()])}`);
    // And the listing, and the one file that changed.
    expect(
      await asked(async () =>
        expect(await aggregate()).toMatchObject({ outcome: 'read', files: 1, applied: 1, repeated: 1 }),
      ),
    ).toBe(4);
    expect(await balance()).toBe('9999.615');
  });

  test('of another node does not make it read again', async () => {
    forge.put(pathOf(), otoml([record()]));
    await aggregate();
    const other = await newNode();
    forge.put(pathOf(1, other.name), otoml([record()]));
    expect(await aggregate()).toMatchObject({ outcome: 'unchanged' });
    expect(await balance()).toBe('9999.78');
  });

  test('and the wire tell of the same record: charged once, whichever was first', async () => {
    const call = { applies_to: 'llm', cost: '0.02', provider: 'openrouter', tokens: { input: 3, output: 4 }, seq: 1 };
    const [one, other] = [record({ description: 'Zürich "1"' }), record(call)];
    const queued = await site.call('POST', '/v1/usage/queue', {
      body: { records: [one, other] },
      headers: node.headers,
    });
    expect(outcomesOf(queued)).toEqual(['queued', 'queued']);
    expect(outcomesOf(await report(node, [one]))).toEqual(['applied']);
    await pushUsage(house);
    expect(await aggregate()).toMatchObject({ applied: 1, repeated: 1, refused: 0 });
    expect(itemsOf(await report(node, [one, other])).map(({ is_repeated }) => is_repeated)).toEqual([true, true]);
    expect(await balance()).toBe('9999.868');
    expect(await quarantine()).toEqual([]);
  });

  test('that says it is another node’s is not: the folder decides', async () => {
    const other = await newNode();
    const one = record();
    forge.put(pathOf(), otoml([{ node_id: other.name, ...one }]));
    expect(await aggregate()).toMatchObject({ applied: 1 });
    expect(itemsOf(await report(node, [one]))[0]?.['is_repeated']).toBe(true);
    expect(itemsOf(await report(other, [one]))[0]?.['is_repeated']).toBe(false);
  });

  test('is held to what the node may: users, a record’s cost', async () => {
    const { userSid } = await site.wallet(1_000);
    node = await newNode({ user_sids: [userSid], record_max: '1' });
    forge.put(
      pathOf(),
      otoml([record(), record({ user_sid: userSid, quantity: '100' }), record({ user_sid: userSid })]),
    );
    expect(await aggregate()).toMatchObject({ outcome: 'read', applied: 1, refused: 2 });
    expect((await quarantine()).map(({ code, position }) => `${String(position)} ${String(code)}`).toSorted()).toEqual([
      '1 forbidden',
      '2 amount_out_of_range',
    ]);
  });

  test('of an unknown or revoked node, or with a hostile name, is told and not read', async () => {
    forge.put('nodes/stranger/usage_2026-03-01-10.otoml', otoml([record()]));
    forge.put(pathOf(), otoml([record()]));
    forge.put('nodes/file-beside.txt', 'hello');
    await site.operator('POST', `/v1/nodes/${node.sid}/revoke`, {});
    const hostile = [
      '../x',
      '..',
      '',
      'A',
      'a/b',
      'a%2fb',
      'nul\u0000',
      'x'.repeat(10_000),
      "'; drop table node; --",
      '__proto__',
    ];
    const repository = forge.repository(house.ports);
    const names = [...(await repository.listNodes()), ...hostile];
    expect(names.slice(0, 2)).toEqual([node.name, 'stranger']);
    const folders = await aggregateAll(false, {
      ...house,
      usageRepository: { ...repository, listNodes: () => Promise.resolve(names) },
    });
    expect(new Set(folders.map(({ outcome }) => outcome))).toEqual(new Set(['unknown_node']));
    expect(folders).toHaveLength(12);
    expect(JSON.stringify(folders).length).toBeLessThan(5_000);
    expect(forge.journal.filter(({ path }) => path.includes('commits'))).toEqual([]);
    expect(await balance()).toBe('10000.00');
    const told = site.ports.log.lines.filter(({ message }) => message.includes('not registered'));
    expect(told).toMatchObject([{ level: 'warn' }]);
  });

  test('of a name that was revoked and given again is the new node’s, and what the old one was answered for is not charged again', async () => {
    const [one, other] = [record(), record()];
    forge.put(pathOf(), otoml([one]));
    await aggregate();
    await site.operator('POST', `/v1/nodes/${node.sid}/revoke`, {});
    node = await newNode({ name: node.name });
    forge.put(pathOf(), otoml([one, other]));
    expect(await aggregate()).toMatchObject({ outcome: 'again', applied: 0 });
    await site.ports.clock.advance(2 * 60_000);
    expect(await aggregate()).toMatchObject({ outcome: 'read', nodeSid: node.sid, applied: 1, repeated: 1 });
    expect(await aggregate(true)).toMatchObject({ outcome: 'read', applied: 0, repeated: 2 });
    expect(await balance()).toBe('9999.78');
  });

  test('of a node that is revoked while it is read is left', async () => {
    forge.put(pathOf(), otoml([record()]));
    const repository = forge.repository(house.ports);
    const readFile: typeof repository.readFile = async (...asked) => {
      await site.operator('POST', `/v1/nodes/${node.sid}/revoke`, {});
      return await repository.readFile(...asked);
    };
    const [folder] = await aggregateAll(false, { ...house, usageRepository: { ...repository, readFile } });
    expect(folder).toMatchObject({ outcome: 'again', applied: 0 });
    expect(await balance()).toBe('10000.00');
  });

  test('is empty in an empty repository', async () => expect(await aggregateAll()).toEqual([]));
});

describe('a file that cannot be read', () => {
  const name = 'usage_2026-03-01-09.otoml';
  const cases: Readonly<Record<string, () => void>> = {
    'is cut': () => forge.put(`nodes/${node.name}/${name}`, otoml([record()]).slice(0, -40)),
    'is not UTF-8': () => forge.put(`nodes/${node.name}/${name}`, new Uint8Array([0x61, 0xff, 0xfe])),
    'is JSON': () => forge.put(`nodes/${node.name}/${name}`, JSON.stringify({ records: [record()] })),
    'is a link': () => forge.put(`nodes/${node.name}/${name}`, '../../secret', '120000'),
    'is a folder': () => forge.put(`nodes/${node.name}/${name}/inside`, 'x'),
    'has a wrong name': () => forge.put(`nodes/${node.name}/usage_today.otoml`, otoml([record()])),
    'has more than 8 MiB': () => forge.put(`nodes/${node.name}/${name}`, `# ${'x'.repeat(8 * 1_048_576)}\n`),
  };
  test.each(Object.keys(cases))('because it %s is quarantined, and the others go on', async (which) => {
    cases[which]?.();
    forge.put(pathOf(1), otoml([record()]));
    forge.put(`nodes/${node.name}/README.md`, 'not ours');
    expect(await aggregate()).toMatchObject({ outcome: 'read', applied: 1, malformed: 1 });
    const [row, ...others] = await quarantine();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ position: 0, code: 'invalid_request', idempotency_key: null, resolved_at: null });
    expect(row?.['reason']).toMatch(/^The file cannot be read: /);
    expect(await aggregate()).toMatchObject({ outcome: 'unchanged' });
    expect(await aggregate(true)).toMatchObject({ applied: 0, malformed: 1 });
    expect(await quarantine()).toHaveLength(1);
  });

  test('is read when it is mended, and when it is gone nothing stands against it', async () => {
    const at = `nodes/${node.name}/${name}`;
    forge.put(`nodes/${node.name}/README.md`, 'keeps the folder');
    forge.put(at, otoml([record()]).slice(0, -40));
    await aggregate();
    forge.put(at, otoml([record()]));
    expect(await aggregate()).toMatchObject({ applied: 1, malformed: 0 });
    expect(await quarantine()).toEqual([]);
    forge.put(at, 'broken =');
    await aggregate();
    expect(await quarantine()).toHaveLength(1);
    forge.put(at, null);
    await aggregate();
    expect(await quarantine()).toEqual([]);
    expect(await quarantine('&has_resolved=true')).toHaveLength(2);
  });
});

describe('a record that cannot be charged', () => {
  test('is quarantined with its place and reason, and the others of its file are charged', async () => {
    const nobody = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
    const good = record();
    const sent = [
      good,
      record({ user_sid: nobody }),
      record({ quantity: 0.1 }),
      record({ unit: 'parsec' }),
      record({ applies_to: 'nothing' }),
      record({ colour: 'red' }),
      { ...good, quantity: '2' },
      record({ occurred_at: '2026-03-01T12:00:00' }),
      record({ quantity: 2 }),
    ];
    forge.put(pathOf(), otoml(sent));
    expect(await aggregate()).toMatchObject({ outcome: 'read', applied: 2, refused: 7 });
    expect(await balance()).toBe('9999.67');
    const rows = (await quarantine()).toSorted((one, other) => Number(one['position']) - Number(other['position']));
    expect(rows.map(({ position, code }) => [position, code])).toEqual([
      [2, 'not_found'],
      [3, 'invalid_request'],
      [4, 'invalid_request'],
      [5, 'state_conflict'],
      [6, 'invalid_request'],
      [7, 'idempotency_key_reused'],
      [8, 'invalid_request'],
    ]);
    expect(rows[1]?.['reason']).toContain('#/quantity');
    expect(rows[0]).toMatchObject({
      path: pathOf(),
      idempotency_key: sent[1]?.['idempotency_key'],
      node_sid: node.sid,
    });
    expect(await aggregate(true)).toMatchObject({ applied: 0, repeated: 2, refused: 7 });
    expect(await quarantine()).toHaveLength(7);
  });

  test('is charged by reading everything again once it can be, and its row is resolved', async () => {
    const category = `thing_${node.name.slice(-20)}`;
    const soon = new Date(site.ports.clock.now().getTime() + 60_000).toISOString();
    forge.put(pathOf(0), otoml([record({ applies_to: category, occurred_at: soon })]));
    expect(await aggregate()).toMatchObject({ applied: 0, refused: 1 });
    const price = { category, kind: 'per_unit', unit: 'call', amount: '1', active_from: soon };
    expect((await site.operator('POST', '/v1/prices', price)).status).toBe(201);
    expect(await aggregate()).toMatchObject({ outcome: 'unchanged' });
    expect(await aggregate(true)).toMatchObject({ applied: 1, refused: 0 });
    expect(await quarantine()).toEqual([]);
    expect((await quarantine('&has_resolved=true')).map(({ code }) => code)).toEqual(['state_conflict']);
    expect(await balance()).toBe('9999.00');
  });

  test('pages, newest first', async () => {
    forge.put(pathOf(), otoml(Array.from({ length: 5 }, () => record({ applies_to: 'nothing' }))));
    await aggregate();
    const first = await site.operator('GET', `/v1/usage/quarantine?node_sid=${node.sid}&limit=3`);
    const cursor = String(first.json['next_cursor']);
    const rest = await quarantine(`&limit=3&cursor=${cursor}`);
    const sids = [...itemsOf(first), ...rest].map(({ sid }) => String(sid));
    expect(sids).toHaveLength(5);
    expect(sids).toEqual(sids.toSorted().toReversed());
    expect(refusalOf(await site.operator('GET', '/v1/usage/quarantine?cursor=x.y'))).toBe('400 invalid_request');
  });
});

describe('what passes', () => {
  test('E11 a node over its budget is read again in the next hour, and nothing is charged twice', async () => {
    node = await newNode({ hour_max: '0.25' });
    forge.put(pathOf(2), otoml([record(), record()]));
    forge.put(pathOf(1), otoml([record(), record()]));
    expect(await aggregate()).toMatchObject({ outcome: 'again', files: 2, applied: 2, refused: 2 });
    expect(await aggregate()).toMatchObject({ outcome: 'again', applied: 0 });
    expect(await quarantine()).toEqual([]);
    expect(await balance()).toBe('9999.78');
    await site.ports.clock.advance(HOUR_MS);
    expect(await aggregate()).toMatchObject({ outcome: 'read', applied: 2, refused: 0 });
    expect(await aggregate()).toMatchObject({ outcome: 'unchanged' });
    expect(await balance()).toBe('9999.56');
  });

  test('past the limit of what is owed a record is unbilled, which is final', async () => {
    wallet = await site.wallet(0);
    forge.put(pathOf(), otoml([record({ quantity: '100' })]));
    expect(await aggregate()).toMatchObject({ outcome: 'read', unbilled: 1, applied: 0, refused: 0 });
    expect(await aggregate()).toMatchObject({ outcome: 'unchanged' });
  });

  test.each([
    'error-before-effect',
    'truncated-content',
    'truncated',
    'html',
    'empty-object',
    'reset-in-body',
    'redirect',
    'rate-limit',
    'huge',
  ] as const)(
    'a Forge that breaks on one file by %s: that folder is read again, the others go on, nothing is quarantined',
    async (kind) => {
      const other = await newNode();
      forge.put(pathOf(2), otoml([record()]));
      forge.put(pathOf(1), otoml([record()]));
      forge.put(pathOf(1, other.name), otoml([record()]));
      forge.fault({ kind, path: pathOf(1) });
      const folders = await aggregateAll();
      const outcomes = new Map(folders.map(({ name, outcome }) => [name, outcome]));
      expect([outcomes.get(node.name), outcomes.get(other.name)]).toEqual(['failed', 'read']);
      expect(await quarantine()).toEqual([]);
      forge.running.switches.faults.length = 0;
      expect(await aggregate()).toMatchObject({ outcome: 'read', files: 1, applied: 1 });
      expect(await balance()).toBe('9999.67');
    },
  );

  test('a Forge that is away is logged and refused; a wrong repository is named', async () => {
    forge.fault({ kind: 'error-before-effect' });
    expect(await aggregateUsage(house, { isFull: false })).toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 60,
    });
    expect(site.ports.log.lines.at(-1)).toMatchObject({ level: 'warn' });
    const { forgeRepository } = await import('../../src/providers/forge/index.ts');
    const options = {
      url: forge.running.url,
      repository: 'org/other',
      branch: 'main',
      token: 'wrong',
      ports: house.ports,
    };
    forge.running.switches.faults.length = 0;
    const refused = await aggregateUsage({ ...house, usageRepository: forgeRepository(options) }, { isFull: false });
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('FORGE_USAGE_TOKEN') as unknown,
    });
  });

  test('a silent Forge is given up after 30 seconds', async () => {
    forge.put(pathOf(), otoml([record()]));
    forge.fault({ kind: 'timeout-before-effect', path: 'commits', times: 1 });
    const aggregating = aggregate();
    await expect.poll(() => forge.journal.some(({ fault }) => fault !== null)).toBe(true);
    await site.ports.clock.advance(30_000);
    expect(await aggregating).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('in time') as unknown,
    });
    expect(await aggregate()).toMatchObject({ outcome: 'read', applied: 1 });
  });
});

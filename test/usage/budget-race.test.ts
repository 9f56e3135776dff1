import { afterAll, beforeAll, expect, test } from 'vitest';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound, itemsOf, openProcess, outcomesOf, post, reporting, type OtherProcess } from './reporting.ts';

let site: TestSite;
let processes: readonly OtherProcess[];

beforeAll(async () => {
  site = await testSite();
  processes = [openProcess(site), openProcess(site)];
});
afterAll(async () => {
  for (const { lanes } of processes) await lanes.close();
  await closeSound(site);
});

test('a node that reports through two processes at once is charged up to what its hour may cost, and not one record above', async () => {
  const { usage } = reporting(site);
  // 45 records of 0.11 and not 46.
  const node = await site.node({ hour_max: '5' });
  const wallets = await Promise.all(Array.from({ length: 12 }, () => site.wallet(10_000)));
  const reports = wallets.map(({ userSid }) => Array.from({ length: 10 }, () => usage(userSid)));
  const answers = await Promise.all(
    reports.map((records, number) => post(processOf(number).app, '/v1/usage', { records }, node.headers)),
  );
  const outcomes = answers.flatMap(outcomesOf);
  expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(45);
  expect(outcomes.filter((outcome) => outcome === 'rate_limited')).toHaveLength(75);
  expect(await spentBy(node.sid)).toBe(4_950_000n);
  // What is left is still there for a smaller one, and what was answered is answered again.
  const [{ userSid } = { userSid: '' }] = wallets;
  const small = usage(userSid, { quantity: '0.25' });
  const answer = await post(processOf(0).app, '/v1/usage', { records: [small] }, node.headers);
  expect(outcomesOf(answer)).toEqual(['applied']);
  const again = await Promise.all(
    reports.map((records, number) => post(processOf(number + 1).app, '/v1/usage', { records }, node.headers)),
  );
  expect(again.flatMap(itemsOf).filter(({ is_repeated: isRepeated }) => isRepeated === true)).toHaveLength(45);
  expect(await spentBy(node.sid)).toBe(4_977_500n);
});

test('a batch that a budget does not suffice for is decided record by record', async () => {
  const { usage } = reporting(site);
  const node = await site.node({ hour_max: '0.3' });
  const { userSid } = await site.wallet(10_000);
  const report = (quantities: readonly string[]) =>
    post(
      processOf(0).app,
      '/v1/usage',
      { records: quantities.map((quantity) => usage(userSid, { quantity })) },
      node.headers,
    );
  expect(outcomesOf(await report(['1']))).toEqual(['applied']);
  expect(outcomesOf(await report(['1', '1', '0.5', '0.1']))).toEqual(['applied', 'rate_limited', 'applied', 'applied']);
  expect(await spentBy(node.sid)).toBe(286_000n);
});

function processOf(number: number): OtherProcess {
  const one = processes[number % processes.length];
  if (!one) throw new Error('there are two processes');
  return one;
}

async function spentBy(nodeSid: string): Promise<unknown> {
  const rows = await site.database.owner.query(
    {
      name: 'test.spent',
      text: 'select sum(spent)::int8 as spent from posting_budget join node on node.id = owner where node.sid = $1',
    },
    [nodeSid],
  );
  return rows[0]?.['spent'];
}

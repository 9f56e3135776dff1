import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli } from '../../src/cli/cli.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { makeUserKey } from '../support/key.ts';
import { ADMIN_SECRET, testSite, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const files = new Map([['/secret', `${ADMIN_SECRET}\n`]]);

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  args: readonly string[],
  env: Record<string, string> = { HERO_ONBOARDING_ADMIN_SECRET: ADMIN_SECRET },
): Promise<Ran> {
  let out = '';
  let err = '';
  const cli = buildCli({
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readFile: (path) => files.get(path) ?? null,
    writeFile: () => undefined,
    ask: () => Promise.resolve(null),
    now: () => site.ports.clock.now(),
    fetch: async (url, init) => await site.app.request(url, init),
    sleep: () => Promise.resolve(),
  });
  const exitCode = await cli(args);
  return { exitCode, out, err };
}

test('every operation is a command with help', async () => {
  for (const { name, summary } of OPERATIONS) {
    const { exitCode, out } = await run([...name.split('.'), '--help']);
    expect(exitCode).toBe(0);
    expect(out).toContain(summary);
    expect(out).toContain(`hero-onboarding ${name.replace('.', ' ')}`);
  }
});

test('the help of the program lists the nouns and says where credentials come from', async () => {
  const { exitCode, out } = await run(['--help']);
  expect(exitCode).toBe(0);
  for (const noun of ['billing', 'hold', 'payment', 'user', 'audit']) expect(out).toContain(`  ${noun}`);
  expect(out).toContain('--admin-secret-file');
  expect(out).toContain('HERO_ONBOARDING_ADMIN_SECRET');
});

describe('a command', () => {
  test('adjusts a wallet and reads it back, as JSON and as fields', async () => {
    const { sid } = await site.wallet();
    const adjusted = await run([
      'billing',
      'adjust',
      '--sid',
      sid,
      '--balance-cents',
      '1234',
      '--reason',
      'by hand',
      '--json',
    ]);
    expect(JSON.parse(adjusted.out)).toMatchObject({ prev_balance: 0, new_balance: 1234 });
    const read = await run(['billing', 'get', sid]);
    expect(read.out).toMatch(/credit_balance +12\.34\n/);
  });

  test('debits once however often it is sent with one key', async () => {
    const { sid } = await site.wallet(1_000);
    const args = ['billing', 'debit', sid, '--amount', '2.50', '--description', 'a call', '--idempotency-key', 'cli-1'];
    expect(await run(args)).toMatchObject({ exitCode: 0, err: '' });
    const again = await run(args);
    expect(again.err).toContain('first answer');
    expect((await run(['billing', 'get', sid, '--json'])).out).toContain('"credit_balance": "7.50"');
  });

  test('shows a list as a table and says how to go on', async () => {
    await site.wallet(1);
    await site.wallet(2);
    const { out } = await run(['billing', 'list', '--limit', '1']);
    expect(out.split('\n')[0]).toMatch(/^sid +user_sid +display_name/);
    expect(out).toMatch(/more with --cursor \S+\n$/);
  });

  test('prints a refusal with its code and place, and exits with 1', async () => {
    const { exitCode, err } = await run(['billing', 'get', 'nonsense']);
    expect(exitCode).toBe(1);
    expect(err).toContain('invalid_request: ');
    expect(err).toContain('#/sid');
    expect(err).toMatch(/request req_/);
  });

  test('takes the secret from a file, and without any signs in to a sandbox as its operator', async () => {
    expect((await run(['user', 'list', '--admin-secret-file', '/secret'], {})).exitCode).toBe(0);
    expect((await run(['user', 'list'], {})).exitCode).toBe(0);
    expect((await run(['user', 'list', '--admin-secret-file', '/none'], {})).err).toContain('There is no file');
  });

  test('takes a key from a file, and does what that key may', async () => {
    const { sid, userSid } = await site.wallet(1_000);
    files.set('/key', `${(await makeUserKey(site.house, userSid)).text}\n`);
    const read = await run(['billing', 'get', sid, '--token-file', '/key', '--json'], {});
    expect(JSON.parse(read.out)).toMatchObject({ sid, credit_balance: '10.00' });
    const barred = await run(
      ['billing', 'debit', sid, '--amount', '1', '--description', 'x', '--token-file', '/key'],
      {},
    );
    expect([barred.exitCode, barred.err]).toEqual([1, expect.stringContaining('needs the scope spend')]);
  });

  test('that is wrong exits with 2 and says how to get help', async () => {
    expect(await run(['billing', 'nonsense'])).toMatchObject({ exitCode: 2 });
    const missing = await run(['billing', 'debit', 'x']);
    expect(missing.exitCode).toBe(2);
    expect(missing.err).toContain("required option '--amount");
    expect(missing.err).toContain('--help');
  });
});

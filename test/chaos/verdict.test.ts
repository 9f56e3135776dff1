import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { Journal, type Answer } from './journal.ts';
import type { PaidSession } from './stripe.ts';
import { judge } from './verdict.ts';

/** One wallet with 1,000 micro-dollars, of which one debit, c1-1, took 100. */
const WORLD = `
  insert into app_user (sid, display_name, created_at) values ('usr_1', 'One', now());
  insert into wallet (id, sid, user_sid, currency, created_at) overriding system value values (1, 'wal_1', 'usr_1', 'USD', now());
  insert into account (id, currency, balance, seq) values (16, 'USD', 900, 2);
  insert into system_account (id, code, currency) values (-1, 'equity:chaos', 'USD');
  insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about) values
    (16, 1, -1, 1000, 1000, 1, '00000000-0000-0000-0000-000000000010', '00000000-0000-0000-0000-000000000000', now(), now(), 2, '{"description":"funds"}'),
    (16, 2, -1, -100, 900, 2, '00000000-0000-0000-0000-000000000020', '00000000-0000-0000-0000-000000000000', now(), now(), 3, '{"description":"c1-1"}');
  insert into batch_leg (batch, account, amount, recorded_at) values (1, -1, -1000, now()), (2, -1, 100, now());`;
const FUNDED = new Map([['wal_1', 1000n]]);

let database: TestDatabase;
let client: Client;
let folder: string;
let journal: Journal;

beforeEach(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(WORLD);
  folder = mkdtempSync(path.join(tmpdir(), 'verdict-'));
  journal = new Journal(path.join(folder, 'witness.jsonl'));
});
afterEach(async () => {
  journal.close();
  rmSync(folder, { recursive: true });
  await client.end();
  await database.close();
});

async function told(
  key: string,
  outcome: Answer['outcome'] | null,
  micros = '100',
  noun: 'debit' | 'usage' = 'debit',
): Promise<void> {
  await journal.write({ entry: 'intent', key, noun, wallet: 'wal_1', micros, about: null });
  if (outcome !== null) await journal.write({ entry: 'answer', key, outcome, status: 0, code: null, sid: null });
}

const verdict = (paid: readonly PaidSession[] = []) =>
  judge(journal, {
    ask: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
    paid,
    funded: FUNDED,
  });

describe('the judge of a chaos run', () => {
  it('finds nothing where every promise was kept, and counts what was told', async () => {
    await told('c1-1', 'acknowledged');
    await told('c1-2', 'refused');
    await told('c1-3', 'unknown');
    await told('c1-4', null);
    expect(await verdict()).toEqual({
      violations: [],
      acknowledged: 1,
      refused: 1,
      unknown: 2,
      unknownDone: 0,
      credits: 0,
    });
  });

  it('finds an acknowledged debit that is not there', async () => {
    await told('c1-1', 'acknowledged');
    await told('c1-2', 'acknowledged');
    expect((await verdict()).violations).toEqual(['debit c1-2 (acknowledged, 0) is there 0 times']);
  });

  it('finds a refused debit that is there', async () => {
    await told('c1-1', 'refused');
    expect((await verdict()).violations).toContain('debit c1-1 (refused, 0) is there 1 times');
  });

  it('finds a debit of another amount than the client meant', async () => {
    await told('c1-1', 'acknowledged', '90');
    expect((await verdict()).violations).toEqual(['wallet wal_1 holds 900 and should hold 910']);
  });

  it('finds a debit that happened twice, also when nobody knows of it', async () => {
    await told('c1-1', 'unknown');
    await client.query(`
      insert into entry select account, 3, contra, amount, 800, 3, '00000000-0000-0000-0000-000000000030', fingerprint, occurred_at, recorded_at, kind, about
        from entry where account = 16 and seq = 2;
      insert into batch_leg (batch, account, amount, recorded_at) values (3, -1, 100, now());
      update account set balance = 800, seq = 3 where id = 16`);
    const { violations } = await verdict();
    expect(violations).toContain('debit c1-1 (unknown, 0) is there 2 times');
    expect(violations.join('\n')).toContain('a key moved money twice');
  });

  it('finds a balance that is not the sum of its entries', async () => {
    await told('c1-1', 'acknowledged');
    await client.query('update account set balance = 901 where id = 16');
    const { violations } = await verdict();
    expect(violations[0]).toBe('wallet wal_1 holds 901 and should hold 900');
    expect(violations[1]).toContain('a balance is not the sum of its entries');
  });

  it('finds a record that was told of and whose number has not come, and a number without a record', async () => {
    await client.query(`
      insert into node (id, sid, name, key_id, secret_hash, record_max, hour_max, created_at)
        overriding system value values (1, 'nod_1', 'n', 'k', '', 1, 1, now());
      insert into entry select account, 3, contra, amount, 800, 3, '00000000-0000-0000-0000-000000000030', fingerprint, occurred_at, recorded_at, 8,
          '{"description":"c1-u7","node":"nod_1","category":"chaos","seq":7}' from entry where account = 16 and seq = 2;
      insert into batch_leg (batch, account, amount, recorded_at) values (3, -1, 100, now());
      update account set balance = 800, seq = 3 where id = 16;
      insert into usage_sequence (node, category, seen, jumped_to, jumped_at, reused, given_up) values (1, 'chaos', '{[6,8)}', '{}', '{}', 0, 0)`);
    await told('c1-1', 'acknowledged');
    await told('c1-u7', 'acknowledged', '100', 'usage');
    expect((await verdict()).violations).toEqual([
      'a number came without a record: {"sid":"nod_1","category":"chaos","number":"6"}',
    ]);
    await client.query(`update usage_sequence set seen = '{}'`);
    expect((await verdict()).violations).toEqual(['usage c1-u7 was acknowledged and its number has not come']);
  });

  it('finds an order that was paid and never credited', async () => {
    await told('c1-1', 'acknowledged');
    const { violations } = await verdict([{ session: 'cs_1', paymentIntent: 'pi_1', cents: 500 }]);
    expect(violations).toEqual(['session cs_1 was paid 500 cents; we have null']);
  });
});

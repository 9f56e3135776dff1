import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statement } from '../../src/store/db.ts';
import { testDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

const APPEND_ONLY = [
  'entry',
  'batch_leg',
  'declined_posting',
  'unbilled_outcome',
  'audit',
  'payment_event',
  'idempotency',
];
const COLUMN: Record<string, string> = {
  entry: 'amount = 1',
  batch_leg: 'amount = 1',
  declined_posting: 'wallet = 1',
  unbilled_outcome: `actor = 'x'`,
  audit: `actor = 'x'`,
  payment_event: 'amount = 1',
  idempotency: 'status = 200',
};

describe('tables that are append-only', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  describe.each(APPEND_ONLY)('%s', (table) => {
    const changes = [
      ['update', `update ${table} set ${COLUMN[table]}`],
      ['delete', `delete from ${table}`],
      ['truncate', `truncate ${table} cascade`],
    ] as const;

    it.each(changes)('L06 the application is denied %s', async (verb, text) => {
      const denied = database.db.query(statement(`test.${verb}-${table}-app`, text));
      await expect(denied).rejects.toMatchObject({ code: '42501' });
    });

    it.each(changes)('L06 even the owner is refused %s', async (verb, text) => {
      const refused = database.owner.query(statement(`test.${verb}-${table}-owner`, text));
      await expect(refused).rejects.toMatchObject({ code: '23001', message: expect.stringContaining('append-only') });
    });
  });

  it('L06 the application cannot switch the guards off or become the owner', async () => {
    const escapes = [
      'alter table entry disable trigger entry__append_only',
      'drop trigger entry__append_only on entry',
      'create table mine (id int)',
      'drop table entry',
    ];
    for (const [index, text] of escapes.entries()) {
      const escape = database.db.query(statement(`test.escape-${index}`, text));
      await expect(escape).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('the application runs as its role, which is no superuser', async () => {
    const [row] = await database.db.query(
      statement(
        'test.who',
        `select current_user as role, (select rolsuper from pg_roles where rolname = current_user)`,
      ),
    );
    expect(row).toEqual({ role: 'hero_onboarding_app', rolsuper: false });
  });

  it('the application adds and takes jobs in the tables of the job runner', async () => {
    await database.db.query(statement('test.add-job', `select graphile_worker.add_job('nothing', '{}')`));
    const rows = await database.db.query(statement('test.jobs', 'select task_identifier from graphile_worker.jobs'));
    expect(rows).toEqual([{ task_identifier: 'nothing' }]);
  });
});

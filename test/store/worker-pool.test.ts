import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemPorts } from '../../src/ports/system.ts';
import { openWorkerPool } from '../../src/store/postgres.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('a connection of the job runner that is given back twice, as when it breaks while its listener ends, ends nothing', async () => {
  const pool = openWorkerPool({ url: database.url, ports: systemPorts({ logLevel: 'silent' }), poolMax: 1 });
  const lent = Promise.withResolvers<(problem?: Error | boolean) => void>();
  pool.connect((error, client, release) => (client ? lent.resolve(release) : lent.reject(error ?? new Error('none'))));
  const release = await lent.promise;
  release(new Error('it broke'));
  expect(() => release()).not.toThrow();
  // There is one place in the pool, and it is free again.
  const client = await pool.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  client.release();
  await pool.end();
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemPorts } from '../../src/ports/system.ts';
import { makeAppRole } from '../../src/store/app-role.ts';
import type { EmbeddedDatabase } from '../../src/store/embedded/embedded.ts';
import { openSession, type Session } from '../../src/store/postgres.ts';
import { clusterFolder, removeCluster, startTestCluster } from '../support/cluster.ts';

/** With the first attempt's session as the judge, one in forty rounds ended with a session that may not become the role. */
const ROUNDS = 100;
const DATABASES = ['first', 'second', 'third', 'fourth'];

const ports = systemPorts({ logLevel: 'silent' });
const folder = clusterFolder('app-role');
let cluster: EmbeddedDatabase;
let owner: Session;
let openers: (() => Promise<Session>)[];

beforeAll(async () => {
  cluster = await startTestCluster(folder);
  owner = await openSession({ url: cluster.url, ports, role: null });
  await owner.query('create role renter login createrole nosuperuser');
  for (const name of DATABASES) await owner.query(`create database ${name} owner renter`);
  openers = DATABASES.map((name) => {
    const url = new URL(cluster.url);
    url.pathname = `/${name}`;
    url.username = 'renter';
    return () => openSession({ url: url.href, ports, role: null });
  });
});
afterAll(async () => {
  await owner.close();
  await cluster.stop();
  removeCluster(folder);
});

it(
  'four databases of one cluster make the role at once, and each may then give things to it',
  { timeout: 120_000 },
  async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const sessions = await Promise.all(
        openers.map(async (open, index) => {
          // Not all in the same millisecond: the one that looks while another grants is the one to see.
          await new Promise((resolve) => setTimeout(resolve, (round * (index + 1)) % 5));
          await makeAppRole(open);
          const session = await open();
          await session.query('create schema given authorization hero_onboarding_app');
          return session;
        }),
      );
      for (const session of sessions) {
        await session.query('drop schema given');
        await session.close();
      }
      await owner.query('drop role hero_onboarding_app');
    }
    expect(await owner.query(`select 1 from pg_roles where rolname = 'hero_onboarding_app'`)).toEqual([]);
  },
);

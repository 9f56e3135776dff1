import type { TestProject } from 'vitest/node';
import { systemPorts } from '../../src/ports/system.ts';
import type { EmbeddedDatabase } from '../../src/store/embedded/embedded.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openSession } from '../../src/store/postgres.ts';
import { clusterFolder, removeCluster, startTestCluster, sweepClusters } from './cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The owner's address of the maintenance database; `testDatabase` clones the template beside it. */
    postgresUrl: string;
  }
}

export const TEMPLATE = 'hero_template';

let cluster: EmbeddedDatabase | null = null;
const folder = clusterFolder('shared');

/** One PostgreSQL for the whole run, with one migrated database that the tests clone. */
export async function setup(project: TestProject): Promise<void> {
  sweepClusters();
  cluster = await startTestCluster(folder);
  const ports = systemPorts({ logLevel: 'silent' });
  const session = await openSession({ url: cluster.url, ports, role: null });
  await session.query(`create database ${TEMPLATE}`);
  await session.close();
  const template = new URL(cluster.url);
  template.pathname = `/${TEMPLATE}`;
  await migrate({ url: template.href, ports });
  project.provide('postgresUrl', cluster.url);
}

export async function teardown(): Promise<void> {
  await cluster?.stop();
  removeCluster(folder);
}

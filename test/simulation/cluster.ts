import { systemPorts } from '../../src/ports/system.ts';
import { startEmbedded } from '../../src/store/embedded/embedded.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openSession } from '../../src/store/postgres.ts';
import { clusterFolder, removeCluster, sweepClusters } from '../support/cluster.ts';

/** Nothing here has to outlive the machine: what keeps data safe is off, and the memory is for many small databases. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
  jit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '1h',
  bgwriter_lru_maxpages: '0',
  track_activities: 'off',
  max_connections: '60',
} as const;

export interface SimulationCluster {
  /** The owner's address of the maintenance database. */
  readonly postgresUrl: string;
  /** The migrated database that each seed clones. */
  readonly template: string;
  stop(): Promise<void>;
}

/** A PostgreSQL in memory for one run. Of runs that were killed it removes what they left. */
export async function startSimulationCluster(): Promise<SimulationCluster> {
  sweepClusters();
  const ports = systemPorts({ logLevel: 'silent' });
  const folder = clusterFolder('simulation');
  const server = await startEmbedded({ dataDir: folder, ports, settings: SETTINGS });
  const stop = async (): Promise<void> => {
    await server.stop();
    removeCluster(folder);
  };
  try {
    const template = 'simulation_template';
    const admin = new URL(server.url);
    admin.pathname = '/postgres';
    const session = await openSession({ url: admin.href, ports, role: null });
    await session.query(`create database ${template}`);
    await session.close();
    const migrated = new URL(server.url);
    migrated.pathname = `/${template}`;
    await migrate({ url: migrated.href, ports });
    return { postgresUrl: admin.href, template, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

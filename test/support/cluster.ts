import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemPorts } from '../../src/ports/system.ts';
import { readPostmasterFile } from '../../src/store/embedded/cluster-folder.ts';
import { startEmbedded } from '../../src/store/embedded/embedded.ts';
import type { EmbeddedDatabase, EmbeddedOptions } from '../../src/store/embedded/embedded.ts';
import { isAlive } from '../../src/store/embedded/processes.ts';

const PREFIX = 'hero-test-';

/** Memory where there is some: these clusters are thrown away. */
const rootFolder = (): string => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());

/** A folder for one cluster of this process; `sweepClusters` of a later run removes it if this process is killed. */
export function clusterFolder(name: string): string {
  return path.join(rootFolder(), `${PREFIX}${process.pid}-${name}`);
}

/** Which PostgreSQL the tests run on: the packaged one, or TEST_POSTGRES=<bin folder> over TCP as with DATABASE_URL. */
export async function chosenServer(): Promise<Pick<EmbeddedOptions, 'binFolder' | 'tcpPort'>> {
  const chosen = process.env['TEST_POSTGRES'] ?? 'embedded';
  return chosen === 'embedded' ? {} : { binFolder: chosen, tcpPort: await freePort() };
}

/** Fast, not durable: for everything but the tests of durability itself. */
export async function startTestCluster(dataDir: string): Promise<EmbeddedDatabase> {
  return await startEmbedded({
    dataDir,
    ports: systemPorts({ logLevel: 'silent' }),
    ...(await chosenServer()),
    settings: { fsync: 'off', full_page_writes: 'off', max_connections: '300', max_wal_size: '2GB' },
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Ends and removes what killed test runs have left behind. */
export function sweepClusters(): void {
  for (const name of readdirSync(rootFolder())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    removeCluster(path.join(rootFolder(), name));
  }
}

/** Kills the server of a folder if one runs, and removes the folder. */
export function removeCluster(folder: string): void {
  const found = readPostmasterFile(path.join(folder, 'postgres'));
  if (found !== null && isAlive(found.pid)) process.kill(found.pid, 'SIGQUIT');
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

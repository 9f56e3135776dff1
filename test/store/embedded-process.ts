/**
 * A server as far as its database goes: starts the embedded PostgreSQL named by its argument, says so in one line of
 * JSON, and stops it on SIGTERM. Refused: says why and exits with 1.
 */
import { systemPorts } from '../../src/ports/system.ts';
import { startEmbedded } from '../../src/store/embedded/embedded.ts';
import type { EmbeddedOptions } from '../../src/store/embedded/embedded.ts';

const say = (facts: Record<string, unknown>): boolean => process.stdout.write(`${JSON.stringify(facts)}\n`);

try {
  const options = JSON.parse(process.argv[2] ?? '{}') as Omit<EmbeddedOptions, 'ports'>;
  const database = await startEmbedded({ ...options, ports: systemPorts({ logLevel: 'silent' }) });
  const { url, adopted, dataDir } = database;
  process.once('SIGTERM', () => {
    void database.stop().then(() => process.exit(0));
  });
  say({ url, adopted, dataDir, pid: database.pid(), uid: process.getuid?.() });
} catch (error) {
  say({ refused: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startForgeSandbox, type RunningForge } from '../../sandbox/forge/server.ts';
import type { Fault } from '../../sandbox/forge/switches.ts';
import type { House } from '../../src/operations/house.ts';
import type { Clock, Ports } from '../../src/ports/ports.ts';
import { forgeRepository } from '../../src/providers/forge/index.ts';
import type { UsageRepository } from '../../src/providers/usage-repository.ts';

export const FORGE_TOKEN = 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0';

/** A simulated Forge with one repository, in a folder of its own. */
export interface TestForge {
  readonly folder: string;
  readonly running: RunningForge;
  readonly journal: RunningForge['journal'];
  repository(ports: Ports): UsageRepository;
  fault(fault: Fault): void;
  /** Writes a file past the API; null: removes it. */
  put(at: string, text: string | Uint8Array | null, mode?: '120000'): void;
  /** Null: there is no such file. */
  text(at: string): string | null;
  /** How many commits there are. */
  commits(): number;
  close(): Promise<void>;
}

export async function testForge(): Promise<TestForge> {
  const folder = mkdtempSync(path.join(tmpdir(), 'forge-'));
  const running = await startForgeSandbox({
    folder,
    repository: 'org/usage',
    token: FORGE_TOKEN,
    now: () => new Date(0),
  });
  const { git, switches, journal, url } = running;
  return {
    folder,
    running,
    journal,
    repository: (ports) => forgeRepository({ url, repository: 'org/usage', branch: 'main', token: FORGE_TOKEN, ports }),
    fault: (fault) => void switches.faults.push(fault),
    put: (at, text, mode) => {
      const change = text === null ? null : { content: Buffer.from(text), ...(mode === undefined ? {} : { mode }) };
      git.commit(new Map([[at, change]]), { message: 'by hand', at: new Date(0) });
    },
    text: (at) => {
      const head = git.head();
      const entry = head === null ? null : git.find(head, at);
      return entry === null ? null : git.blob(entry.sha).toString('utf8');
    },
    commits: () => {
      const head = git.head();
      return head === null ? 0 : git.log(head, 'nodes', 10_000).length;
    },
    close: async () => {
      await running.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Above every wait between tries, below every deadline. */
const PATIENCE_MS = 20_000;

/** The same house, for which waiting between tries takes no time; deadlines are the test's own clock's, as before. */
export function hasty(house: House): House {
  const { clock: inner } = house.ports;
  const clock: Clock = {
    now: () => inner.now(),
    monotonicMs: () => inner.monotonicMs(),
    turn: () => inner.turn(),
    sleep: (ms, signal) => (ms < PATIENCE_MS ? inner.turn() : inner.sleep(ms, signal)),
  };
  return { ...house, ports: { ...house.ports, clock } };
}

/** A record as a file has it. */
export function otoml(records: readonly Readonly<Record<string, unknown>>[]): string {
  return records
    .map((record) => {
      const fields = Object.entries(record).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
      return `[[records]]\n${fields.join('\n')}\n`;
    })
    .join('\n');
}

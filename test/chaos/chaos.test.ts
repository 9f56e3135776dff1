import process from 'node:process';
import { afterAll, describe, expect, it } from 'vitest';
import { runChaos, type ChaosReport } from './chaos.ts';
import { Disk } from './disk.ts';
import { reportText } from './report.ts';

/** Few in `npm test`; CHAOS_SECONDS asks for a run that reaches figures worth publishing, and CHAOS_SEED for the same harms again. */
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 10);
const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(performance.timeOrigin) % 1_000_000);
/** From here on the run is long enough for figures that can be held against a bar. */
const LONG_SECONDS = 120;
const OVERHEAD_MS = 180_000;
const isLong = SECONDS >= LONG_SECONDS;

const told: string[] = [];
const mounted = Disk.mount();
if (mounted === null)
  told.push('A FULL DISK WAS NOT TRIED: this machine does not let us mount a tmpfs (run it as root)');
const disks = mounted === null ? [] : [mounted];
afterAll(() => {
  mounted?.unmount();
  console.info(told.join('\n'));
});

async function run(name: string, options: Partial<Parameters<typeof runChaos>[0]>): Promise<ChaosReport> {
  const report = await runChaos({ seed: SEED, forMs: SECONDS * 1_000, waitsForSweeps: isLong, ...options });
  told.push(`${name}, seed ${SEED}: ${reportText(report)}`);
  return report;
}

describe('three servers, one database, a provider, and somebody who means harm', () => {
  it(
    `G01 G03 G04 G14 G16 for ${SECONDS} s: what was acknowledged is there once, what was refused is not`,
    async () => {
      const report = await run('chaos', {});
      expect(report.violations).toEqual([]);
      expect(report.acknowledged).toBeGreaterThan(SECONDS * 2);
      expect(report.blows.get('kill_server')).toBeGreaterThanOrEqual(isLong ? SECONDS / 16 : 1);
      expect(report.blows.get('kill_postgres')).toBeGreaterThanOrEqual(isLong ? SECONDS / 50 : 1);
      expect(report.recovery.count).toBeGreaterThan(0);
    },
    SECONDS * 1_000 + OVERHEAD_MS,
  );

  it.each(disks)(
    'G08 a full disk costs answers and nothing else',
    async (disk) => {
      const seconds = isLong ? 30 : 6;
      const report = await run('full disk', { disk, servers: 1, workers: 0, clients: 10, forMs: seconds * 1_000 });
      expect(report.violations).toEqual([]);
      expect(report.blows.get('fill_disk')).toBeGreaterThan(0);
      expect(report.acknowledged).toBeGreaterThan(0);
    },
    240_000,
  );
});

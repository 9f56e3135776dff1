import process from 'node:process';
import { plant } from './plant.ts';
import type { SeedReport } from './run-seed.ts';
import type { Answer, Job } from './workers.ts';

const mutant = process.env['MUTANT'];
if (mutant !== undefined && mutant !== '') plant(mutant);
// Only now: what is loaded from here on carries the planted bug.
const { runSeed } = await import('./run-seed.ts');

/** A process that lives the seeds it is sent, one after another; ends when its parent does. */
process.on('message', (job: Job) => {
  void live(job).then(
    (report) => send({ id: job.id, report }),
    (error: unknown) =>
      send({ id: job.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the parent ends us when the seeds are told.
process.on('SIGINT', () => undefined);

function send(answer: Answer): void {
  process.send?.(answer);
}

async function live({ options, isTwice }: Job): Promise<SeedReport> {
  const first = await runSeed(options);
  if (!isTwice || first.violations.length > 0) return first;
  const second = await runSeed(options);
  if (second.traceHash === first.traceHash && second.steps === first.steps) return first;
  const detail = `${first.steps} steps with hash ${first.traceHash}, then ${second.steps} with ${second.traceHash}`;
  return { ...first, violations: [{ rule: 'the same seed lives the same life', detail }] };
}

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { CanaryVerdict } from './canaries.ts';

const FILE = path.join(import.meta.dirname, 'canary-hints.json');
const Hints = z.record(z.string(), z.array(z.number().int().positive()));

/**
 * By planted bug: the seeds that found it when it was last measured (`--canaries --record`). They are lived first, so that a bug
 * that still dies is told dead after ten lives instead of thirty, and after two in `--ci`, which only asks whether the measurement
 * still holds. A life that finds nothing any more counts as one that found nothing.
 */
export const readHints = (): Record<string, number[]> => Hints.parse(JSON.parse(readFileSync(FILE, 'utf8')));

/** Keeps what the verdicts found; bugs that were not tried keep what they had. */
export function writeHints(verdicts: readonly CanaryVerdict[]): void {
  const found = verdicts.map(({ mutant, killers }) => [mutant, killers.toSorted((a, b) => a - b)] as const);
  const all = Object.entries({ ...readHints(), ...Object.fromEntries(found) }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = all.map(([mutant, seeds]) => `  ${JSON.stringify(mutant)}: [${seeds.join(', ')}]`);
  writeFileSync(FILE, `{\n${lines.join(',\n')}\n}\n`);
}

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { CanaryVerdict } from './canaries.ts';

const FILE = path.join(import.meta.dirname, 'canary-hints.json');
const Hints = z.record(z.string(), z.array(z.number().int().positive()));

/**
 * By planted bug: the seeds that found it last time. They are lived first, so that a bug that still dies is told dead after ten
 * lives instead of thirty. A hint decides nothing: a life that finds nothing any more counts as one that found nothing.
 */
export const readHints = (): Record<string, number[]> => Hints.parse(JSON.parse(readFileSync(FILE, 'utf8')));

/** Keeps what the verdicts found; bugs that were not tried keep what they had. */
export function writeHints(verdicts: readonly CanaryVerdict[]): void {
  const found = verdicts.map(({ mutant, killers }) => [mutant, killers.toSorted((a, b) => a - b)] as const);
  const all = Object.entries({ ...readHints(), ...Object.fromEntries(found) }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = all.map(([mutant, seeds]) => `  ${JSON.stringify(mutant)}: [${seeds.join(', ')}]`);
  writeFileSync(FILE, `{\n${lines.join(',\n')}\n}\n`);
}

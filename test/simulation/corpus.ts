import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { FAULTS } from './faults.ts';

const FILE = path.join(import.meta.dirname, 'corpus.json');

const Entry = z.strictObject({
  seed: z.number().int(),
  ops: z.number().int(),
  /** A life of renting. */
  renting: z.literal(true).optional(),
  skipped: z.array(z.number().int()),
  without: z.array(z.enum(FAULTS)),
  /** The promise that it broke. */
  rule: z.string(),
  /** Where it was found. */
  commit: z.string(),
  date: z.iso.date(),
  /** What it taught; written by whoever mended it. */
  lesson: z.string(),
});

/** A seed that once broke a promise. Each run lives it again. */
export type CorpusEntry = z.infer<typeof Entry>;

export const readCorpus = (): CorpusEntry[] => z.array(Entry).parse(JSON.parse(readFileSync(FILE, 'utf8')));

export function addToCorpus(entry: CorpusEntry): void {
  const others = readCorpus().filter(
    ({ seed, ops, rule }) => seed !== entry.seed || ops !== entry.ops || rule !== entry.rule,
  );
  writeFileSync(FILE, `${JSON.stringify([...others, entry], null, 2)}\n`);
}

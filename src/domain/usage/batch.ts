import { fingerprintOf } from '../idem.ts';

/** A usage record as it stands in a file. Who reports it is not part of what it says. */
export type FileRecord = Readonly<Record<string, unknown>>;

export interface KeyedRecord extends FileRecord {
  readonly idempotency_key: string;
}

export interface Merged {
  /** In the order of their keys. */
  readonly records: readonly FileRecord[];
  /** How many of ours were not there. */
  readonly added: number;
  /** Keys that are there with another content: what is there stays. */
  readonly conflicts: readonly string[];
}

/**
 * Puts our records into those of a file, by their keys.
 *
 * Merging again changes nothing, and the order in which records with different keys come does not matter. Of two with one key and
 * another content the one that is there stays. What is there without a key, or with a key for the second time, is kept at the end: it
 * is not ours to drop, and whoever reads the file judges it.
 */
export function mergeRecords(there: readonly FileRecord[], ours: readonly KeyedRecord[]): Merged {
  const byKey = new Map<string, FileRecord>();
  const others: FileRecord[] = [];
  for (const record of there) {
    const { idempotency_key: key } = record;
    if (typeof key !== 'string' || byKey.has(key)) others.push(record);
    else byKey.set(key, record);
  }
  let added = 0;
  const conflicts: string[] = [];
  for (const record of ours) {
    const other = byKey.get(record.idempotency_key);
    if (other === undefined) {
      byKey.set(record.idempotency_key, record);
      added += 1;
    } else if (fingerprintOf(other) !== fingerprintOf(record)) conflicts.push(record.idempotency_key);
  }
  const keyed = [...byKey].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
  return { records: [...keyed, ...others], added, conflicts };
}

const HOUR_MS = 3_600_000;

/** The beginning of the UTC hour in which something happened. */
export const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);

/** The file for what was used in an hour, `usage_2026-03-01-12.otoml`. */
export const usageFileName = (hour: Date): string => `usage_${hour.toISOString().slice(0, 13).replace('T', '-')}.otoml`;

export const isUsageFileName = (name: string): boolean => /^usage_\d{4}-\d\d-\d\d-\d\d\.otoml$/.test(name);

/** Where the file of a node and an hour lies in the repository. */
export const usagePath = (node: string, hour: Date): string => `nodes/${node}/${usageFileName(hour)}`;

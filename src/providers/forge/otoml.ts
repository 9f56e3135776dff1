import { parse, stringify, TomlDate, TomlError } from 'smol-toml';
import type { FileRecord } from '../../domain/usage/batch.ts';
import type { FileRead } from '../usage-repository.ts';

/**
 * The text of a usage file: TOML 1.0, one table `[[records]]` for each record.
 *
 * Written: every field as text but token counts, `occurred_at` exactly as the node said it, and `node_id`, the folder's name, for people.
 */
export function toOtoml(node: string, records: readonly FileRecord[]): string {
  return stringify({ records: records.map((record) => ({ node_id: node, ...record })) });
}

/**
 * Reads a usage file. Anything else than `records`, an array of tables, makes the file malformed; what a record says is judged later.
 *
 * Integers become text where a record's schema wants a decimal number: they are exact. A float is left as it is and refused by the
 * schema: what was written cannot be told from it any more. A date-time with an offset becomes its UTC text.
 */
export function fromOtoml(bytes: Uint8Array): FileRead {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return malformed('it is not UTF-8');
  }
  try {
    const batch = parse(text, { integersAsBigInt: true, maxDepth: DEPTH_MAX, unsafeKeyBehaviour: 'throw' });
    const { records, ...others } = batch;
    const [other] = Object.keys(others);
    if (other !== undefined) return malformed(`it has ${JSON.stringify(other.slice(0, 64))} beside records`);
    // An hour in which nothing was used.
    if (records === undefined && text.trim() === '') return { kind: 'read', records: [] };
    if (!Array.isArray(records)) return malformed('it has no [[records]]');
    const tables: unknown[] = records;
    if (!tables.every(isTable)) return malformed('its records are not tables');
    return { kind: 'read', records: tables.map(fromToml) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = 'unreadable'] = error.message.split('\n');
    return malformed(`line ${error.line}, column ${error.column}: ${what.replace(/^Invalid TOML document: /, '')}`);
  }
}

/** A record is flat. */
const DEPTH_MAX = 8;
const DECIMAL_FIELDS: ReadonlySet<string> = new Set(['quantity', 'cost']);

const malformed = (reason: string): FileRead => ({ kind: 'malformed', reason: reason.slice(0, 300) });

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);

/** Whose record it is, says the folder that only the node may write; what the record claims is not looked at. */
function fromToml(record: Record<string, unknown>): FileRecord {
  const fields = Object.entries(record).filter(([name]) => name !== 'node_id');
  return Object.fromEntries(fields.map(([name, value]) => [name, toPlain(name, value)]));
}

/** TOML's values as those of JSON, which is what the schema of a record judges. */
function toPlain(field: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (DECIMAL_FIELDS.has(field)) return value.toString();
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  // A local time could be any of 24 hours: it stays text that is no instant, and the schema says so.
  if (value instanceof TomlDate) return value.isLocal() ? value.toISOString() : new Date(value.getTime()).toISOString();
  if (Array.isArray(value)) return value.map((part) => toPlain('', part));
  if (isTable(value))
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toPlain(name, part)]));
  // NaN and infinities have no JSON: their names are refused as text.
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

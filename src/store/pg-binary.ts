/**
 * One-dimensional arrays in PostgreSQL's binary format. A batch of 1,000 entries goes over the wire as ten of these: the server
 * neither parses text nor plans a 10,000-parameter statement. Format: src/backend/utils/adt/arrayfuncs.c, array_recv.
 */
const HEADER_BYTES = 20;
const OID = { int2: 21, int8: 20, text: 25, bool: 16, timestamptz: 1184, uuid: 2950 } as const;
/** Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01. */
const EPOCH_OFFSET_MICROS = 946_684_800_000_000n;

export function int8Array(values: readonly bigint[]): Buffer {
  const { buffer, view } = fixed(values.length, OID.int8, 8);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, 8);
    view.setBigInt64(at + 4, value);
    at += 12;
  }
  return buffer;
}

export function int2Array(values: readonly number[]): Buffer {
  const { buffer, view } = fixed(values.length, OID.int2, 2);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, 2);
    view.setInt16(at + 4, value);
    at += 6;
  }
  return buffer;
}

export function boolArray(values: readonly boolean[]): Buffer {
  const { buffer, view } = fixed(values.length, OID.bool, 1);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, 1);
    view.setUint8(at + 4, value ? 1 : 0);
    at += 5;
  }
  return buffer;
}

export function timestampArray(values: readonly Date[]): Buffer {
  const { buffer, view } = fixed(values.length, OID.timestamptz, 8);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, 8);
    view.setBigInt64(at + 4, BigInt(value.getTime()) * 1000n - EPOCH_OFFSET_MICROS);
    at += 12;
  }
  return buffer;
}

export function uuidArray(values: readonly string[]): Buffer {
  const { buffer, view } = fixed(values.length, OID.uuid, 16);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, 16);
    writeUuid(view, at + 4, value);
    at += 20;
  }
  return buffer;
}

/** Digit by digit: three times as fast as removing the hyphens and having a Buffer decode the rest. */
function writeUuid(view: DataView, start: number, text: string): void {
  let at = start;
  let high = -1;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === HYPHEN) continue;
    const digit = HEX_DIGITS[code] ?? NO_DIGIT;
    if (digit === NO_DIGIT || at === start + 16) throw new RangeError('a UUID has 32 hex digits');
    if (high < 0) {
      high = digit;
      continue;
    }
    view.setUint8(at, (high << 4) | digit);
    high = -1;
    at += 1;
  }
  if (at !== start + 16) throw new RangeError('a UUID has 32 hex digits');
}

const HYPHEN = 45;
const NO_DIGIT = 255;
/** The value of each hex digit by its character code. */
const HEX_DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX_DIGITS[digit.charCodeAt(0)] = value;
  HEX_DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
}

export function textArray(values: readonly (string | null)[]): Buffer {
  const sizes = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)));
  const size = sizes.reduce((sum, bytes) => sum + bytes + 4, 0);
  const { buffer, view } = allocate(HEADER_BYTES + size, values.length, OID.text, values.includes(null));
  let at = HEADER_BYTES;
  for (const [index, value] of values.entries()) {
    const bytes = sizes[index] ?? 0;
    view.setInt32(at, value === null ? -1 : bytes);
    at += 4;
    if (value !== null) at += buffer.write(value, at, bytes, 'utf8');
  }
  return buffer;
}

/** The same bytes twice: a DataView's setters are compiled in place, a Buffer's are calls. */
interface Target {
  readonly buffer: Buffer;
  readonly view: DataView;
}

const fixed = (count: number, oid: number, width: number): Target =>
  allocate(HEADER_BYTES + count * (4 + width), count, oid, false);

function allocate(size: number, count: number, oid: number, hasNull: boolean): Target {
  const buffer = Buffer.allocUnsafe(size);
  const view = new DataView(buffer.buffer, buffer.byteOffset, size);
  view.setInt32(0, 1);
  view.setInt32(4, hasNull ? 1 : 0);
  view.setInt32(8, oid);
  view.setInt32(12, count);
  view.setInt32(16, 1);
  return { buffer, view };
}

/**
 * One-dimensional arrays in PostgreSQL's binary format. A batch of 1,000 entries goes over the wire as ten of these: the server
 * neither parses text nor plans a 10,000-parameter statement. Format: src/backend/utils/adt/arrayfuncs.c, array_recv.
 */
const HEADER_BYTES = 20;
const OID = { int2: 21, int8: 20, text: 25, bool: 16, timestamptz: 1184, uuid: 2950 } as const;
/** Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01. */
const EPOCH_OFFSET_MICROS = 946_684_800_000_000n;

export function int8Array(values: readonly bigint[]): Buffer {
  const buffer = fixed(values.length, OID.int8, 8);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(8, at);
    buffer.writeBigInt64BE(value, at + 4);
    at += 12;
  }
  return buffer;
}

export function int2Array(values: readonly number[]): Buffer {
  const buffer = fixed(values.length, OID.int2, 2);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(2, at);
    buffer.writeInt16BE(value, at + 4);
    at += 6;
  }
  return buffer;
}

export function boolArray(values: readonly boolean[]): Buffer {
  const buffer = fixed(values.length, OID.bool, 1);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(1, at);
    buffer.writeUInt8(value ? 1 : 0, at + 4);
    at += 5;
  }
  return buffer;
}

export function timestampArray(values: readonly Date[]): Buffer {
  const buffer = fixed(values.length, OID.timestamptz, 8);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(8, at);
    buffer.writeBigInt64BE(BigInt(value.getTime()) * 1000n - EPOCH_OFFSET_MICROS, at + 4);
    at += 12;
  }
  return buffer;
}

export function uuidArray(values: readonly string[]): Buffer {
  const buffer = fixed(values.length, OID.uuid, 16);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(16, at);
    buffer.write(value.replaceAll('-', ''), at + 4, 'hex');
    at += 20;
  }
  return buffer;
}

export function textArray(values: readonly (string | null)[]): Buffer {
  const sizes = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)));
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + sizes.reduce((sum, size) => sum + size + 4, 0));
  header(buffer, values.length, OID.text, values.includes(null));
  let at = HEADER_BYTES;
  for (const [index, value] of values.entries()) {
    const size = sizes[index] ?? 0;
    buffer.writeInt32BE(value === null ? -1 : size, at);
    at += 4;
    if (value !== null) at += buffer.write(value, at, size, 'utf8');
  }
  return buffer;
}

function fixed(count: number, oid: number, width: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + count * (4 + width));
  header(buffer, count, oid, false);
  return buffer;
}

function header(buffer: Buffer, count: number, oid: number, hasNull: boolean): void {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNull ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
}

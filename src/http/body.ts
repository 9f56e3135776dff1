import { parseStrictJson } from '../operations/strict-json.ts';
import type { JsonValue } from '../operations/strict-json.ts';
import type { AppContext } from './context.ts';
import { refused, refusedInput } from './refused.ts';

/** A request of ours is far below; a megabyte of JSON parses in some 20 ms. */
export const BODY_BYTES_MAX = 1_048_576;

/** The body as it came. Over the limit the connection is closed: the rest is not worth reading. */
export async function readBytes(c: AppContext, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw refused('unsupported_media_type', 'Send the body without content encoding.', { connection: 'close' });
  }
  if (Number(c.req.header('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax);
  if (c.req.header('content-length') !== undefined) return await readAtOnce(c, bytesMax);
  const stream = c.req.raw.body;
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks, size));
}

/** A body whose length was declared: no more than that arrives. Without a stream around it a request costs a third less. */
async function readAtOnce(c: AppContext, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await c.req.raw.arrayBuffer());
  if (bytes.byteLength > bytesMax) throw tooLarge(bytesMax);
  return bytes;
}

const tooLarge = (bytesMax: number) =>
  refused('body_too_large', `The body may have at most ${bytesMax} bytes.`, { connection: 'close' });

const JSON_TYPE = 'application/json';
const CLOUD_EVENTS_TYPE = 'application/cloudevents-batch+json';

// The byte order mark stays, and is then refused: JSON must not begin with one.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body's text; null when there is none. Refuses what is not declared as UTF-8 JSON of this type or is not UTF-8. */
export async function readJsonText(c: AppContext, type = JSON_TYPE): Promise<string | null> {
  const contentType = c.req.header('content-type');
  if (contentType !== undefined) checkJsonType(contentType, type);
  const bytes = await readBytes(c, BODY_BYTES_MAX);
  if (bytes.byteLength === 0) return null;
  if (contentType === undefined) checkJsonType('', type);
  try {
    return UTF8.decode(bytes);
  } catch {
    throw refusedInput('#', 'must be UTF-8');
  }
}

/** Refuses a body that is not an object; an absent one is an empty object. */
export async function readJsonObject(c: AppContext): Promise<Record<string, JsonValue>> {
  const text = await readJsonText(c);
  if (text === null) return {};
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusedInput('#', 'must be an object');
  return value;
}

/** Whether the body is a batch of CloudEvents, by its content type. */
export const isCloudEventsBatch = (c: AppContext): boolean =>
  mediaTypeOf(c.req.header('content-type') ?? '').type === CLOUD_EVENTS_TYPE;

/** Refuses a body that is not a list. */
export async function readCloudEvents(c: AppContext): Promise<readonly JsonValue[]> {
  const value = parse((await readJsonText(c, CLOUD_EVENTS_TYPE)) ?? '');
  if (!Array.isArray(value)) throw refusedInput('#', 'must be a list of events');
  return value;
}

function parse(text: string): JsonValue {
  const parsed = parseStrictJson(text);
  if (parsed.kind === 'malformed') throw refusedInput('#', `must be JSON: ${parsed.detail}`);
  if (parsed.kind === 'refused') throw refusedInput(parsed.error.pointer, parsed.error.detail);
  return parsed.value;
}

function mediaTypeOf(contentType: string): { readonly type: string; readonly parameters: readonly string[] } {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  return { type, parameters };
}

function checkJsonType(contentType: string, wanted: string): void {
  const { type, parameters } = mediaTypeOf(contentType);
  const isUtf8 = parameters.every((parameter) => /^charset="?utf-8"?$/.test(parameter));
  if (type !== wanted || !isUtf8) {
    throw refused('unsupported_media_type', `Send JSON: Content-Type: ${wanted}, in UTF-8.`);
  }
}

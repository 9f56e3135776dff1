import { quoted } from '../../domain/json-text.ts';
import { isScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import { PROVIDER_FORM } from '../model-price/model-price.ts';
import { CATEGORY_FORM, RESOURCE_KIND_FORM } from '../price/price.ts';
import { CONTROL_CHARACTERS, SID_FORM } from '../schema.ts';
import { DESCRIPTION_MAX, KEY_FORM, TOKENS_MAX, UNIT_FORM, type UsageInput } from './usage-record.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
const DEFAULT_QUANTITY = '1';

/**
 * A record that is plainly right, read several times as fast as by its schema; null for any other, which the schema then judges and
 * explains.
 *
 * Shape: as the schema reads it. Never takes what the schema refuses, and leaves to it what is right and seldom.
 * `test/property/input.property.test.ts` holds the two together.
 */
export function plainRecord(sent: unknown): UsageInput | null {
  if (!isPlain(sent)) return null;
  const { applies_to, idempotency_key, occurred_at, quantity = DEFAULT_QUANTITY, resource_kind, user_sid } = sent;
  const { corrects, cost, description, lease, provider, seq, tokens, unit } = sent;
  if (!isText(applies_to, CATEGORY_FORM) || !isText(idempotency_key, KEY_FORM) || !isInstant(occurred_at)) return null;
  if (!isDecimal(quantity, QUANTITY_DECIMALS) || !isText(resource_kind, RESOURCE_KIND_FORM)) return null;
  if (!isText(user_sid, SID_FORM)) return null;
  // All required fields but the quantity, which has a default.
  let fields = 5;
  if (sent['quantity'] !== undefined) fields += 1;
  const record = { applies_to } as Mutable<UsageInput>;
  if (corrects !== undefined) {
    if (!isText(corrects, KEY_FORM)) return null;
    record.corrects = corrects;
    fields += 1;
  }
  if (cost !== undefined) {
    if (!isDecimal(cost, PRICE_DECIMALS)) return null;
    record.cost = cost;
    fields += 1;
  }
  if (description !== undefined) {
    if (!isDescription(description)) return null;
    record.description = description;
    fields += 1;
  }
  record.idempotency_key = idempotency_key;
  if (lease !== undefined) {
    if (!isText(lease, SID_FORM)) return null;
    record.lease = lease;
    fields += 1;
  }
  record.occurred_at = occurred_at;
  if (provider !== undefined) {
    if (!isText(provider, PROVIDER_FORM)) return null;
    record.provider = provider;
    fields += 1;
  }
  record.quantity = quantity;
  record.resource_kind = resource_kind;
  if (seq !== undefined) {
    if (!isCount(seq, 1, Number.MAX_SAFE_INTEGER)) return null;
    record.seq = seq;
    fields += 1;
  }
  if (tokens !== undefined) {
    const read = plainTokens(tokens);
    if (read === null) return null;
    record.tokens = read;
    fields += 1;
  }
  if (unit !== undefined) {
    if (!isText(unit, UNIT_FORM)) return null;
    record.unit = unit;
    fields += 1;
  }
  record.user_sid = user_sid;
  // Otherwise it has a field that is unknown, or one without a value.
  return sizeOf(sent) === fields ? record : null;
}

function plainTokens(sent: unknown): UsageInput['tokens'] | null {
  if (!isPlain(sent)) return null;
  const { input, output, cached_input: cached } = sent;
  if (!isCount(input, 0, TOKENS_MAX) || !isCount(output, 0, TOKENS_MAX)) return null;
  if (cached === undefined) return sizeOf(sent) === 2 ? { input, output } : null;
  return isCount(cached, 0, input) && sizeOf(sent) === 3 ? { cached_input: cached, input, output } : null;
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function sizeOf(value: object): number {
  let size = 0;
  for (const _ in value) size += 1;
  return size;
}

const isText = (value: unknown, form: RegExp): value is string => typeof value === 'string' && form.test(value);

const isDecimal = (value: unknown, decimals: number): value is string =>
  typeof value === 'string' && isScaled(value, decimals);

const isCount = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;

/** Counted in UTF-16 units, of which a text has as many as characters or more. */
const isDescription = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= DESCRIPTION_MAX &&
  value.trim() !== '' &&
  !CONTROL_CHARACTERS.test(value);

/** Without the 29th of February, which not every year has. */
const INSTANT =
  /^[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?Z$/;
const isInstant = (value: unknown): value is string => isText(value, INSTANT);

/**
 * The record as canonical JSON text: what its fingerprint is made of. As `canonicalJson` writes it, in half the time.
 *
 * Only what may have something to escape is looked through, as the forms of the other fields have been checked.
 */
export function recordText(record: UsageInput): string {
  const { corrects, cost, description, lease, provider, seq, tokens, unit } = record;
  const corrected = corrects === undefined ? '' : `,"corrects":${quoted(corrects)}`;
  const passed = cost === undefined ? '' : `,"cost":"${cost}"`;
  const described = description === undefined ? '' : `,"description":${quoted(description)}`;
  const leased = lease === undefined ? '' : `,"lease":"${lease}"`;
  const by = provider === undefined ? '' : `,"provider":"${provider}"`;
  const numbered = seq === undefined ? '' : `,"seq":${seq}`;
  const call = tokens === undefined ? '' : `,"tokens":${tokensText(tokens)}`;
  const measure = unit === undefined ? '' : `,"unit":"${unit}"`;
  return `{"applies_to":"${record.applies_to}"${corrected}${passed}${described},"idempotency_key":${quoted(record.idempotency_key)}${leased},"occurred_at":"${record.occurred_at}"${by},"quantity":"${record.quantity}","resource_kind":${quoted(record.resource_kind)}${numbered}${call}${measure},"user_sid":"${record.user_sid}"}`;
}

export const tokensText = ({ cached_input: cached, input, output }: NonNullable<UsageInput['tokens']>): string =>
  `{${cached === undefined ? '' : `"cached_input":${cached},`}"input":${input},"output":${output}}`;

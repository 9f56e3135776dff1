import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { refuse } from '../domain/refusal.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { House } from './house.ts';

/** A page is one index range scan; past 200 rows a caller wants an export, not a page. */
const PAGE_ROWS_MAX = 200;
const PAGE_ROWS_DEFAULT = 50;

/** The two fields of every list. Spread into the input: `z.strictObject({ ...pageInput, search: … })`. */
export const pageInput = {
  limit: z
    .int()
    .min(1)
    .max(PAGE_ROWS_MAX)
    .default(PAGE_ROWS_DEFAULT)
    .describe(`How many items to answer at most, 1 to ${PAGE_ROWS_MAX}.`),
  cursor: z
    .string()
    .max(512)
    .optional()
    .describe('`next_cursor` of the page before; leave it out for the first page. Opaque and signed.'),
};

/** What every list answers. `next_cursor` is null on the last page. */
export const pageOutput = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

type CursorHouse = { readonly settings: Pick<House['settings'], 'sessionKey'> };

/**
 * Cuts one page out of `rows`.
 *
 * Shape: read `limit + 1` rows in the list's order; the row too many only says that there is a next page. `keyOf` names the
 * row in that order (a sid, a seq) and comes back from {@link readCursor}.
 */
export function pageOf<R, T = R>(
  house: CursorHouse,
  operationName: string,
  rows: readonly R[],
  limit: number,
  keyOf: (row: R) => string,
  toItem: (row: R) => T = (row) => row as unknown as T,
): { items: T[]; next_cursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { items: items.map(toItem), next_cursor: hasMore ? writeCursor(house, operationName, keyOf(last)) : null };
}

/**
 * The key a cursor carries; null for the first page.
 *
 * Refuses `invalid_request` for a cursor that we did not sign for this very operation: a key from elsewhere would make a
 * caller choose where our index scan starts.
 */
export function readCursor(
  house: CursorHouse,
  operationName: string,
  cursor: string | undefined,
): string | null | Refusal {
  if (cursor === undefined) return null;
  const [key = '', mac = '', ...rest] = cursor.split('.');
  const isWellFormed = rest.length === 0 && /^[A-Za-z0-9_-]+$/.test(key) && /^[A-Za-z0-9_-]{22}$/.test(mac);
  const text = isWellFormed ? Buffer.from(key, 'base64url').toString('utf8') : '';
  if (isWellFormed && timingSafeEqual(Buffer.from(mac), Buffer.from(sign(house, operationName, text)))) return text;
  const detail = 'must be the next_cursor of an earlier page of this list, unchanged';
  return refuse('invalid_request', 'The cursor is not one of ours.', { errors: [{ pointer: '#/cursor', detail }] });
}

/** Signs a place in a list, for this very operation. */
export const writeCursor = (house: CursorHouse, operationName: string, key: string): string =>
  `${Buffer.from(key, 'utf8').toString('base64url')}.${sign(house, operationName, key)}`;

/** 128 bits of HMAC: 22 characters of base64url. */
const sign = (house: CursorHouse, operationName: string, key: string): string =>
  createHmac('sha256', house.settings.sessionKey)
    .update(`cursor\n${operationName}\n${key}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');

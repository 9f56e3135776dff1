import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { formatDecimal, micros, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { House } from '../house.ts';

export const quoteField = z
  .string()
  .max(1_024)
  .optional()
  .describe('The token of a quote: then it costs what was quoted, or it is refused.');

/** How long a quote holds: long enough to read it and to put money in. */
const QUOTE_MS = 15 * 60_000;

/** What was quoted. */
export interface Quote {
  readonly walletSid: string;
  /** Of the version. */
  readonly planSid: string;
  readonly total: Micros;
  /** The instant for which it was computed; a part of a period is charged from there. */
  readonly at: Date;
  /** The part of a period that is changed, `<subscription>/<number>/<part>`; null: something is bought. */
  readonly of: string | null;
}

const Claims = z.tuple([z.string(), z.string(), z.string(), z.int(), z.string().nullable()]);

type Keys = { readonly settings: Pick<House['settings'], 'sessionKey'> };

export const quoteExpiresAt = (at: Date): Date => new Date(at.getTime() + QUOTE_MS);

/** A quote that its bearer may present when they buy: signed, not kept. */
export function writeQuote(house: Keys, { walletSid, planSid, total, at, of }: Quote): string {
  const claims: z.input<typeof Claims> = [walletSid, planSid, total.toString(), at.getTime(), of];
  const body = Buffer.from(JSON.stringify(claims), 'utf8').toString('base64url');
  return `${body}.${sign(house, body)}`;
}

/** Refuses what we did not sign, and what has run out. */
export function readQuote(house: Keys, token: string, now: Date): Quote | Refusal {
  const [, body, mac] = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/.exec(token) ?? [];
  const isOurs =
    body !== undefined && mac !== undefined && timingSafeEqual(Buffer.from(mac), Buffer.from(sign(house, body)));
  if (!isOurs)
    return refuse('invalid_request', 'The quote is not one of ours.', {
      errors: [{ pointer: '#/quote', detail: 'must be the token of a quote, unchanged' }],
    });
  const [walletSid, planSid, total, atMs, of] = Claims.parse(
    JSON.parse(Buffer.from(body, 'base64url').toString('utf8')),
  );
  const at = new Date(atMs);
  const expiresAt = quoteExpiresAt(at);
  if (now >= expiresAt)
    return refuse('quote_changed', 'The quote has run out. Ask for another one.', {
      details: { expired_at: expiresAt.toISOString() },
    });
  return { walletSid, planSid, total: micros(BigInt(total)), at, of };
}

/** Null: what would be charged now is what was quoted. */
export function quoteRefusal(quoted: Quote, now: Omit<Quote, 'at'>): Refusal | null {
  const isSame =
    quoted.walletSid === now.walletSid &&
    quoted.planSid === now.planSid &&
    quoted.of === now.of &&
    quoted.total === now.total;
  if (isSame) return null;
  return refuse('quote_changed', 'It is not what was quoted any more. Ask for another quote.', {
    details: { quoted: formatDecimal(quoted.total), now: formatDecimal(now.total) },
  });
}

/** Null: no quote was presented, or it holds. */
export function checkQuote(
  house: Keys,
  token: string | undefined,
  now: Date,
  wanted: Omit<Quote, 'at'>,
): Refusal | null {
  if (token === undefined) return null;
  const quote = readQuote(house, token, now);
  return isRefusal(quote) ? quote : quoteRefusal(quote, wanted);
}

/** 128 bits of HMAC: 22 characters of base64url. */
const sign = (house: Keys, body: string): string =>
  createHmac('sha256', house.settings.sessionKey)
    .update(`plan quote\n${body}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');

import { createHash, timingSafeEqual } from 'node:crypto';
import { getCookie } from 'hono/cookie';
import { limitKey } from '../domain/identity/caller-address.ts';
import { isMeantAsKey, readKeyText } from '../domain/key/form.ts';
import { readKey } from '../operations/key/read-key.ts';
import type { Actor } from '../operations/operation.ts';
import { readSession } from '../operations/session/open.ts';
import { clockSkewOf } from './clock-skew.ts';
import { judgeAdminSecret, refuseBarred } from './admin-secret.ts';
import { addressOf } from './context.ts';
import type { AppContext, Site } from './context.ts';
import { refused } from './refused.ts';

export const ADMIN_SECRET_HEADER = 'x-hero-onboarding-admin-secret';
const ANONYMOUS: Actor = { kind: 'anonymous', id: 'anonymous' };
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Who calls: by the admin secret's header, a bearer token (a session's, a node's key or a user's) or the session cookie, in this order.
 *
 * Refuses 401 for a secret or bearer token that is not valid: a caller that presents one wants it judged. A cookie that is not
 * valid is nobody: browsers send old cookies by themselves. Refuses 403 for an unsafe request that only a cookie vouches for and
 * that does not come from our own pages, by its origin and by the session's form token.
 */
export async function identify(site: Site, c: AppContext): Promise<Actor> {
  const actor = await actorOf(site, c);
  c.set('actor', 'viewer' in actor && actor.viewer !== undefined ? `${actor.viewer} as ${actor.id}` : actor.id);
  return actor;
}

async function actorOf(site: Site, c: AppContext): Promise<Actor> {
  const secret = c.req.header(ADMIN_SECRET_HEADER);
  if (secret !== undefined) {
    const id = await judgeAdminSecret(site, c, secret);
    return { kind: 'operator', id: `admin:${id}`, role: 'admin', userSid: null };
  }
  const authorization = c.req.header('authorization');
  if (authorization !== undefined) return await bearerOf(site, c, authorization);
  const token = getCookie(c, cookieName(site));
  const actor = token === undefined ? null : await readSession(site.house, token);
  if (!actor) return ANONYMOUS;
  if (!SAFE_METHODS.has(c.req.method)) {
    checkSameSite(site, c, { isOriginRequired: true });
    checkFormToken(c, actor);
  }
  return actor;
}

export const FORM_TOKEN_HEADER = 'x-form-token';

/** A second lock besides the origin: only who could read the session's own answer has the token. Refuses 403 csrf_failed. */
function checkFormToken(c: AppContext, actor: Actor): void {
  const expected = actor.kind === 'user' || actor.kind === 'operator' ? actor.credential?.formToken : undefined;
  const sent = c.req.header(FORM_TOKEN_HEADER) ?? '';
  if (typeof expected === 'string' && timingSafeEqual(sha256(sent), sha256(expected))) return;
  throw refused(
    'csrf_failed',
    'The page is out of date: load it again. (Its form token is missing or not that of the session.)',
  );
}

async function bearerOf(site: Site, c: AppContext, authorization: string): Promise<Actor> {
  const token = /^bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
  const actor = token === undefined ? null : await ownerOf(site, c, token);
  if (actor) return actor;
  throw refused('unauthenticated', 'The bearer token is not valid, or not any more.', { 'www-authenticate': 'Bearer' });
}

/** The holder of a key, of a node or a user, or of a session's token. A key is read here only: never from the address, a cookie or a body. */
const ownerOf = (site: Site, c: AppContext, token: string): Promise<Actor | null> =>
  isMeantAsKey(token) ? keyHolderOf(site, c, token) : readSession(site.house, token);

/** Refuses 429 when the key, or keys from this address, were wrong too often: then the database is not asked. */
async function keyHolderOf(site: Site, c: AppContext, text: string): Promise<Actor | null> {
  const peer = limitKey(addressOf(site, c));
  const sent = readKeyText(text);
  const peerAndKey = `${peer} ${sent?.keyId ?? ''}`;
  refuseBarred(Math.max(site.keyFailures.secondsBarred(peer), site.oneKeyFailures.secondsBarred(peerAndKey)));
  if (sent?.kind === 'node') c.set('clockSkew', clockSkewOf(site, c));
  const holder = await readKey(site.house, text);
  if (holder) return holder;
  site.keyFailures.count(peer);
  site.oneKeyFailures.count(peerAndKey);
  return null;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** `__Host-` needs TLS; on plain-http loopback the name is without it. */
export const cookieName = (site: Site): string =>
  site.house.settings.publicUrl.startsWith('https:') ? '__Host-hero_session' : 'hero_session';

/**
 * Refuses 403 csrf_failed for a request that a page of another site made a browser send. Browsers tell by Sec-Fetch-Site and
 * Origin, and pages cannot forge either. `isOriginRequired`: a request without both is refused too.
 */
export function checkSameSite(
  site: Site,
  c: AppContext,
  { isOriginRequired }: { readonly isOriginRequired: boolean },
): void {
  const fetchSite = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const isFromUs = fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none';
  if (
    isFromUs &&
    isOwnOrigin(site, c, origin) &&
    !(isOriginRequired && fetchSite === undefined && origin === undefined)
  )
    return;
  throw refused('csrf_failed', 'The request did not come from a page of this service.');
}

function isOwnOrigin(site: Site, c: AppContext, origin: string | undefined): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const { origin: own } = new URL(site.house.settings.publicUrl);
  return origin === own || new URL(origin).host === c.req.header('host');
}

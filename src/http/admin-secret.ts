import { createHash, timingSafeEqual } from 'node:crypto';
import { limitKey } from '../domain/identity/caller-address.ts';
import { refuse } from '../domain/refusal.ts';
import { recordSecretFailures } from '../operations/operator/secret-failure.ts';
import { addressOf, type AdminSecret, type AppContext, type Site } from './context.ts';
import { Refused, refused } from './refused.ts';

/** All failures, from wherever they come: an attacker may have many addresses. */
const EVERYWHERE = 'everywhere';
/** An audit row tells of so many at once: an attack must not fill the trail. */
const FAILURES_PER_ROW = 10;

/**
 * The secret's id. Refuses 401, and 429 when there were too many failures, from this address or from all: then nobody comes in by secret
 * for a minute, and operators with an identity of their own are not held up.
 */
export async function judgeAdminSecret(site: Site, c: AppContext, sent: string): Promise<string> {
  const { adminFailures, adminFailuresOfAll, options } = site;
  const key = limitKey(addressOf(site, c));
  refuseBarred(Math.max(adminFailures.secondsBarred(key), adminFailuresOfAll.secondsBarred(EVERYWHERE)));
  const id = idOfSecret(options.adminSecrets, sent);
  if (id !== null) return id;
  adminFailures.count(key);
  adminFailuresOfAll.count(EVERYWHERE);
  await tellOfFailure(site, c);
  throw refused('unauthenticated', 'The admin secret is missing or wrong.');
}

async function tellOfFailure(site: Site, c: AppContext): Promise<void> {
  site.untoldFailures.count += 1;
  if (site.untoldFailures.count < FAILURES_PER_ROW) return;
  site.untoldFailures.count = 0;
  await recordSecretFailures(site.house, {
    failures: FAILURES_PER_ROW,
    address: addressOf(site, c),
    requestId: c.get('requestId'),
  });
}

export function refuseBarred(seconds: number): void {
  if (seconds === 0) return;
  const message = 'Too many wrong credentials. Wait a minute.';
  throw new Refused(refuse('rate_limited', message, { retryAfterSeconds: seconds }));
}

/** Compares digests of equal length, and all of them: neither the secret's length nor its beginning can be timed. */
export function idOfSecret(secrets: readonly AdminSecret[], sent: string): string | null {
  const digest = sha256(sent);
  let id: string | null = null;
  for (const secret of secrets) if (timingSafeEqual(sha256(secret.secret), digest)) id = secret.id;
  return id;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

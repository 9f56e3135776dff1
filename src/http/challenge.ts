import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { limitKey } from '../domain/identity/caller-address.ts';
import { STEP_UP_MINUTES } from '../domain/identity/role.ts';
import { isRefusal, refuse } from '../domain/refusal.ts';
import { beginChallenge } from '../operations/challenge/begin.ts';
import { verifyChallenge } from '../operations/challenge/verify.ts';
import type { Purpose } from '../operations/identity/complete.ts';
import { ownSessionOf } from '../operations/identity/own-session.ts';
import type { Actor } from '../operations/operation.ts';
import { sidField, textField } from '../operations/schema.ts';
import { readJsonObject } from './body.ts';
import { addressOf, type App, type AppContext, type Site } from './context.ts';
import { checkSameSite, identify } from './credentials.ts';
import { refused, Refused } from './refused.ts';
import { callerOf, parse, signedIn } from './sign-in.ts';

const challengeInput = z.strictObject({
  address: textField(100),
  purpose: z.enum(['sign_in', 'link', 'prove']).default('sign_in'),
  /** For a program, which keeps no cookies: it is given what a browser would be given as one. */
  headless: z.boolean().default(false),
});
const verifyInput = z.strictObject({
  challenge: sidField,
  /** Left out: the node's reply is looked for. */
  code: textField(100).optional(),
  /** Of a program: what the challenge gave it. */
  secret: z.string().min(1).max(100).optional(),
});

/** Proof of control of an overlay node: a code goes there, and comes back here. */
export function addChallengeRoutes(app: App, site: Site): void {
  app.post('/login/challenge', async (c) => {
    c.set('operation', 'challenge.begin');
    checkSameSite(site, c, { isOriginRequired: false });
    const { address, purpose: asked, headless } = parse(challengeInput, await readJsonObject(c));
    const purpose = asked === 'sign_in' ? ({ kind: asked } as const) : purposeOf(site, asked, await identify(site, c));
    countCall(site, c);
    const begun = await beginChallenge(site.house, { address, purpose });
    if (isRefusal(begun)) throw new Refused(begun);
    const seconds = Math.ceil((begun.expiresAt.getTime() - site.house.ports.clock.now().getTime()) / 1_000);
    if (!headless) setHolderCookie(site, c, begun.holderSecret, seconds);
    return c.json(
      {
        challenge: begun.sid,
        address: begun.address,
        number: begun.number,
        expires_at: begun.expiresAt.toISOString(),
        ...(headless ? { secret: begun.holderSecret } : {}),
      },
      201,
    );
  });
  app.post('/login/verify', async (c) => {
    c.set('operation', 'challenge.verify');
    checkSameSite(site, c, { isOriginRequired: false });
    const { challenge, code, secret } = parse(verifyInput, await readJsonObject(c));
    const actor = await identify(site, c);
    refuseBarred(site.challengeFailures.secondsBarred(limitKey(addressOf(site, c))));
    const outcome = await verifyChallenge(site.house, {
      sid: challenge,
      holderSecret: secret ?? getCookie(c, holderCookieName(site)) ?? '',
      code: code ?? null,
      asker: ownSessionOf(actor),
      caller: callerOf(site, c),
      author: { house: site.house, actor, requestId: c.get('requestId') },
    });
    if (isRefusal(outcome)) {
      if (outcome.code === 'unauthenticated') site.challengeFailures.count(limitKey(addressOf(site, c)));
      throw new Refused(outcome);
    }
    if ('kind' in outcome) return c.json({ state: 'waiting', expires_at: outcome.expiresAt.toISOString() }, 202);
    setHolderCookie(site, c, '', 0);
    return signedIn(site, c, outcome);
  });
}

/** Refuses 401 for who is not signed in, and 403 for a link in a session whose holder has not shown who they are of late. */
function purposeOf(site: Site, kind: 'link' | 'prove', actor: Actor): Purpose {
  const asker = ownSessionOf(actor);
  if (asker === null) throw refused('unauthenticated', 'Sign in first.');
  const provenAt = 'credential' in actor ? actor.credential?.provenAt : undefined;
  const ageMs = site.house.ports.clock.now().getTime() - (provenAt?.getTime() ?? 0);
  if (kind === 'link' && ageMs > STEP_UP_MINUTES * 60_000)
    throw refused(
      'reauth_required',
      `Show once more who you are: to add a way to sign in, a sign-in may be ${STEP_UP_MINUTES} minutes old at most.`,
    );
  return { kind, ...asker };
}

/** Each call makes our node write to another one. */
function countCall(site: Site, c: AppContext): void {
  const peer = limitKey(addressOf(site, c));
  refuseBarred(site.challengeCalls.secondsBarred(peer));
  site.challengeCalls.count(peer);
}

function refuseBarred(seconds: number): void {
  if (seconds === 0) return;
  const message = 'Too many sign-ins from this address. Wait a moment.';
  throw new Refused(refuse('rate_limited', message, { retryAfterSeconds: seconds }));
}

/** `__Host-` needs TLS; on plain-http loopback the name is without it. */
const holderCookieName = (site: Site): string =>
  site.house.settings.publicUrl.startsWith('https:') ? '__Host-hero_challenge' : 'hero_challenge';

/** Each challenge has its own: one that was planted before is worth nothing, and of two in one browser the later counts. */
function setHolderCookie(site: Site, c: AppContext, secret: string, maxAgeSeconds: number): void {
  setCookie(c, holderCookieName(site), secret, {
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: site.house.settings.publicUrl.startsWith('https:'),
    maxAge: maxAgeSeconds,
  });
}

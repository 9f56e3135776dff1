import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { safeReturnPath } from '../domain/identity/return-path.ts';
import { SIGN_IN_PROBLEMS, type SignInProblem } from '../domain/identity/sign-in-problem.ts';
import { refuse, type Refusal, type RefusalCode } from '../domain/refusal.ts';
import { requireProof } from '../operations/admission.ts';
import { beginAttempt, finishAttempt, type Begun } from '../operations/identity/through-provider.ts';
import type { Purpose } from '../operations/identity/complete.ts';
import { ownSessionOf } from '../operations/identity/own-session.ts';
import { signOut } from '../operations/session/open.ts';
import {
  IDENTITY_PROVIDERS,
  type IdentityProvider,
  type IdentityProviderName,
} from '../providers/identity-provider.ts';
import { readJsonObject } from './body.ts';
import type { App, AppContext, Site } from './context.ts';
import { cookieName, identify } from './credentials.ts';
import { PAGE_PATHS } from './pages.ts';
import { Refused, refused } from './refused.ts';
import { callerOf, parse, setSessionCookie } from './sign-in.ts';

const startInput = z.strictObject({ purpose: z.enum(['link', 'prove']), return_to: z.string().max(500).optional() });

/**
 * Sign-in through a Forge or another OpenID Connect issuer. `GET …/start` sends a browser there, `GET …/callback` takes it back.
 *
 * To link an identity, or to show once more who one is, a page asks by POST and goes where the answer says: a link on another site must not
 * be able to begin that.
 */
export function addProviderSignInRoutes(app: App, site: Site): void {
  for (const name of IDENTITY_PROVIDERS) {
    app.get(`/login/${name}/start`, (c) => start(site, c, name));
    app.post(`/login/${name}/start`, (c) => startFromPage(site, c, name));
    app.get(`/login/${name}/callback`, (c) => callback(site, c, name));
  }
}

async function start(site: Site, c: AppContext, name: IdentityProviderName): Promise<Response> {
  c.set('operation', 'session.start');
  const returnPath = safeReturnPath(c.req.query('return_to'), PAGE_PATHS);
  const provider = site.house.identityProviders.get(name);
  if (provider === undefined) return fail(c, { name, problem: 'not_configured', returnPath });
  const begun = await begin(site, c, { provider, purpose: { kind: 'sign_in' }, returnPath });
  if (begun.kind === 'failed') return fail(c, { name, problem: begun.problem, returnPath });
  return c.redirect(begun.location, 303);
}

async function startFromPage(site: Site, c: AppContext, name: IdentityProviderName): Promise<Response> {
  c.set('operation', 'session.start');
  const actor = await identify(site, c);
  const own = ownSessionOf(actor);
  if (own === null) throw refused('unauthenticated', 'Sign in first, as somebody who has an account here.');
  const { purpose: kind, return_to: returnTo } = parse(startInput, await readJsonObject(c));
  // A second way into an account is as good as its first: it is made with the same care.
  const isPerson = actor.kind === 'user' || actor.kind === 'operator';
  const barred = kind === 'link' && isPerson ? requireProof(site.house, 'secrets', actor) : null;
  if (barred !== null) throw new Refused(barred);
  const provider = site.house.identityProviders.get(name);
  if (provider === undefined) throw new Refused(refusalOf('not_configured'));
  const purpose = { kind, ...own } as const;
  const begun = await begin(site, c, { provider, purpose, returnPath: safeReturnPath(returnTo, PAGE_PATHS) });
  if (begun.kind === 'failed') throw new Refused(refusalOf(begun.problem));
  return c.json({ location: begun.location });
}

async function begin(
  site: Site,
  c: AppContext,
  asked: { readonly provider: IdentityProvider; readonly purpose: Purpose; readonly returnPath: string },
): Promise<Begun> {
  const kept = getCookie(c, attemptCookie(site)) ?? null;
  const begun = await beginAttempt(site.house, { ...asked, kept, requestId: c.get('requestId') });
  if (begun.kind === 'begun') keep(site, c, begun.kept);
  return begun;
}

async function callback(site: Site, c: AppContext, name: IdentityProviderName): Promise<Response> {
  c.set('operation', 'session.sign-in');
  // Whoever only looks at a link must not use it up.
  if (c.req.method === 'HEAD') throw refused('method_not_allowed', 'This path takes GET.', { allow: 'GET' });
  const provider = site.house.identityProviders.get(name);
  if (provider === undefined) return fail(c, { name, problem: 'not_configured', returnPath: '/' });
  const actor = await identify(site, c);
  const { outcome, returnPath, purpose, kept } = await finishAttempt(site.house, {
    provider,
    parameters: new URL(c.req.url).searchParams,
    kept: getCookie(c, attemptCookie(site)) ?? null,
    actor,
    caller: callerOf(site, c),
    requestId: c.get('requestId'),
  });
  keep(site, c, kept);
  if (outcome.kind === 'failed') return fail(c, { name, problem: outcome.problem, returnPath });
  // Whoever was signed in here before is not any more, on all processes.
  const before = getCookie(c, cookieName(site));
  if (before !== undefined && purpose === 'sign_in') await signOut(site.house, before);
  setSessionCookie(site, c, outcome.session.token, site.house.settings.sessionHours * 3_600);
  return c.redirect(returnPath, 303);
}

interface Failed {
  readonly name: IdentityProviderName;
  readonly problem: SignInProblem;
  readonly returnPath: string;
}

/** A person goes on to a page that says what to do; the code and the state are then in no address that is kept. A program gets a problem. */
function fail(c: AppContext, { name, problem, returnPath }: Failed): Response {
  if (!(c.req.header('accept') ?? '').includes('text/html')) throw new Refused(refusalOf(problem));
  const query = new URLSearchParams({ problem, with: name, return_to: returnPath });
  return c.redirect(`/sign-in/failed?${query.toString()}`, 303);
}

const CODES: Readonly<Partial<Record<SignInProblem, RefusalCode>>> = {
  not_configured: 'sign_in_not_configured',
  misconfigured: 'sign_in_not_configured',
  unreachable: 'unavailable',
  taken: 'state_conflict',
  other_account: 'forbidden',
  closed: 'forbidden',
};

function refusalOf(problem: SignInProblem): Refusal {
  const { title, advice } = SIGN_IN_PROBLEMS[problem];
  return refuse(CODES[problem] ?? 'sign_in_failed', `${title}. ${advice}`, { details: { reason: problem } });
}

/** `__Host-` needs TLS; on plain-http loopback the name is without it. */
const attemptCookie = (site: Site): string => (isSecure(site) ? '__Host-hero_sign_in' : 'hero_sign_in');

const isSecure = (site: Site): boolean => site.house.settings.publicUrl.startsWith('https:');

/** Longer than an attempt is good for, so that whoever comes back late can be told that they are. */
const KEPT_SECONDS = 3_600;

/** Lax: the browser comes back from another site. */
function keep(site: Site, c: AppContext, kept: string | null): void {
  setCookie(c, attemptCookie(site), kept ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: isSecure(site),
    maxAge: kept === null ? 0 : KEPT_SECONDS,
  });
}

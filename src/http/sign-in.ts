import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { refuse } from '../domain/refusal.ts';
import { OPERATOR_ROLES } from '../domain/identity/role.ts';
import { signOut, type Caller, type SignedIn } from '../operations/session/open.ts';
import { signInAdmin, signInSandbox } from '../operations/session/sign-in.ts';
import { textField } from '../operations/schema.ts';
import { readJsonObject } from './body.ts';
import { judgeAdminSecret } from './admin-secret.ts';
import { addressOf, type App, type AppContext, type Site } from './context.ts';
import { checkSameSite, cookieName, identify } from './credentials.ts';
import { refused, Refused } from './refused.ts';

const sandboxInput = z.strictObject({
  name: textField(100),
  role: z.enum(['user', 'operator', ...OPERATOR_ROLES]).default('user'),
});
const adminInput = z.strictObject({ admin_secret: z.string().min(1).max(1_024) });

/** Sign-in and sign-out. Every sign-in makes a new token: one that was planted before is worth nothing after. */
export function addSignInRoutes(app: App, site: Site): void {
  app.post('/login/sandbox', async (c) => {
    c.set('operation', 'session.sign-in-sandbox');
    if (site.house.settings.mode !== 'sandbox') throw refused('not_found', 'There is nothing here.');
    checkSameSite(site, c, { isOriginRequired: false });
    const { name, role } = parse(sandboxInput, await readJsonObject(c));
    return signedIn(site, c, await signInSandbox(site.house, { name, role }, callerOf(site, c)));
  });
  app.post('/login/admin', async (c) => {
    c.set('operation', 'session.sign-in-admin');
    checkSameSite(site, c, { isOriginRequired: false });
    const { admin_secret: secret } = parse(adminInput, await readJsonObject(c));
    const secretId = await judgeAdminSecret(site, c, secret);
    const session = await signInAdmin(site.house, { secretId, requestId: c.get('requestId') }, callerOf(site, c));
    // Whoever shows it once more goes on with the new session; the one before must not stay open in somebody's hands.
    const before = getCookie(c, cookieName(site));
    if (before !== undefined) await signOut(site.house, before);
    return signedIn(site, c, session);
  });
  app.post('/logout', async (c) => {
    c.set('operation', 'session.sign-out');
    await identify(site, c);
    for (const token of [bearerToken(c), getCookie(c, cookieName(site))]) if (token) await signOut(site.house, token);
    setSessionCookie(site, c, '', 0);
    return c.body(null, 204);
  });
}

const bearerToken = (c: AppContext): string | undefined =>
  /^bearer ([\x21-\x7e]{1,512})$/i.exec(c.req.header('authorization') ?? '')?.[1];

export function parse<T extends z.ZodType>(schema: T, raw: unknown): z.output<T> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ pointer: `#/${issue.path.join('/')}`, detail: issue.message }));
  throw new Refused(refuse('invalid_request', 'The request is not valid.', { errors }));
}

/** Where a sign-in comes from, for the list of sessions and for evidence. */
export const callerOf = (site: Site, c: AppContext): Caller => ({
  address: addressOf(site, c),
  agent: c.req.header('user-agent') ?? null,
});

/** Says what a program needs; a browser has the cookie, and asks the session about the rest. */
export function signedIn(site: Site, c: AppContext, session: SignedIn): Response {
  setSessionCookie(site, c, session.token, site.house.settings.sessionHours * 3_600);
  return c.json({
    token: session.token,
    session_sid: session.sid,
    user_sid: session.userSid,
    wallet_sid: session.walletSid,
    expires_at: session.expiresAt.toISOString(),
  });
}

/** Lax: a person who comes back from the checkout page of the provider is still signed in. */
export function setSessionCookie(site: Site, c: AppContext, token: string, maxAgeSeconds: number): void {
  setCookie(c, cookieName(site), token, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: site.house.settings.publicUrl.startsWith('https:'),
    maxAge: maxAgeSeconds,
  });
}

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type ClientMetadata } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { IdentityProvider, SignInQuestion } from '../../src/providers/identity-provider.ts';
import { oidcProvider, type OidcOptions } from '../../src/providers/oidc/index.ts';
import { testPorts } from '../support/ports.ts';

const REDIRECT_URI = 'https://wallet.example/login/oidc/callback';
const SECRET = 'a-secret-of-a-confidential_client.1';

const client = (client_id: string, changes: Partial<ClientMetadata> = {}): ClientMetadata => ({
  client_id,
  client_secret: SECRET,
  redirect_uris: [REDIRECT_URI],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'client_secret_post',
  ...changes,
});

/** A certified provider with the routes of a Forge; whoever comes is `ada`, signs in anew when asked to, and agrees. */
async function openJudge(hasSlash: boolean): Promise<{ issuer: string; server: Server }> {
  // It warns of keys, storage and lifetimes that no production should have.
  for (const level of ['warn', 'info'] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  let handle: ReturnType<Provider['callback']> | null = null;
  const server = createServer((request, response) => void handle?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(hasSlash ? `${issuer}/` : issuer, {
    clients: [client('by-body'), client('by-header', { token_endpoint_auth_method: 'client_secret_basic' })],
    routes: {
      authorization: '/login/oauth/authorize',
      token: '/login/oauth/access_token',
      userinfo: '/login/oauth/userinfo',
      jwks: '/login/oauth/keys',
    },
    pkce: { required: () => true },
    scopes: ['openid', 'profile', 'email', 'read:user'],
    claims: { profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], openid: ['sub', 'groups'] },
    // As the standard has it: what scopes ask for is at the userinfo endpoint, not in the id token.
    conformIdTokenClaims: true,
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ['a key of this test'] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: 'Ada Lovelace', preferred_username: 'ada', groups: ['staff', 'billing'] }),
    }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  });
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/interaction/')) {
      await next();
      return;
    }
    const { prompt, session, params } = await provider.interactionDetails(context.req, context.res);
    if (prompt.name === 'login') {
      await provider.interactionFinished(context.req, context.res, { login: { accountId: 'ada-7' } });
    } else {
      const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params['client_id']) });
      grant.addOIDCScope(String(params['scope']));
      const consent = { grantId: await grant.save() };
      await provider.interactionFinished(context.req, context.res, { consent }, { mergeWithLastSubmission: true });
    }
    context.respond = false;
  });
  handle = provider.callback();
  return { issuer, server };
}

/** A browser with cookies that follows where it is sent, until it is sent back to us. */
async function browse(start: string, jar: Map<string, string> = new Map()): Promise<URLSearchParams> {
  let address = start;
  for (let step = 0; step < 20; step += 1) {
    if (address.startsWith(REDIRECT_URI)) return new URL(address).searchParams;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(address, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      jar.set(name, value);
    }
    const next = response.headers.get('location');
    if (next === null) throw new Error(`${address} answered ${response.status}: ${await response.text()}`);
    address = new URL(next, address).href;
  }
  throw new Error('it goes round in circles');
}

const ports = testPorts({ now: new Date() });

const question = (changes: Partial<SignInQuestion> = {}): SignInQuestion => ({
  state: 'a-state-of-forty-three-random-characters-00001',
  nonce: 'a-nonce-of-forty-three-random-characters-00001',
  verifier: 'a-verifier-of-forty-three-random-characters-1',
  redirectUri: REDIRECT_URI,
  startedAt: ports.clock.now(),
  isStepUp: false,
  ...changes,
});

describe.each([false, true])(
  'judged by a certified provider with the routes of a Forge (issuer with a slash: %s)',
  (hasSlash) => {
    let judge: Awaited<ReturnType<typeof openJudge>>;
    beforeAll(async () => {
      judge = await openJudge(hasSlash);
    });
    afterAll(() => {
      judge.server.closeAllConnections();
      judge.server.close();
    });

    const provider = (changes: Partial<OidcOptions> = {}): IdentityProvider =>
      oidcProvider({
        name: 'oidc',
        title: 'Judge',
        issuer: judge.issuer,
        clientId: 'by-body',
        clientSecret: SECRET,
        scope: 'openid profile email read:user',
        secretBy: 'body',
        tellsWhenProven: true,
        roleClaim: null,
        ports,
        ...changes,
      });

    it('signs in, with what only the userinfo endpoint says', async () => {
      const parameters = await browse(await provider().begin(question()));
      expect(parameters.get('iss')).toBe(hasSlash ? `${judge.issuer}/` : judge.issuer);
      const identity = await provider({ roleClaim: 'groups' }).finish(question(), { parameters });
      expect(identity).toMatchObject({
        issuer: judge.issuer,
        subject: 'ada-7',
        displayName: 'Ada Lovelace',
        username: 'ada',
      });
      expect(identity.claims['groups']).toEqual(['staff', 'billing']);
    });

    it('sends the secret in the header where the provider has it so', async () => {
      const ours = provider({ clientId: 'by-header', secretBy: 'header' });
      const parameters = await browse(await ours.begin(question()));
      expect((await ours.finish(question(), { parameters })).subject).toBe('ada-7');
    });

    it('J15 a step-up has the person sign in anew, and believes nothing else', async () => {
      const jar = new Map<string, string>();
      await browse(await provider().begin(question()), jar);
      const stepUp = question({ isStepUp: true });
      const parameters = await browse(await provider().begin(stepUp), jar);
      expect((await provider().finish(stepUp, { parameters })).subject).toBe('ada-7');
      // The same person, whom the provider has only recognised.
      const lazy = await browse(await provider().begin(question()), jar);
      await expect(provider().finish(stepUp, { parameters: lazy })).rejects.toMatchObject({ kind: 'invalid' });
    });

    it('J07 is refused a code twice, a code of another verifier, and a wrong secret', async () => {
      const again = await browse(await provider().begin(question()));
      await provider().finish(question(), { parameters: again });
      await expect(provider().finish(question(), { parameters: again })).rejects.toMatchObject({ kind: 'refused' });
      const other = await browse(await provider().begin(question()));
      const verifier = 'another-verifier-of-forty-three-characters-222';
      await expect(provider().finish(question({ verifier }), { parameters: other })).rejects.toMatchObject({
        kind: 'refused',
      });
      const secret = await browse(await provider().begin(question()));
      await expect(
        provider({ clientSecret: 'wrong' }).finish(question(), { parameters: secret }),
      ).rejects.toMatchObject({
        kind: 'misconfigured',
      });
    });
  },
);

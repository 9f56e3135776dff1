import { createHash, timingSafeEqual } from 'node:crypto';
import type { Keeper } from '../../keeper.ts';
import type { SandboxRandom } from '../../ports.ts';
import type { ApiAnswer } from '../api.ts';
import type { Switches } from '../switches.ts';
import { idToken, jwkOf, newSigner, type Signer } from './id-token.ts';
import { consentPage, peoplePage, refusedPage, type PageAnswer } from './page.ts';
import { LoginState, type LoginChange, type Person } from './state.ts';

export interface LoginOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Compared exactly. */
  readonly redirectUris: readonly string[];
  readonly random: SandboxRandom;
  readonly keeper?: Keeper<LoginChange>;
}

export interface LoginRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly authorization: string | undefined;
}

const APPLICATION = 'hero-onboarding';
const TOKEN_SECONDS = 3_600;

/** What an authorization request asks for, once it is known to be the application's own. */
interface Asked {
  readonly redirectUri: string;
  readonly state: string;
  readonly scope: string;
  readonly nonce: string | null;
  readonly challenge: string;
}

/**
 * The OAuth2 provider of a Forge: routes and shapes of Forgejo and Gitea, for one registered application. Stricter than they are in
 * one thing: it takes no authorization request without PKCE by S256.
 */
export class ForgeLogin {
  readonly state: LoginState;
  readonly #options: LoginOptions;
  readonly #now: () => Date;
  #signer: Signer | null = null;

  constructor(options: LoginOptions, now: () => Date) {
    this.#options = options;
    this.#now = now;
    this.state = new LoginState(options.random, options.keeper);
  }

  isPage({ url }: LoginRequest): boolean {
    return url.pathname === '/login/oauth/authorize';
  }

  /** The routes that programs ask; null: it is none of them. */
  answer(request: LoginRequest, base: string, switches: Switches): ApiAnswer | null {
    switch (`${request.method} ${request.url.pathname}`) {
      case 'GET /.well-known/openid-configuration':
        return { status: 200, body: discovery(base, switches) };
      case 'GET /login/oauth/keys':
        return { status: 200, body: { keys: [jwkOf(this.#key())] } };
      case 'POST /login/oauth/access_token':
        return this.#exchange(request, issuerOf(base, switches), switches);
      case 'GET /login/oauth/userinfo':
      case 'POST /login/oauth/userinfo':
        return this.#whoever(request, ({ id, name, login, email }) => ({
          sub: String(id),
          name,
          preferred_username: login,
          email,
          picture: `${base}/avatars/${id}`,
        }));
      case 'GET /api/v1/user':
        return this.#whoever(request, ({ id, login, name, email }) => ({
          id,
          login,
          full_name: name,
          email,
          is_admin: false,
          active: true,
        }));
      default:
        return null;
    }
  }

  /** The pages that people see: who they are, and whether they let the application in. A text: where they go next. */
  page({ method, url, body }: LoginRequest): PageAnswer | string {
    const nonce = Buffer.from(this.#options.random.bytes(16)).toString('base64');
    const asked = this.#readAsked(url.searchParams);
    if (asked instanceof Error) return refusedPage(asked.message, nonce);
    if (typeof asked === 'string') return asked;
    const facts = { nonce, origin: new URL(asked.redirectUri).origin };
    const form = new URLSearchParams(method === 'POST' ? body : '');
    const people = [...this.state.people.values()];
    const name = form.get('name');
    const person = name === null ? this.state.people.get(Number(form.get('person') ?? 0)) : this.state.add(name);
    if (person === null) return peoplePage(people, 'A name has letters or digits.', facts);
    if (person === undefined) return peoplePage(people, null, facts);
    const consent = form.get('consent');
    if (consent === 'no') {
      return back(asked, { error: 'access_denied', error_description: 'the request is denied' });
    }
    const { clientId } = this.#options;
    if (consent === 'yes') this.state.grant({ person: person.id, clientId, scope: asked.scope });
    const grant = this.state.grantOf(person, clientId);
    if (grant === null) return consentPage(person, { application: APPLICATION, scope: asked.scope }, facts);
    // Whatever is asked for later, a Forge silently keeps to what was granted first.
    const { redirectUri, challenge } = asked;
    const code = { person, clientId, redirectUri, scope: grant.scope, nonce: asked.nonce, challenge };
    return back(asked, { code: this.state.addCode(code, this.#now()) });
  }

  /** An error is for the person: the address is not known to be the application's. A text is where the answer goes. */
  #readAsked(query: URLSearchParams): Asked | Error | string {
    const get = (name: string): string => query.get(name) ?? '';
    const redirectUri = get('redirect_uri');
    if (get('client_id') !== this.#options.clientId) return new Error('Client ID not registered');
    if (!this.#options.redirectUris.includes(redirectUri)) return new Error('Unregistered Redirect URI');
    const asked = {
      redirectUri,
      state: get('state'),
      scope: get('scope'),
      nonce: query.get('nonce'),
      challenge: get('code_challenge'),
    };
    if (get('response_type') !== 'code')
      return back(asked, {
        error: 'unsupported_response_type',
        error_description: 'Only code response type is supported.',
      });
    if (get('code_challenge_method') !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(asked.challenge))
      return back(asked, { error: 'invalid_request', error_description: 'PKCE with S256 is required' });
    return asked;
  }

  #exchange(request: LoginRequest, issuer: string, switches: Switches): ApiAnswer {
    const form = new URLSearchParams(request.body);
    const [id, secret] = credentialsOf(request.authorization, form);
    const { clientId, clientSecret } = this.#options;
    if (id !== clientId) return failed('invalid_client', 'cannot load client');
    if (!isSame(secret, clientSecret)) return failed('unauthorized_client', 'invalid client secret');
    if (form.get('grant_type') !== 'authorization_code')
      return failed('unsupported_grant_type', 'Only refresh_token or authorization_code grant type is supported');
    const code = this.state.takeCode(form.get('code') ?? '', this.#now());
    if (code === null) return failed('unauthorized_client', 'client is not authorized');
    if (form.get('redirect_uri') !== code.redirectUri) return failed('unauthorized_client', 'client is not authorized');
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!isSame(verifier, code.challenge)) return failed('unauthorized_client', 'failed PKCE code challenge');
    const { person, scope, nonce } = code;
    const facts = { kind: switches.idToken, issuer, clientId, nonce, person, scope, now: this.#now() };
    const token = scope.split(' ').includes('openid') ? idToken(this.#key(), facts) : null;
    return {
      status: 200,
      body: {
        access_token: this.state.addAccess({ person, scope }),
        token_type: 'bearer',
        expires_in: TOKEN_SECONDS,
        refresh_token: Buffer.from(this.#options.random.bytes(32)).toString('hex'),
        ...(token === null ? {} : { id_token: token }),
      },
    };
  }

  #whoever({ authorization }: LoginRequest, shape: (person: Person) => object): ApiAnswer {
    const [, token = ''] = /^(?:Bearer|token) (\S+)$/i.exec(authorization ?? '') ?? [];
    const access = this.state.accessOf(token);
    if (access === null) return { status: 401, body: { message: 'invalid username, password or token' } };
    return { status: 200, body: shape(access.person) };
  }

  #key(): Signer {
    return (this.#signer ??= newSigner());
  }
}

/** Forgejo trims the slash at the end of its root address, Gitea keeps it. */
const issuerOf = (base: string, { hasIssuerSlash }: Switches): string => (hasIssuerSlash ? `${base}/` : base);

const discovery = (base: string, switches: Switches): object => ({
  issuer: issuerOf(base, switches),
  authorization_endpoint: `${base}/login/oauth/authorize`,
  token_endpoint: `${base}/login/oauth/access_token`,
  jwks_uri: `${base}/login/oauth/keys`,
  userinfo_endpoint: `${base}/login/oauth/userinfo`,
  introspection_endpoint: `${base}/login/oauth/introspect`,
  response_types_supported: ['code', 'id_token'],
  id_token_signing_alg_values_supported: ['RS256'],
  subject_types_supported: ['public'],
  scopes_supported: ['openid', 'profile', 'email', 'groups'],
  claims_supported: [
    'aud',
    'exp',
    'iat',
    'iss',
    'sub',
    'name',
    'preferred_username',
    'email',
    'email_verified',
    'groups',
  ],
  code_challenge_methods_supported: ['plain', 'S256'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
});

function back({ redirectUri, state }: Asked, answer: Readonly<Record<string, string>>): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  url.searchParams.set('state', state);
  return url.href;
}

/** Always 400, whatever the error. */
const failed = (error: string, description: string): ApiAnswer => ({
  status: 400,
  body: { error, error_description: description },
});

/** By the header, as it stands: a Forge undoes no escaping in it. */
function credentialsOf(authorization: string | undefined, form: URLSearchParams): [id: string, secret: string] {
  const [, basic] = /^Basic (\S+)$/i.exec(authorization ?? '') ?? [];
  if (basic === undefined) return [form.get('client_id') ?? '', form.get('client_secret') ?? ''];
  const [id = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return [id, secret.join(':')];
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

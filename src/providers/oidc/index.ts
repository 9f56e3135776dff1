import type { Configuration, IDToken, ServerMetadata } from 'openid-client';
import { z } from 'zod';
import type { Ports } from '../../ports/ports.ts';
import { secondsAheadOfSystem } from '../../ports/system.ts';
import {
  SignInFailure,
  type IdentityProvider,
  type IdentityProviderName,
  type ProvenIdentity,
  type SignInQuestion,
} from '../identity-provider.ts';
import { boundedCall } from './bounded-call.ts';
import { toSignInFailure } from './failure.ts';

export interface OidcOptions {
  readonly name: IdentityProviderName;
  readonly title: string;
  /** Where the issuer is, without a slash at the end. Plain http is spoken only where this address does. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string;
  /**
   * How the secret is sent. `body`: as Forges take it, who do not undo the escaping that the header is to have. `header`: the standard's
   * default. `discovered`: in the body where the issuer says that it takes that, else in the header.
   */
  readonly secretBy: 'body' | 'header' | 'discovered';
  /** Whether the issuer can be asked to have the person prove it anew, and says when they did. Forges cannot. */
  readonly tellsWhenProven: boolean;
  /** A claim that rules about roles look at; asked of the userinfo endpoint where the id token leaves it out. Null: none. */
  readonly roleClaim: string | null;
  /** What identities are kept under instead of the issuer: for a simulator, whose address changes with every start. */
  readonly identityIssuer?: string;
  readonly ports: Ports;
}

type Client = typeof import('openid-client');

const DISCOVERY_KEPT_MS = 3_600_000;
/** How far two clocks may be apart. More is no jitter: it is an answer of another time. */
const CLOCK_SECONDS = 60;

/**
 * An OpenID Connect issuer, by `openid-client`: authorization code, PKCE with S256, state, nonce, and the signature of the id token
 * checked against the issuer's keys although the connection vouches for it already.
 *
 * Connects to nothing until it is first used. What discovery said is kept for an hour, and read again after any failure.
 *
 * Source: OpenID Connect Core 1.0 §3.1, RFC 6749, RFC 7636, RFC 9207.
 */
export function oidcProvider(options: OidcOptions): IdentityProvider {
  const { name, title, scope } = options;
  const discover = discoveryOf(options);
  return {
    name,
    title,
    begin: async (question) => {
      const { client, config } = await discover.config();
      const challenge = await client.calculatePKCECodeChallenge(question.verifier);
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: question.redirectUri,
        response_type: 'code',
        scope,
        state: question.state,
        nonce: question.nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        // Those who do not know them pass them over.
        ...(question.isStepUp ? { prompt: 'login', max_age: '0' } : {}),
      });
      return url.href;
    },
    finish: async (question, { parameters }) => {
      const { client, config } = await discover.config();
      try {
        const claims = await exchange(client, config, question, parameters, options);
        requireFresh(claims, question, options);
        return toIdentity(claims, options);
      } catch (error) {
        const failure = toSignInFailure(error);
        if (failure.kind !== 'denied') discover.forget();
        throw failure;
      }
    },
  };
}

interface Discovered {
  readonly client: Client;
  readonly config: Configuration;
}

function discoveryOf(options: OidcOptions): { config(): Promise<Discovered>; forget(): void } {
  const { ports, issuer, clientId, clientSecret } = options;
  let kept: { readonly metadata: Promise<ServerMetadata>; readonly atMs: number } | null = null;
  const call = boundedCall(ports);
  const isPlain = issuer.startsWith('http:');
  const read = async (client: Client): Promise<ServerMetadata> => {
    try {
      const address = new URL(`${issuer}/.well-known/openid-configuration`);
      const config = await client.discovery(address, clientId, undefined, undefined, {
        [client.customFetch]: call,
        execute: isPlain ? [client.allowInsecureRequests] : [],
      });
      return checkedMetadata(config.serverMetadata(), options);
    } catch (error) {
      throw toSignInFailure(error, { isDiscovery: true });
    }
  };
  return {
    forget: () => {
      kept = null;
    },
    config: async () => {
      // Loaded when first used: a server without such sign-in does not pay for it.
      const client = await import('openid-client');
      const nowMs = ports.clock.monotonicMs();
      if (kept === null || nowMs - kept.atMs > DISCOVERY_KEPT_MS) {
        const begun = { metadata: read(client), atMs: nowMs };
        kept = begun;
        begun.metadata.catch(() => {
          if (kept === begun) kept = null;
        });
      }
      const metadata = await kept.metadata;
      const settings = {
        // The library looks at the time by itself; the time that counts is the port's.
        [client.clockSkew]: secondsAheadOfSystem(ports.clock),
        [client.clockTolerance]: CLOCK_SECONDS,
      };
      const config = new client.Configuration(
        metadata,
        clientId,
        settings,
        isSecretInBody(metadata, options)
          ? client.ClientSecretPost(clientSecret)
          : client.ClientSecretBasic(clientSecret),
      );
      config[client.customFetch] = call;
      if (isPlain) client.allowInsecureRequests(config);
      client.enableNonRepudiationChecks(config);
      return { client, config };
    },
  };
}

function isSecretInBody(metadata: ServerMetadata, { secretBy }: OidcOptions): boolean {
  if (secretBy !== 'discovered') return secretBy === 'body';
  return metadata.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true;
}

const withoutSlash = (address: string): string => (address.endsWith('/') ? address.slice(0, -1) : address);

/** Whose document it is: with a slash at the end or without, nothing else. From here on the issuer is exactly what it says. */
function checkedMetadata(metadata: ServerMetadata, { issuer, name }: OidcOptions): ServerMetadata {
  if (withoutSlash(metadata.issuer) !== issuer) {
    const hint = name === 'forge' ? 'FORGE_URL and the ROOT_URL of the Forge' : 'OIDC_ISSUER and the issuer';
    throw new SignInFailure('misconfigured', `The discovery document is another issuer's: ${hint} must be the same.`);
  }
  const { authorization_endpoint: authorize, token_endpoint: token, jwks_uri: keys } = metadata;
  if (authorize === undefined || token === undefined || keys === undefined)
    throw new SignInFailure('misconfigured', 'The discovery document names no endpoint for codes, tokens or keys.');
  return metadata;
}

type Claims = Readonly<Record<string, unknown>> & Pick<IDToken, 'iss' | 'sub' | 'iat' | 'auth_time'>;

async function exchange(
  client: Client,
  config: Configuration,
  question: SignInQuestion,
  parameters: URLSearchParams,
  { roleClaim }: OidcOptions,
): Promise<Claims> {
  const url = new URL(question.redirectUri);
  url.search = parameters.toString();
  const tokens = await client.authorizationCodeGrant(config, url, {
    expectedState: question.state,
    expectedNonce: question.nonce,
    pkceCodeVerifier: question.verifier,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new SignInFailure('invalid', 'There is no id token.');
  const isNamed = claims.name !== undefined || claims['preferred_username'] !== undefined;
  const isEnough = isNamed && (roleClaim === null || claims[roleClaim] !== undefined);
  if (isEnough || config.serverMetadata().userinfo_endpoint === undefined) return claims;
  const more = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  // What is signed goes before what is not.
  return { ...more, ...claims };
}

/** Refuses what was said at another time: an id token made before the attempt began, or after now. */
function requireFresh(claims: Claims, { startedAt, isStepUp }: SignInQuestion, options: OidcOptions): void {
  const now = Math.floor(options.ports.clock.now().getTime() / 1_000);
  const since = Math.floor(startedAt.getTime() / 1_000) - CLOCK_SECONDS;
  if (claims.iat < since || claims.iat > now + CLOCK_SECONDS)
    throw new SignInFailure('invalid', 'The id token is of another time: are the clocks of both machines right?');
  if (!isStepUp || !options.tellsWhenProven) return;
  if (claims.auth_time === undefined || claims.auth_time < since)
    throw new SignInFailure('invalid', 'The issuer did not have the person sign in anew.');
}

/** At most 255 ASCII characters by the standard. */
const subjectShape = z.string().regex(/^[\x20-\x7e]{1,255}$/);
const NAME_MAX = 100;

function toIdentity(claims: Claims, options: OidcOptions): ProvenIdentity {
  const subject = subjectShape.safeParse(claims.sub);
  if (!subject.success) throw new SignInFailure('invalid', 'The id token has no subject that can be kept.');
  const username = shownName(claims['preferred_username']);
  return {
    issuer: options.identityIssuer ?? withoutSlash(claims.iss),
    subject: subject.data,
    displayName: shownName(claims['name']) ?? username,
    username,
    claims,
  };
}

/** One line that can be shown; null: there is none. Lone surrogates could not be stored. */
function shownName(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  const line = claim
    .toWellFormed()
    .replaceAll(/\p{C}+/gu, ' ')
    .trim();
  const cut = [...line].slice(0, NAME_MAX).join('').trim();
  return cut === '' ? null : cut;
}

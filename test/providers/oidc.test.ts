import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ID_TOKENS, type IdTokenKind } from '../../sandbox/forge/login/id-token.ts';
import type { Fault } from '../../sandbox/forge/switches.ts';
import { calm } from '../../sandbox/forge/switches.ts';
import { SignInFailure, type IdentityProvider, type SignInQuestion } from '../../src/providers/identity-provider.ts';
import { oidcProvider } from '../../src/providers/oidc/index.ts';
import { loginForge, type LoginForge } from '../support/forge-login.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

const PUBLIC_URL = 'http://127.0.0.1:9920';
let forge: LoginForge;
let ports: TestPorts;
let provider: IdentityProvider;
beforeAll(async () => {
  forge = await loginForge(PUBLIC_URL);
});
afterAll(() => forge.close());
beforeEach(() => {
  Object.assign(forge.running.switches, calm());
  ports = testPorts();
  forge.useClock(ports.clock);
  provider = forge.provider(ports);
});

const question = (changes: Partial<SignInQuestion> = {}): SignInQuestion => ({
  state: 'a state of forty-three random characters ....',
  nonce: 'a nonce of forty-three random characters ....',
  verifier: 'a-verifier-of-forty-three-random-characters-1',
  redirectUri: `${PUBLIC_URL}/login/forge/callback`,
  startedAt: ports.clock.now(),
  isStepUp: false,
  ...changes,
});

const parametersOf = (address: string): URLSearchParams => new URL(address).searchParams;

/** A whole way, and what goes wrong on it: its kind, or null. */
async function failureOf(run: Promise<unknown>): Promise<string | null> {
  try {
    await run;
    return null;
  } catch (error) {
    if (!(error instanceof SignInFailure)) throw error;
    return error.kind;
  }
}

const walk = async (asked = question(), changes: Readonly<Record<string, string>> = {}) => {
  const parameters = parametersOf(await forge.agree(await provider.begin(asked)));
  for (const [name, value] of Object.entries(changes)) parameters.set(name, value);
  return await provider.finish(asked, { parameters });
};

describe('a sign-in through a Forge', () => {
  for (const hasIssuerSlash of [false, true]) {
    it(`says who it is, under an issuer without a slash (the Forge's has one: ${hasIssuerSlash})`, async () => {
      forge.running.switches.hasIssuerSlash = hasIssuerSlash;
      expect(await walk()).toMatchObject({
        issuer: forge.running.url,
        subject: '1',
        displayName: 'Ada Lovelace',
        username: 'ada',
      });
    });
  }

  it('asks for a code with PKCE, a state and a nonce, and for no more rights than it needs', async () => {
    const url = new URL(await provider.begin(question()));
    expect(url.pathname).toBe('/login/oauth/authorize');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      scope: 'openid profile email read:user',
      code_challenge_method: 'S256',
      state: question().state,
      nonce: question().nonce,
    });
    expect(url.href).not.toContain(question().verifier);
    expect(url.searchParams.has('prompt')).toBe(false);
    expect(parametersOf(await provider.begin(question({ isStepUp: true }))).get('prompt')).toBe('login');
  });

  it('asks each of its pages once, and keeps what discovery said', async () => {
    await walk();
    const from = forge.running.journal.length;
    await walk();
    expect(forge.running.journal.slice(from).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /login/oauth/access_token',
      'GET /login/oauth/keys',
    ]);
  });

  it('is understood again after an update of the Forge has changed the slash', async () => {
    await walk();
    forge.running.switches.hasIssuerSlash = true;
    expect(await failureOf(walk())).toBe('invalid');
    expect(await walk()).toMatchObject({ issuer: forge.running.url, subject: '1' });
  });

  it('J07 without agreement is no sign-in', async () => {
    const parameters = parametersOf(await forge.deny(await provider.begin(question())));
    expect(await failureOf(provider.finish(question(), { parameters }))).toBe('denied');
  });
});

const KINDS: Readonly<Record<Exclude<IdTokenKind, 'right'>, string>> = {
  missing: 'invalid',
  garbage: 'invalid',
  'wrong-issuer': 'invalid',
  'other-slash': 'invalid',
  'wrong-audience': 'invalid',
  'two-audiences': 'invalid',
  'wrong-nonce': 'invalid',
  'no-nonce': 'invalid',
  unsigned: 'invalid',
  'public-key-as-secret': 'invalid',
  'other-key': 'invalid',
  'unknown-key': 'invalid',
  expired: 'invalid',
  ahead: 'invalid',
  stale: 'invalid',
  'no-subject': 'invalid',
  'number-subject': 'invalid',
};

describe('J07 an id token that does not hold signs nobody in:', () => {
  it.each(ID_TOKENS.filter((kind) => kind !== 'right'))('%s', async (kind) => {
    forge.running.switches.idToken = kind;
    expect(await failureOf(walk())).toBe(KINDS[kind]);
    forge.running.switches.idToken = 'right';
    expect((await walk()).subject).toBe('1');
  });

  it.each([-300, 300])('of a clock that is %i seconds off', async (seconds) => {
    forge.useClock({ now: () => new Date(ports.clock.now().getTime() + seconds * 1_000) });
    expect(await failureOf(walk())).toBe('invalid');
  });

  it.each([-50, 50])('but one of a clock that is only %i seconds off does', async (seconds) => {
    forge.useClock({ now: () => new Date(ports.clock.now().getTime() + seconds * 1_000) });
    expect(await failureOf(walk())).toBeNull();
  });
});

describe('J07 an answer that is not to this attempt signs nobody in:', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['another state', { state: 'another' }],
    ['another code', { code: 'gta_another' }],
    ['an answer of another issuer', { iss: 'https://other.invalid' }],
  ])('%s', async (_what, changes) => {
    expect(await failureOf(walk(question(), changes))).toMatch(/^(invalid|refused)$/);
  });

  it('without its state, or with two', async () => {
    const parameters = parametersOf(await forge.agree(await provider.begin(question())));
    const without = new URLSearchParams({ code: parameters.get('code') ?? '' });
    expect(await failureOf(provider.finish(question(), { parameters: without }))).toBe('invalid');
    parameters.append('state', 'another');
    expect(await failureOf(provider.finish(question(), { parameters }))).toBe('invalid');
  });

  it('a code that was used', async () => {
    const parameters = parametersOf(await forge.agree(await provider.begin(question())));
    await provider.finish(question(), { parameters });
    expect(await failureOf(provider.finish(question(), { parameters }))).toBe('refused');
  });

  it('a code of another verifier, and an answer with another nonce', async () => {
    const begun = async (): Promise<URLSearchParams> =>
      parametersOf(await forge.agree(await provider.begin(question())));
    const other = question({ verifier: 'another-verifier-of-forty-three-characters-22' });
    expect(await failureOf(provider.finish(other, { parameters: await begun() }))).toBe('refused');
    const nonce = question({ nonce: 'another' });
    expect(await failureOf(provider.finish(nonce, { parameters: await begun() }))).toBe('invalid');
  });

  it('an error in place of a code, whatever it is called', async () => {
    const state = question().state;
    const refused = new URLSearchParams({ state, error: 'server_error', error_description: '<b>no</b>' });
    expect(await failureOf(provider.finish(question(), { parameters: refused }))).toBe('refused');
    const odd = new URLSearchParams({ state, error: '<script>' });
    expect(await failureOf(provider.finish(question(), { parameters: odd }))).toBe('refused');
  });
});

describe('a Forge that is away or broken', () => {
  const fault = (kind: Fault['kind'], path: string): void => {
    forge.running.switches.faults = [{ kind, path, times: 1 }];
  };

  it.each([
    ['error-before-effect', 'unreachable'],
    ['reset-after-effect', 'unreachable'],
    ['reset-in-body', 'unreachable'],
    ['rate-limit', 'unreachable'],
    ['huge', 'unreachable'],
    ['redirect', 'misconfigured'],
    ['html', 'misconfigured'],
    ['empty-object', 'misconfigured'],
    ['truncated', 'misconfigured'],
  ] as const)('at discovery (%s) is %s, and is asked again the next time', async (kind, says) => {
    fault(kind, '.well-known');
    expect(await failureOf(provider.begin(question()))).toBe(says);
    expect(await failureOf(provider.begin(question()))).toBeNull();
  });

  it.each([
    ['error-before-effect', 'unreachable'],
    ['reset-in-body', 'unreachable'],
    ['html', 'invalid'],
    ['empty-object', 'invalid'],
    ['truncated', 'invalid'],
    ['redirect', 'misconfigured'],
  ] as const)('at the exchange (%s) is %s', async (kind, says) => {
    const location = await provider.begin(question());
    fault(kind, 'access_token');
    const parameters = parametersOf(await forge.agree(location));
    expect(await failureOf(provider.finish(question(), { parameters }))).toBe(says);
  });

  it('without its keys signs nobody in', async () => {
    fault('error-before-effect', 'oauth/keys');
    expect(await failureOf(walk())).toBe('unreachable');
    fault('empty-object', 'oauth/keys');
    expect(await failureOf(walk())).toBe('invalid');
  });

  it('that does not answer is given up after ten seconds', async () => {
    fault('timeout-before-effect', '.well-known');
    const asked = failureOf(provider.begin(question()));
    while (ports.clock.sleeping === 0) await ports.clock.turn();
    await ports.clock.advance(10_000);
    expect(await asked).toBe('unreachable');
  });

  it('of another issuer than the configured one is told apart from one that is away', async () => {
    const { port } = new URL(forge.running.url);
    const elsewhere = oidcProvider({
      name: 'forge',
      title: 'Forge',
      issuer: `http://127.0.0.1:${port}/git`,
      clientId: 'x',
      clientSecret: 'x',
      scope: 'openid',
      secretBy: 'body',
      tellsWhenProven: false,
      roleClaim: null,
      ports,
    });
    expect(await failureOf(elsewhere.begin(question()))).toBe('misconfigured');
  });

  it('says nothing of codes, tokens and secrets in what is thrown', async () => {
    forge.running.switches.idToken = 'wrong-audience';
    const parameters = parametersOf(await forge.agree(await provider.begin(question())));
    const error = await provider.finish(question(), { parameters }).catch((thrown: unknown) => thrown);
    const told = error instanceof SignInFailure ? `${error.message} ${String(error.cause)}` : '';
    expect(told).toContain('The answer does not hold');
    expect(told).not.toMatch(/gta_|gto_|eyJ|verifier/);
  });
});

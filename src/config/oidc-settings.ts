import { claimedRoles, httpUrl, secret, text } from './kinds.ts';
import { given, optional } from './setting.ts';

/** Any other issuer that people sign in through. Part of `SETTINGS`. */
export const OIDC_SETTINGS = {
  oidcIssuer: optional({
    env: 'OIDC_ISSUER',
    group: 'OpenID Connect',
    kind: httpUrl,
    prose:
      'The issuer of any other OpenID Connect provider, for example https://id.example.org/realms/main. Unset: there is none.',
  }),
  oidcClientId: optional({
    env: 'OIDC_CLIENT_ID',
    group: 'OpenID Connect',
    kind: text(/^[\x21-\x7e]{1,200}$/, 'must be the client id that the provider gave'),
    prose: 'The client that this service is there. Set together with the issuer and the secret.',
  }),
  oidcClientSecret: optional({
    env: 'OIDC_CLIENT_SECRET',
    group: 'OpenID Connect',
    kind: secret,
    isSecret: true,
    prose: 'The secret of that client.',
  }),
  oidcName: given({
    env: 'OIDC_NAME',
    group: 'OpenID Connect',
    kind: text(/^[^\p{C}]{1,40}$/u, 'must be one line of at most 40 characters'),
    default: 'your organisation',
    prose: 'What the button calls it: "Sign in with …".',
  }),
  oidcScope: given({
    env: 'OIDC_SCOPE',
    group: 'OpenID Connect',
    kind: text(
      /^(?=.*\bopenid\b)[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/,
      'must be scopes with a space between them, openid among them',
    ),
    default: 'openid profile',
    prose: 'What is asked of it about a person.',
  }),
  oidcRoleClaim: given({
    env: 'OIDC_ROLE_CLAIM',
    group: 'OpenID Connect',
    kind: text(/^[\x21-\x7e]{1,100}$/, 'must be the name of a claim'),
    default: 'groups',
    prose: 'The claim that the roles below are read from; an address of mail counts only when it is verified.',
  }),
  oidcRoles: optional({
    env: 'OIDC_ROLES',
    group: 'OpenID Connect',
    kind: claimedRoles,
    prose: 'Which values of that claim make somebody an operator: role=value, with commas between. Unset: none.',
  }),
} as const;
